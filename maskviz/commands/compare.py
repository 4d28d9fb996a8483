"""The command compare: one text, every row of a file, or pairs that should be answered alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ParameterError
from ..text.specials import specials_in
from . import common, scale, units
from .compare_given import chosen_operators, given_map, named, parameters_of, usual
from .compare_show import fairness_table, file_table, role_lines, text_lines, turn_lines
from .explain import Long
from .progress import Progress

if TYPE_CHECKING:
    from ..evidence.text.compare import Comparison
    from ..readings.question import Question


@common.app.command("compare")
def compare_command(
    text: common.TextArgument = None,
    conversation: common.ConversationFile = None,
    model: common.ModelName = "mini",
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            "-s",
            help="What to hide; several with commas, a,b,c. Without: random, or nothing beside "
            "--heads.",
        ),
    ] = None,
    operator: Annotated[
        str,
        typer.Option(
            "--operator",
            "-o",
            help="How it is hidden; several for one text, a,b,c. Without: mask, or delete where "
            "the model learned no mask token.",
        ),
    ] = "",
    ratio: common.Ratio = None,
    seed: common.Seed = 0,
    file: Annotated[
        str | None,
        typer.Option(
            "--file", help="CSV, TSV, JSONL or Parquet with a row a text, or hub:NAME[:SPLIT]."
        ),
    ] = None,
    text_column: Annotated[
        str | None, typer.Option("--text-column", help="Column with the texts.")
    ] = None,
    conversation_column: common.ConversationColumn = None,
    answer_column: Annotated[
        str | None,
        typer.Option(
            "--answer-column",
            help="Column with the answer that each row is asked for. Without: the last one of each "
            "conversation, else the model's own.",
        ),
    ] = None,
    label_column: Annotated[
        str | None,
        typer.Option(
            "--label-column", help="Column with the true labels, or one of 0 and 1 a label: a,b,c."
        ),
    ] = None,
    label_map: Annotated[
        str,
        typer.Option(
            "--label-map",
            help="Which of the model's labels those of the file stand for: "
            "satisfied=positive,unknown=- (left out), JSON, or a file of JSON.",
        ),
    ] = "",
    by: Annotated[str, typer.Option("--by", help="Columns to break the result down by, a,b.")] = "",
    group_columns: Annotated[
        str,
        typer.Option(
            "--group-columns",
            help="Columns with groups of rows, a,b: broken down by each and by their crossing, "
            "with the worst group and the gaps.",
        ),
    ] = "",
    spans_column: common.SpansColumn = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            help="Column with what rows share, such as a template: intervals are over its values.",
        ),
    ] = None,
    pair_column: Annotated[
        str | None,
        typer.Option("--pair-column", help="Fairness: column with the other text of each pair."),
    ] = None,
    swap: Annotated[
        str,
        typer.Option(
            "--swap",
            help="Fairness: make the other text by swapping gender, names, names-alike, places, "
            "nationality, religion, age; all for every one.",
        ),
    ] = "",
    label: Annotated[
        str | None, typer.Option("--label", help="Fairness: the label whose probability counts.")
    ] = None,
    beside: Annotated[
        str | None, typer.Option("--beside", help="A second model on the same texts and masks.")
    ] = None,
    sensitivity: Annotated[
        bool,
        typer.Option("--sensitivity", help="Under mask, delete, pad, attention and infill."),
    ] = False,
    rows: Annotated[int | None, typer.Option("--rows", help="Of a file, the first.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write every row, or pair, and its effects as CSV.")
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(
            "--draws",
            help="Other masks beside which each stands: of a text 99 (all, where there are at most "
            "200), of a file 1 to 20 a row.",
        ),
    ] = None,
    engine: scale.Engine = "local",
    address: scale.Address = None,
    num_gpus: scale.Gpus = 0.0,
    keep: scale.Keep = None,
    long: Long = "cut",
    question: common.QuestionName = "",
    ask: common.Ask = None,
    prompt: common.Prompt = None,
    choice: common.Choices = None,
    next_token: common.NextToken = False,
    target: common.Target = "",
    against: common.Against = "",
    answer: common.Answer = None,
    types: common.Types = "",
    pattern: common.Pattern = "",
    words: common.Words = "",
    indices: common.Indices = "",
    spans: common.Spans = "",
    pipeline: common.Pipeline = "",
    language: common.Language = "",
    tagger: common.Tagger = "",
    mask_file: common.MaskFile = None,
    heads: units.Heads = "",
    unit_operator: units.UnitOperator = "mean",
    mean_over: units.MeanOver = "",
    as_json: common.Json = False,
) -> None:
    """Compare the model's answer on the plain and on the masked text.

    One text is set against random masks of the same size, under several strategies and operators;
    a file gives flip rate, accuracy and calibration per strategy; pairs of texts (--pair-column or
    --swap) give flip rate and gaps. --heads masks heads of the network: alone, they are compared
    with as many others; with a strategy, both texts are read without them.
    """
    options = {"types": types, "pattern": pattern, "words": words, "indices": indices,
               "pipeline": pipeline, "tagger": tagger, "spans": spans}  # fmt: skip
    if rows is not None and rows < 1:
        raise ParameterError(f"--rows is {rows} and must be 1 or more.")
    spoken = common.read_spoken(conversation, text, mask_file)
    if spoken is not None and file is not None:
        raise ParameterError("--file and --conversation are given: give one of them.")
    shared: dict[str, Any] = {
        "model": model, "ratio": ratio, "seed": seed, "long": long,
        "question": common.question_of(
            question, ask, model, prompt, choice, next_token, target, against, answer, spoken
        ),
    }  # fmt: skip
    if heads and units.alone(strategy, mask_file, unit_operator, file):
        units.compare_alone(
            text if spoken is None else spoken.prompt, heads, unit_operator, mean_over,
            text_column, draws, strategy, operator, mask_file, options, shared, as_json,
        )  # fmt: skip
        return
    strategy = "random" if strategy is None else strategy
    without: dict[str, Any] = {}
    if heads:
        shared["model"], without = units.masked(
            shared, heads, unit_operator, mean_over, text_column
        )
    if file is None:
        common.only_for_files(
            text_column=text_column, label_column=label_column, label_map=label_map, by=by,
            group_columns=group_columns,
            cluster=cluster, pair_column=pair_column, swap=swap, label=label, rows=rows, out=out,
            conversation_column=conversation_column, answer_column=answer_column,
            spans_column=spans_column,
        )  # fmt: skip
        draws = 99 if draws is None else draws
        if not 20 <= draws <= 10_000:
            raise ParameterError(f"--draws is {draws} and must lie between 20 and 10000.")
        operators = chosen_operators(operator or usual(model), sensitivity)
        scale.refuse_scale("Single texts", engine, address, keep)
        _one_text(
            text if spoken is None else spoken.prompt, strategy, operators, mask_file, draws,
            beside, options, shared, without, as_json,
        )  # fmt: skip
        return
    operator = operator or usual(model)
    if conversation_column is not None and (text_column or swap or pair_column):
        raise ParameterError(
            "--conversation-column stands in the place of --text-column, and conversations make no "
            "pairs for fairness: leave the others out."
        )
    if conversation_column is not None and answer == "":  # always the model's own
        shared["question"] = {"name": "answer", "answer": ""}
    text_column = text_column or conversation_column
    if text_column is None:
        raise ParameterError("--file needs --text-column: name the column that holds the texts.")
    if swap or pair_column:
        scale.refuse_scale("Pairs for fairness", engine, address, keep)
        _pairs(
            file, text_column, pair_column, swap, cluster, label, strategy, operator, rows, out,
            options, shared, as_json,
        )  # fmt: skip
        return
    _one_file(
        file, strategy, out, options, as_json,
        {
            **shared, "text_column": text_column, "label_column": label_column, "limit": rows,
            "operator": operator, "by": named(by), "beside": beside, "spans_column": spans_column,
            "group_columns": named(group_columns),
            "draws": draws, "cluster": cluster, "label_map": given_map(label_map, label_column),
            "conversations": conversation_column is not None, "answer_column": answer_column,
            **scale.scaled(engine, address, num_gpus, keep),
        },
        without,
    )  # fmt: skip


def _one_text(
    text: Any,
    strategy: str,
    operators: list[str],
    mask_file: Path | None,
    draws: int,
    beside: str | None,
    options: dict[str, Any],
    shared: dict[str, Any],
    without: dict[str, Any],
    as_json: bool,
) -> None:
    from ..evidence import compare, compare_masks, sensitivity
    from ..evidence.text.compare import operators_left_out, put_again
    from ..evidence.text.roles import by_role, by_turn
    from ..readings.question import asked

    put, long = asked(shared["model"], shared["question"]), shared["long"]
    masks = _masks(text, strategy, mask_file, options, {**shared, "model": put.model})
    effects = compare_masks(masks, put, operators, draws, long)
    first = effects[0]
    common.notify(first.comparison.notice)
    common.notify(specials_in(masks[0][1].text))
    left_out = operators_left_out(masks[0][1], put, operators, long) if operators[1:] else []
    for reason in left_out:
        common.notify(reason)
    survives = sensitivity(effects)
    second = None
    if beside:
        operator = first.comparison.operator
        second = compare(masks[0][1], beside, operator, long, put_again(first.comparison))
    document = {
        **first.comparison.to_dict(),
        "control": first.control.to_dict(),
        **({} if put.name == "labels" else {"reference": first.control.reference()}),
        "effects": [effect.to_dict() for effect in effects],
        "sensitivity": {name: s.to_dict() for name, s in survives.items()},
        "notes": left_out,
        **without,
    }
    if positions := _positions(first.comparison, put, long):
        document["kl_by_position"] = positions
    roles = by_role(first.comparison, put.about(masks[0][1].text), long)
    if roles:
        document["roles"] = [role.to_dict() for role in roles]
    turns = by_turn(first.comparison, put.about(masks[0][1].text), long)
    if turns:
        document["turns"] = [turn.to_dict() for turn in turns]
    if second is not None:
        document["beside"] = {"model": second.model, **second.change()}
    lines = [*text_lines(effects, survives, second), *role_lines(roles), *turn_lines(turns)]
    common.show(document, as_json, "\n".join(lines))


def _positions(compared: Comparison, put: Question, long: str) -> list[dict[str, Any]]:
    """Return how far the next token moves behind each token, of a decoder that is asked for it."""
    from ..readings.language.positions import kl_by_position

    if put.name not in ("next", "answer") or "generate" not in put.model.capabilities:
        return []
    if long != "cut" or not compared.mask.spans:
        return []
    model = put.about(compared.mask.text).model
    return [vars(p) for p in kl_by_position(compared.mask, model, compared.operator)]


def _masks(
    text: Any,
    strategy: str,
    mask_file: Path | None,
    options: dict[str, Any],
    shared: dict[str, Any],
) -> list[tuple[str, Any]]:
    """Return the named masks of one text: a saved one, or one for each strategy."""
    from ..masks import mask
    from ..masks.expression import is_expression

    ratio, seed, model = shared["ratio"], shared["seed"], shared["model"]
    if mask_file is not None or is_expression(strategy) or len(named(strategy)) < 2:
        chosen = common.chosen_mask(text, strategy, ratio, seed, mask_file, model=model, **options)
        return [(chosen.strategy, chosen)]
    written = common.read_text(text) if text is None or isinstance(text, str) else text
    given = parameters_of(strategy, options)
    return [
        (name, mask(written, name, ratio=ratio, seed=seed, model=model, **more))
        for name, more in given.items()
    ]


def _one_file(
    file: str,
    strategy: str,
    out: Path | None,
    options: dict[str, Any],
    as_json: bool,
    asked: dict[str, Any],
    without: dict[str, Any],
) -> None:
    from ..data.export import CsvFile
    from ..data.hub import resolve
    from ..evidence import compare_file

    strategies = parameters_of(strategy, options)
    show = Progress("rows")
    with CsvFile(out) as written:
        result = compare_file(
            resolve(file), strategies, each=lambda row: written.add(row.to_dict()),
            progress=show, note=show.note, **asked,
        )  # fmt: skip
    show.end()
    for note in result.notes:
        common.notify(note)
    common.show({**result.to_dict(), **without}, as_json, file_table(result))


def _pairs(
    file: str,
    text_column: str,
    pair_column: str | None,
    swap: str,
    cluster: str | None,
    label: str | None,
    strategy: str,
    operator: str,
    rows: int | None,
    out: Path | None,
    options: dict[str, Any],
    shared: dict[str, Any],
    as_json: bool,
) -> None:
    from ..data.export import CsvFile
    from ..data.hub import resolve
    from ..evidence.counterfactual.fairness import fairness, pairs_of_file, swapped_pairs

    if swap and pair_column:
        raise ParameterError("--swap and --pair-column both make pairs: give one of them.")
    path = resolve(file)
    if pair_column:
        pairs = pairs_of_file(path, text_column, pair_column, cluster=cluster, limit=rows)
    else:
        swaps = [] if swap == "all" else named(swap)
        pairs = swapped_pairs(path, text_column, swaps, cluster=cluster, limit=rows)
    show = Progress("pairs")
    with CsvFile(out) as written:
        result = fairness(
            pairs, parameters_of(strategy, options), operator=operator, label=label,
            each=written.add, progress=show, **shared,
        )  # fmt: skip
    show.end()
    for note in result.notes:
        common.notify(note)
    common.show(result.to_dict(), as_json, fairness_table(result))
