"""The command attend: the attention over a text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import TextError, UnknownNameError
from . import common


@common.app.command("attend")
def attend_command(
    text: common.TextArgument = None,
    model: common.ModelName = "mini",
    method: Annotated[
        str, typer.Option("--method", help="raw: the attention of each head.")
    ] = "raw",
    strategy: Annotated[
        str | None, typer.Option("--strategy", "-s", help="What to hide; without it, nothing.")
    ] = None,
    ratio: common.Ratio = None,
    seed: common.Seed = 0,
    operator: common.OperatorName = "mask",
    out: Annotated[
        Path | None, typer.Option("--out", help="FILE.npz, .json, .html, .png, .svg or .pdf")
    ] = None,
    types: common.Types = "",
    pattern: common.Pattern = "",
    words: common.Words = "",
    indices: common.Indices = "",
    pipeline: common.Pipeline = "",
    as_json: common.Json = False,
) -> None:
    """Capture the attention of every head over a text, plain or masked."""
    from ..attention import METHODS, attend
    from ..figures.attention import save_attention

    if method not in METHODS:
        raise UnknownNameError.of("attention method", method, METHODS)
    subject: Any = common.read_text(text)
    if strategy is not None:
        subject = common.chosen_mask(
            subject, strategy, ratio, seed,
            types=types, pattern=pattern, words=words, indices=indices,
            model=model, pipeline=pipeline,
        )  # fmt: skip
    elif not subject.strip():
        raise TextError("The text is empty: enter at least one word.")
    attention = attend(subject, model, operator)
    common.notify(attention.encoding.notice)
    if out is not None:
        save_attention(attention, out)
    result = {
        "model": attention.model,
        "method": method,
        "layers": attention.layers,
        "heads": attention.heads,
        "tokens": attention.tokens,
        "out": None if out is None else str(out),
        "notice": attention.encoding.notice,
    }
    where = f", written to {out}" if out else "; give --out FILE.npz (or .html, .png) to keep it"
    common.show(
        result,
        as_json,
        f"{attention.layers} layers × {attention.heads} heads over "
        f"{len(attention.tokens)} tokens{where}.",
    )
