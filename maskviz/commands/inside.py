"""The commands knockout and lens: edges that are cut, and what each layer would answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import common

if TYPE_CHECKING:
    from ..evidence.units.knockout import Knockout
    from ..evidence.units.layers import Lens, LensRow


@common.app.command("knockout")
def knockout_command(
    text: common.TextArgument = None,
    conversation: common.ConversationFile = None,
    model: common.ModelName = "mini",
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="Tokens that nobody of --from may attend to: an expression such as "
            "'pattern:/dull/', entity:GPE or turn:2, last, or all.",
        ),
    ] = "",
    between: Annotated[
        str,
        typer.Option(
            "--from", help="The tokens that attend. Without: last of a decoder, else all."
        ),
    ] = "",
    window: Annotated[
        int | None, typer.Option("--window", help="Layers of a window; without: a fifth.")
    ] = None,
    draws: Annotated[
        int, typer.Option("--draws", help="Cuts to as many other words, in all layers.")
    ] = 99,
    question: common.QuestionName = "",
    ask: common.Ask = None,
    prompt: common.Prompt = None,
    choice: common.Choices = None,
    next_token: common.NextToken = False,
    target: common.Target = "",
    against: common.Against = "",
    answer: common.Answer = None,
    as_json: common.Json = False,
) -> None:
    """Cut attention between two sets of tokens in a window of layers, for every window.

    In all layers at once the cut stands beside cuts to as many other words.
    """
    from ..errors import ParameterError
    from ..evidence.units.knockout import knockout

    if not to:
        raise ParameterError("Nothing is cut: name the tokens, such as --to 'pattern:/dull/'.")
    spoken = common.read_spoken(conversation, text)
    put = common.question_of(
        question, ask, model, prompt, choice, next_token, target, against, answer, spoken
    )
    written = common.read_text(text) if spoken is None else spoken.prompt
    found = knockout(written, to, between, model, window, draws, put)
    common.show(found.to_dict(), as_json, "\n".join(_knocked(found)))


def _knocked(found: Knockout) -> list[str]:
    from ..evidence.units.sentence import knockout_sentence

    lines = [knockout_sentence(found), "", "layers      effect       p"]
    for one in (*found.windows, found.whole):
        layers = f"{one.first + 1}–{one.last + 1}"
        lines.append(f"{layers:9}{one.effect:+9.3f}  {one.probability:6.1%}")
    return lines


@common.app.command("lens")
def lens_command(
    text: common.TextArgument = None,
    conversation: common.ConversationFile = None,
    model: common.ModelName = "mini",
    strategy: Annotated[
        str | None, typer.Option("--strategy", "-s", help="What to hide beside the plain text.")
    ] = None,
    operator: Annotated[str, typer.Option("--operator", "-o", help="How it is hidden.")] = "",
    ratio: common.Ratio = None,
    seed: common.Seed = 0,
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
    """Show what each layer would answer, by the model's own final norm and head.

    With a strategy the masked text stands beside the plain one.
    """
    from ..evidence.units.layers import layer_answers
    from ..evidence.units.sentence import lens_sentence
    from ..masks import Mask
    from ..masks.operators import usual_operator
    from ..readings.question import asked

    spoken = common.read_spoken(conversation, text, mask_file)
    put = asked(
        model,
        common.question_of(
            question, ask, model, prompt, choice, next_token, target, against, answer, spoken
        ),
    )
    written = text if spoken is None else spoken.prompt
    options: dict[str, Any] = {
        "types": types, "pattern": pattern, "words": words, "indices": indices,
        "pipeline": pipeline, "tagger": tagger,
    }  # fmt: skip
    if strategy is None and mask_file is None:
        chosen = Mask(common.text_of(written))
    else:
        chosen = common.chosen_mask(
            written, strategy or "random", ratio, seed, mask_file, model=put.model, **options
        )
    found = layer_answers(chosen, put, operator or usual_operator(put.model))
    common.show(found.to_dict(), as_json, "\n".join([lens_sentence(found), "", *_table(found)]))


def _table(found: Lens) -> list[str]:
    from ..evidence.text.scale import shortened, visible

    def cells(row: LensRow) -> str:
        answer = shortened(visible(row.answer), 18)
        return f"{answer:18} {row.answer_probability:6.1%} {row.probability:8.1%} {row.rank:6,}"

    head = f"{'answers':18} {'p':>6} {'target':>8} {'rank':>6}"
    both = f"{head}   {head}" if found.masked else head
    lines = [f"layer  {both}"]
    for i, row in enumerate(found.plain):
        beside = f"   {cells(found.masked[i])}" if found.masked else ""
        lines.append(f"{row.layer or 'none':>5}  {cells(row)}{beside}")
    return lines
