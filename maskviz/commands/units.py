"""The command heads, and what compare has for units: heads, MLPs and layers that are masked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union

import typer

from ..errors import ParameterError, UnknownNameError
from . import common
from .progress import Progress

if TYPE_CHECKING:
    from ..evidence.units.asking import Way
    from ..evidence.units.choose import RoleShare
    from ..evidence.units.compare import Silenced
    from ..evidence.units.scan import UnitScan
    from ..masks import Mask
    from ..models import Model
    from ..readings.question import Question
    from ..text.conversation import Conversation

Heads = Annotated[
    str,
    typer.Option(
        "--heads",
        "--units",
        help="Units that are masked, from 1: heads as 3.1,3.4 (layer and head), MLPs as 3.mlp, "
        "layers as 3; of one text also random:3, random:1:mlp, role:previous-token, top-k:3, "
        "top-k:1:layer.",
    ),
]
UnitOperator = Annotated[
    str,
    typer.Option(
        "--unit-operator",
        help="What stands in a unit's place: mean (over rows), zero, zero-but-bias (the bias of a "
        "head's value stays), from (its value on the masked text), from-plain (the other way "
        "round).",
    ),
]
MeanOver = Annotated[
    str, typer.Option("--mean-over", help="File with the rows of mean; without: example rows.")
]
Spoken = Union["str", "Conversation", None]  # a conversation as it is read before its answer
_MOST = 256  # rows of a file that a mean is over
_SHOWN = 10  # heads that a person is shown


def alone(strategy: str | None, mask_file: Path | None, operator: str, file: str | None) -> bool:
    """Tell whether heads are all that is masked in the comparison of a text."""
    from ..inside.operators import FROM, FROM_PLAIN

    if file is not None:
        if strategy is None:
            raise ParameterError(
                "--heads in a file needs a strategy, whose masks are read without them: name one, "
                "or scan the file with 'maskviz heads --file FILE'."
            )
        return False
    return operator in (FROM, FROM_PLAIN) or (strategy is None and mask_file is None)


def masked(
    shared: dict[str, Any], heads: str, operator: str, mean_over: str, column: str | None
) -> tuple[Question, dict[str, Any]]:
    """Return the question as it is answered with heads masked, and what JSON says of them."""
    from ..evidence.units.asking import example_rows, reads_of
    from ..evidence.units.compare import units_of
    from ..inside.under import under
    from ..readings.question import asked

    put = asked(shared["model"], shared["question"])
    mask = units_of(heads, put)
    rows = _rows(mean_over, column) or example_rows()
    found = under(put, mask, operator, reads_of(put, rows) if operator == "mean" else ())
    common.notify(f"Both texts are read with {mask.said} silenced ({operator}).")
    return found, {"units": mask.to_dict(), "unit_operator": operator}


def compare_alone(
    text: Spoken,
    heads: str,
    unit_operator: str,
    mean_over: str,
    column: str | None,
    draws: int | None,
    strategy: str | None,
    operator: str,
    mask_file: Path | None,
    options: dict[str, Any],
    shared: dict[str, Any],
    as_json: bool,
) -> None:
    """Compare a text's answer with some heads masked, beside as many others."""
    from ..evidence.units.choose import choose_units
    from ..evidence.units.compare import compare_units
    from ..readings.question import asked

    put = asked(shared["model"], shared["question"])
    way, written = _way(
        text, put, unit_operator, mean_over, column, strategy, operator, mask_file, options, shared
    )
    mask = choose_units(heads, put, written, way, shared["seed"])
    found = compare_units(written, mask, put, way, 99 if draws is None else draws)
    common.show(found.to_dict(), as_json, _said(found))


