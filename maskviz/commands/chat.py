"""The command chat: what a chat model reads of a conversation, and answers plain and masked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DataError, ParameterError
from . import common

if TYPE_CHECKING:
    from ..evidence.text.compare import Effect
    from ..models.chat import Rendering
    from ..readings.question import Question
    from ..text.conversation import Conversation

_SHOWN = 80  # characters of the scored answer that the printed line repeats


@common.app.command("chat")
def chat_command(
    file: Annotated[
        str,
        typer.Argument(
            help="A conversation as JSON: messages, ShareGPT, prompt and response; or plain text. "
            "'-' reads standard input."
        ),
    ],
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            help="mini-chat, smollm2, a tuned run, a folder, a GGUF file or a Hub name.",
        ),
    ] = "mini-chat",
    strategy: Annotated[
        str, typer.Option("--strategy", "-s", help="What to hide; without it, nothing.")
    ] = "",
    operator: common.OperatorName = "delete",
    ratio: common.Ratio = None,
    seed: common.Seed = 0,
    answer: Annotated[
        str | None,
        typer.Option(
            "--answer",
            help="Score this answer. Without: the last one of the file, or the model's own; '' "
            "always takes the model's own.",
        ),
    ] = None,
    longest: Annotated[
        int, typer.Option("--longest", help="Tokens of the model's own answer, at most.")
    ] = 32,
    rendering: Annotated[
        bool, typer.Option("--rendering", help="Show what the template writes, and each place.")
    ] = False,
    draws: Annotated[
        int, typer.Option("--draws", help="Other masks beside which it stands, 20 to 10,000.")
    ] = 99,
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
    """Ask a chat model to answer a conversation, plain and with a part of it hidden.

    The model reads what its own chat template writes; the mask hides contents alone.
    """
    from ..readings.language.conversing import rendered
    from ..readings.question import asked

    if not 20 <= draws <= 10_000:
        raise ParameterError(f"--draws is {draws} and must lie between 20 and 10000.")
    spoken = _read(file)
    given = {} if answer is None else {"answer": answer}
    put = asked(
        model, {"name": "answer", "conversation": spoken, "longest": longest, **given}
    ).about(spoken.prompt.text)
    seen = rendered(put.model.bare, spoken.prompt)
    document: dict[str, Any] = {
        "model": put.model.name,
        "conversation": spoken.prompt.to_dict(),
        "rendering": _rendering(seen),
    }
    lines = _rendered_lines(seen) if rendering else []
    if strategy or mask_file is not None:
        chosen = common.chosen_mask(
            spoken.prompt, strategy, ratio, seed, mask_file,
            types=types, pattern=pattern, words=words, indices=indices,
            model=put.model, pipeline=pipeline, tagger=tagger,
        )  # fmt: skip
        effect = _effect(put, chosen, operator, draws)
        common.notify(effect.comparison.notice)
        document |= _document(effect, put.given["answer"])
        lines += _answers(effect, put.given["answer"])
    else:
        for notice in seen.notices:
            common.notify(notice)
        unmasked = _unmasked(put, spoken.prompt)
        document |= unmasked
        lines += _unmasked_lines(unmasked)
    common.show(document, as_json, "\n".join(lines))


def _read(file: str) -> Conversation:
    from ..text.conversation import read_conversation

    if file == "-":
        return read_conversation(sys.stdin.buffer.read())
    try:
        return read_conversation(Path(file).read_bytes())
    except OSError as error:
        raise DataError(f"{file[:200]!r} cannot be read: {error.strerror}.") from None


def _effect(put: Question, chosen: Any, operator: str, draws: int) -> Effect:
    from ..evidence import compare_masks

    (effect,) = compare_masks([(chosen.strategy, chosen)], put, operator, draws)
    return effect


def _unmasked(put: Question, prompt: Conversation) -> dict[str, Any]:
    """Return what the model writes itself, and of the answer that is asked about its ln p."""
    from ..masks import apply
    from ..readings.language.answering import decoded, written
    from ..readings.question import asked

    scored, longest = put.given["answer"], put.given["longest"]
    given = {"name": "answer", "conversation": prompt, "longest": longest, "answer": ""}
    own: Any = asked(put.model.bare, given).model
    (row,) = put.logits([apply(prompt.text, "attention", put.model)])
    return {
        "answer": decoded(own, written(own, apply(prompt.text, "attention", own), longest)),
        "scored": scored,
        "log_probability_original": float(row[0]),
    }


def _unmasked_lines(found: dict[str, Any]) -> list[str]:
    from ..text.marks import printable

    return [
        f"plain   {printable(found['answer'])}",
        f"{_ln_p_of(found['scored'])}: {found['log_probability_original']:.2f}",
    ]


def _ln_p_of(scored: str) -> str:
    from ..text.marks import printable

    shown = scored if len(scored) <= _SHOWN else f"{scored[:_SHOWN].rstrip()}…"
    return f"ln p of “{printable(shown)}”"


def _document(effect: Effect, scored: str) -> dict[str, Any]:
    compared = effect.comparison
    written = compared.detail["generation"]
    return {
        **compared.mask.to_dict(),
        "masked_text": compared.mask.masked_text(compared.operator),
        "operator": compared.operator,
        "answers": {"plain": written["original"], "masked": written["masked"]},
        "parts_at": written["parts_at"],
        "scored": scored,
        "tokens": compared.detail["tokens"],
        "log_probability_original": compared.detail["log_probability_original"],
        "log_probability_masked": compared.detail["log_probability_masked"],
        "kl": compared.kl,
        "reference": effect.control.reference(),
        "conclusion": effect.conclusion,
        "notice": compared.notice,
    }


def _answers(effect: Effect, scored: str) -> list[str]:
    from ..evidence.text.sentence import beside
    from ..text.marks import printable

    compared = effect.comparison
    written = compared.detail["generation"]
    before, after = (compared.detail[f"log_probability_{side}"] for side in ("original", "masked"))
    return [
        f"plain   {printable(written['original'])}",
        f"masked  {printable(written['masked'])}",
        f"{_ln_p_of(scored)}: {before:.2f}, masked {after:.2f}; KL {compared.kl:.3f}",
        f"chance  {beside(effect.control)}" if compared.mask.spans else "nothing was hidden",
    ]


def _rendering(seen: Rendering) -> dict[str, Any]:
    return {
        "text": seen.text,
        **({"date": seen.date} if seen.date else {}),
        "pieces": [
            {
                "turn": piece.turn + 1,
                "role": piece.role,
                "kind": piece.kind,
                "start": None if place is None else place[0],
                "end": None if place is None else place[1],
            }
            for piece, place in zip(seen.conversation.pieces, seen.stretches, strict=True)
        ],
        "notices": list(seen.notices),
    }


def _rendered_lines(seen: Rendering) -> list[str]:
    from ..text.marks import printable

    lines = [printable(line) for line in seen.text.split("\n")]
    places = [
        f"  turn {piece.turn + 1} ({piece.role}), {piece.kind}: "
        + ("not there" if place is None else f"{place[0]:,}–{place[1]:,}")
        for piece, place in zip(seen.conversation.pieces, seen.stretches, strict=True)
    ]
    return [*lines, "", *places, ""]
