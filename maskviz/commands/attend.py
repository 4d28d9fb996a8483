"""The command attend: the attention over a text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ParameterError, TextError, UnknownNameError
from ..text.languages import language_of, said
from . import common

if TYPE_CHECKING:
    from ..attention.turns import Blocks


@common.app.command("attend")
def attend_command(
    text: common.TextArgument = None,
    conversation: common.ConversationFile = None,
    model: common.ModelName = "mini",
    method: Annotated[
        str, typer.Option("--method", help="raw, mean, rollout, flow, norm, relevance or uniform.")
    ] = "raw",
    part: Annotated[
        str | None, typer.Option("--part", help="encoder, decoder or cross, of an encoder–decoder.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="What the decoder reads; without it, its own.")
    ] = None,
    pair: Annotated[
        str | None, typer.Option("--pair", help="A second text, read as a pair with the first.")
    ] = None,
    queries: Annotated[
        str | None,
        typer.Option("--queries", help="Tokens that flow is followed from, such as 3,4; from 1."),
    ] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", "-s", help="What to hide; without it, nothing.")
    ] = None,
    ratio: common.Ratio = None,
    seed: common.Seed = 0,
    operator: Annotated[
        str,
        typer.Option(
            "--operator",
            "-o",
            help="How it is hidden; without: mask, or delete where the model has no mask token.",
        ),
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="FILE.npz, .json, .html, .png, .svg or .pdf")
    ] = None,
    head: Annotated[
        str | None, typer.Option("--head", help="Only this head of a picture: 2.3, layer 2 head 3.")
    ] = None,
    inches: Annotated[
        float | None, typer.Option("--inches", help="Width of a .png, .svg or .pdf.")
    ] = None,
    types: common.Types = "",
    pattern: common.Pattern = "",
    words: common.Words = "",
    indices: common.Indices = "",
    pipeline: common.Pipeline = "",
    language: common.Language = "",
    tagger: common.Tagger = "",
    as_json: common.Json = False,
) -> None:
    """Capture the attention over a text, plain or masked: of every head, or what a method makes."""
    from ..attention import METHODS, attend
    from ..attention.pairs import join_pair
    from ..attention.turns import blocks
    from ..figures.attention import save_attention
    from ..masks.operators import usual_operator
    from ..models import load_model
    from ..readings.question import asked

    if method not in METHODS:
        raise UnknownNameError.of("attention method", method, METHODS)
    spoken = common.read_spoken(conversation, text)
    if spoken is not None and pair is not None:
        raise ParameterError("A conversation is no pair of texts: leave --pair out.")
    subject: Any = common.read_text(text) if spoken is None else spoken.prompt.text
    if not subject.strip() and pair is None and strategy is None:
        raise TextError("The text is empty: enter at least one word.")
    loaded = load_model(model)
    code = language_of(subject, said()).code
    if spoken is not None:
        loaded = asked(loaded, {"name": "next", "conversation": spoken}).model
    if pair is not None:
        subject = join_pair(subject, pair, loaded)
    if strategy is not None:
        subject = common.chosen_mask(
            subject if spoken is None else spoken.prompt, strategy, ratio, seed,
            types=types, pattern=pattern, words=words, indices=indices,
            model=loaded, pipeline=pipeline, tagger=tagger,
        )  # fmt: skip
    attention = attend(
        subject, loaded, operator or usual_operator(loaded),
        method=method, part=part, target=target, queries=_numbers(queries),
    )  # fmt: skip
    common.notify(attention.notice)
    turns = None if spoken is None else blocks(attention, spoken.prompt)
    if out is not None:
        plain = None
        if strategy is not None and queries is None and out.suffix.lower() == ".html":
            plain = attend(subject.text, loaded, method=method, part=part, target=target)
        save_attention(attention, out, head=_place(head), inches=inches, plain=plain)
    result = {
        "model": attention.model,
        "language": code,
        "method": method,
        "part": attention.part,
        "layers": attention.layers,
        "layer_numbers": [number + 1 for number in attention.numbers],
        "heads": attention.heads,
        "tokens": attention.tokens,
        "queries": attention.queries,
        "out": None if out is None else str(out),
        "notice": attention.notice,
        **({} if turns is None else {"turns": turns.to_dict()}),
    }
    where = f", written to {out}" if out else "; give --out FILE.npz (or .html, .png) to keep it"
    common.show(
        result,
        as_json,
        f"{attention.layers} layers × {attention.heads} head{'s' * (attention.heads != 1)} over "
        f"{len(attention.tokens)} tokens{where}." + ("" if turns is None else _blocks(turns)),
    )


def _blocks(turns: Blocks) -> str:
    """Return where the attention of each turn goes, a line each."""
    lines = ["", "", f"{'from':14}" + "".join(f"{name:>14}" for name in turns.groups)]
    for name, row in zip(turns.groups, turns.shares.tolist(), strict=True):
        lines.append(f"{name:14}" + "".join(f"{value:>14.1%}" for value in row))
    return "\n".join(lines)


def _numbers(written: str | None) -> tuple[int, ...] | None:
    """Read `3,4`, tokens counted from 1, as (2, 3)."""
    if written is None:
        return None
    parts = [part.strip() for part in written.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ParameterError(f"--queries is {written!r} and must be token numbers, such as 3,4.")
    return tuple(int(part) - 1 for part in parts)


def _place(written: str | None) -> tuple[int, int] | None:
    """Read `2.3`, counted from 1, as (1, 2)."""
    if written is None:
        return None
    parts = written.split(".")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ParameterError(f"--head is {written!r} and must be layer and head, such as 2.3.")
    return int(parts[0]) - 1, int(parts[1]) - 1