def _way(
    text: Spoken,
    put: Question,
    unit_operator: str,
    mean_over: str,
    column: str | None,
    strategy: str | None,
    operator: str,
    mask_file: Path | None,
    options: dict[str, Any],
    shared: dict[str, Any],
) -> tuple[Way, str]:
    """Return how heads are masked, and the text."""
    from ..evidence.units.asking import Way
    from ..inside.operators import FROM, FROM_PLAIN
    from ..masks.operators import usual_operator

    rows = _rows(mean_over, column)
    if unit_operator not in (FROM, FROM_PLAIN):
        if strategy or mask_file:
            raise ParameterError(
                f"The unit operator {unit_operator} hides no words: leave --strategy out, or "
                "choose from, which takes the values of the masked text."
            )
        return Way(unit_operator, rows), common.text_of(text)
    _hides_something(unit_operator, strategy, mask_file)
    chosen = common.chosen_mask(
        text, strategy or "", shared["ratio"], shared["seed"], mask_file, model=put.model,
        **options,
    )  # fmt: skip
    hides = operator or usual_operator(put.model)
    return Way(unit_operator, rows, chosen, hides), chosen.text


def _hides_something(operator: str, strategy: str | None, mask_file: Path | None = None) -> None:
    """Refuse values of a masked text of which nothing says what it hides."""
    if not strategy and mask_file is None:
        raise ParameterError(
            f"The unit operator {operator} takes the values of a masked text, and nothing says "
            "what is hidden in it: name it, such as --strategy pattern --words dull."
        )


def _rows(file: str, column: str | None) -> tuple[str, ...] | None:
    """Return the texts of a file, None where none is named."""
    if not file:
        return None
    return tuple(_texts(file, column, _MOST))


def _texts(file: str, column: str | None, most: int | None) -> list[str]:
    from itertools import islice

    from ..data import guess_columns, iter_rows, read_table
    from ..data.hub import resolve
    from ..evidence.files.rows import usable_rows

    path = resolve(file)
    named = column or guess_columns(read_table(path)).text
    return [row.text for row in islice(usable_rows(iter_rows(path), named, None, (), {}), most)]


def _said(found: Silenced) -> str:
    from ..evidence.text.scale import Scale
    from ..evidence.units.sentence import units_sentence

    chance, scale = found.control, Scale.of(found.comparison)
    lines = [units_sentence(found)]
    if chance.draws:
        low, high, mean = (f"{value:{scale.digits}}" for value in scale.band(chance))
        lines.append(
            f"With {found.control.size} of the others masked {scale.name} lies between {low} and "
            f"{high}, mean {mean}."
        )
    return "\n".join(lines)


