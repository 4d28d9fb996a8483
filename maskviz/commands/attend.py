"""The command attend: the attention over a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ParameterError, TextError, UnknownNameError
from ..text.languages import language_of, said
from . import common

if TYPE_CHECKING:
    from ..attention.turns import Blocks
    from ..attention.view import View
    from ..masks import Mask
    from ..models import Model
    from ..text.conversation import Conversation


@dataclass(frozen=True)
class _Found:
    """What is written and told: a view, those a page switches between, and of which part it is."""

    shown: View
    part: str
    notice: str
    turns: Blocks | None = None
    beside: Mapping[str, View] = field(default_factory=dict)


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
    from ..attention import METHODS
    from ..attention.long_texts import is_long
    from ..attention.pairs import join_pair
    from ..figures.attention import render
    from ..masks.operators import usual_operator
    from ..models import load_model
    from ..paths import write_atomic
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
    how = operator or usual_operator(loaded)
    switches = strategy is not None and out is not None and out.suffix.lower() == ".html"
    whole = subject if strategy is None else subject.text
    if target is None and queries is None and is_long(loaded, whole, method):
        found = _long(loaded, subject, how, part, _place(head), switches)
    else:
        found = _whole(
            loaded, subject, how, switches and queries is None, spoken and spoken.prompt,
            method=method, part=part, target=target, queries=_numbers(queries),
        )  # fmt: skip
    common.notify(found.notice)
    shown, turns = found.shown, found.turns
    if out is not None:
        title, suffix = f"Attention of {loaded.name}", out.suffix.lower()
        page = render(
            shown, suffix, title=title, head=_place(head), inches=inches, beside=found.beside
        )
        write_atomic(out, page)
    layers, heads = shown.weights.shape[:2]
    result = {
        "model": loaded.name,
        "language": code,
        "method": method,
        "part": found.part,
        "layers": layers,
        "layer_numbers": [number + 1 for number in shown.numbers],
        "heads": heads,
        **({"block": shown.block} if shown.block > 1 else {}),
        "tokens": shown.columns.tokens,
        "queries": shown.tokens,
        "out": None if out is None else str(out),
        "notice": found.notice,
        **({} if turns is None else {"turns": turns.to_dict()}),
    }
    where = f", written to {out}" if out else "; give --out FILE.npz (or .html, .png) to keep it"
    over = "tokens" if shown.block == 1 else f"blocks of {shown.block} tokens"
    common.show(
        result,
        as_json,
        f"{layers} layers × {heads} head{'s' * (heads != 1)} over {len(shown.columns)} {over}"
        f"{where}." + ("" if turns is None else _blocks(turns)),
    )


def _whole(
    model: Model,
    subject: Mask | str,
    operator: str,
    switches: bool,
    spoken: Conversation | None,
    **given: Any,
) -> _Found:
    """Return the attention from token to token."""
    from ..attention import attend
    from ..attention.difference import arms
    from ..attention.turns import blocks
    from ..attention.view import view

    attention = attend(subject, model, operator, **given)
    beside = {}
    if switches and not isinstance(subject, str):
        given = {**given, "queries": None}
        beside = arms(attend(subject.text, model, **given), attention)
    shown = beside.get("masked") or view(attention)
    turns = None if spoken is None else blocks(attention, spoken)
    return _Found(shown, attention.part, attention.notice, turns, beside)


def _long(
    model: Model,
    subject: Mask | str,
    operator: str,
    part: str | None,
    head: tuple[int, int] | None,
    switches: bool,
) -> _Found:
    """Return the attention over a long text from block to block, of one layer or of all."""
    from ..attention import parts_of
    from ..attention.long_texts import read_long
    from ..attention.looking import SHOWS, Look, look_at, size_of
    from ..attention.turns import blocks_of, by_part
    from ..masks import Mask

    parts = parts_of(model)
    if part not in (None, *parts):
        raise UnknownNameError.of(f"part of {model.family!r}", part or "", parts)
    hidden = Mask(subject) if isinstance(subject, str) else subject
    show = "plain" if isinstance(subject, str) else "masked"
    layer = None if head is None else head[0]
    asked = Look(hidden.text, hidden, operator, show, part=parts[0], layer=layer)
    size = size_of(model, asked)
    read, kept = read_long(hidden.text, "mask", model), dict[Any, Any]()

    def keep(key: Any, make: Any) -> Any:
        if key not in kept:
            kept[key] = make()
        return kept[key]

    views = {
        name: look_at(model, replace(asked, show=name), keep=keep)
        for name in (SHOWS if switches else (show,))
    }
    turns = by_part(views[show].tokens)
    return _Found(
        views[show].tokens,
        parts[0],
        " ".join(filter(None, (size.notice, size.pooled, read.spelled))),
        None if turns is None else blocks_of(turns),
        {name: seen.tokens for name, seen in views.items()} if switches else {},
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