@common.app.command("heads")
def heads_command(
    text: common.TextArgument = None,
    conversation: common.ConversationFile = None,
    model: common.ModelName = "mini",
    unit_operator: UnitOperator = "mean",
    mean_over: MeanOver = "",
    file: Annotated[
        str | None, typer.Option("--file", help="A row a text: effects are means over rows.")
    ] = None,
    text_column: Annotated[
        str | None, typer.Option("--text-column", help="Column with the texts.")
    ] = None,
    rows: Annotated[int, typer.Option("--rows", help="Of a file, the first.")] = 64,
    kind: Annotated[
        str, typer.Option("--kind", help="What is scanned: head, mlp or layer.")
    ] = "head",
    strategy: Annotated[
        str, typer.Option("--strategy", "-s", help="What is hidden in the text that from reads.")
    ] = "",
    operator: Annotated[str, typer.Option("--operator", "-o", help="How it is hidden.")] = "",
    ratio: common.Ratio = None,
    seed: common.Seed = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Write every unit as CSV.")] = None,
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
    pipeline: common.Pipeline = "",
    language: common.Language = "",
    tagger: common.Tagger = "",
    mask_file: common.MaskFile = None,
    as_json: common.Json = False,
) -> None:
    """Scan all heads, MLPs or layers: what each does to the answer when it alone is masked.

    On one text the largest is only the largest of so many; over a file (--file) it is found on
    half of the rows and tested on the others.
    """
    from ..evidence.units.asking import Way
    from ..evidence.units.choose import checked_kind
    from ..evidence.units.scan import scan_rows, scan_text
    from ..inside.units import SEVERAL
    from ..readings.question import asked

    if rows < 1:
        raise ParameterError(f"--rows is {rows} and must be 1 or more.")
    spoken = common.read_spoken(conversation, text, mask_file)
    if spoken is not None and file is not None:
        raise ParameterError("--file and --conversation are given: give one of them.")
    put = asked(
        model,
        common.question_of(
            question, ask, model, prompt, choice, next_token, target, against, answer, spoken
        ),
    )
    options = {
        "types": types, "pattern": pattern, "words": words, "indices": indices,
        "pipeline": pipeline, "tagger": tagger,
    }  # fmt: skip
    shared = {"ratio": ratio, "seed": seed}
    kind = checked_kind(kind)
    show = Progress(SEVERAL[kind] if file is None else "rows")
    if file is not None:
        way = Way(unit_operator, _rows(mean_over, text_column), hides=operator or _usual(put.model))
        texts = _texts(file, text_column, rows)
        given: list[str] | list[Mask] = texts
        if way.patches:
            given = _hidden(texts, strategy, ratio, seed, put.model, unit_operator, options)
        found = scan_rows(given, put, way, progress=show, kind=kind)
    else:
        way, written = _way(
            text if spoken is None else spoken.prompt, put, unit_operator, mean_over, text_column,
            strategy, operator, mask_file, options, shared,
        )  # fmt: skip
        found = scan_text(written, put, way, progress=show, kind=kind)
    show.end()
    if out is not None:
        _write(found, out)
    roles = _roles(found, [written] if file is None else given)
    document = {
        **found.to_dict(),
        "roles": [vars(one) for one in roles],
        "out": None if out is None else str(out),
    }
    common.show(document, as_json, "\n".join(_lines(found, roles)))


def _usual(model: Model) -> str:
    from ..masks.operators import usual_operator

    return usual_operator(model)


def _hidden(
    texts: list[str],
    strategy: str,
    ratio: float | None,
    seed: int,
    model: Model,
    operator: str,
    options: Any,
) -> list[Mask]:
    """Return the masked text of each row, of which some words are hidden."""
    from ..masks import mask

    _hides_something(operator, strategy)
    given = common.mask_parameters(strategy, model=model, **options)
    masks = (
        mask(text, strategy, ratio=ratio, seed=seed + i, **given) for i, text in enumerate(texts)
    )
    return [one for one in masks if one.spans]


def _roles(found: UnitScan, texts: Sequence[str | Mask]) -> tuple[RoleShare, ...]:
    """Return what share of the effect the heads of each role carry, of the part that reads."""
    from ..evidence.units.choose import shares_of_roles

    return shares_of_roles(found, [one if isinstance(one, str) else one.text for one in texts])


def _write(found: UnitScan, out: Path) -> None:
    from ..data.export import CsvFile

    if out.suffix != ".csv":
        raise UnknownNameError.of("ending", out.suffix or out.name, (".csv",))
    with CsvFile(out) as written:
        for one in found.effects:
            values = one.to_dict()
            low, high = values.pop("ci95") or ("", "")
            written.add({**values, "low": low, "high": high})


def _lines(found: UnitScan, roles: tuple[RoleShare, ...]) -> list[str]:
    from ..evidence.units.sentence import scan_sentence
    from ..inside.units import SEVERAL

    one_of = SEVERAL[found.kind][:-1]
    lines = [scan_sentence(found), "", f"rank  {one_of:9}  effect"]
    for one in sorted(found.effects, key=lambda one: one.rank)[:_SHOWN]:
        interval = f"  ({one.low:+.3f} to {one.high:+.3f})" if one.low == one.low else ""
        lines.append(f"{one.rank:4}  {one.unit!s:9}{one.effect:+8.3f}{interval}")
    lines += [
        "",
        f"Effect: the log-odds of the plain answer with the {one_of} masked, less those without.",
    ]
    if roles:
        lines += ["", "role                heads  share of the effect"]
    lines += [f"{one.role:18}{one.heads:7g}{one.share:21.0%}" for one in roles]
    return lines
