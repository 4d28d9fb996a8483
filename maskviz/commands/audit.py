"""The command audit: what a strategy really hides, over a text or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import common
from .text import lines_of


@common.app.command("audit")
def audit_command(
    text: common.TextArgument = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="A file with a text in each line.")
    ] = None,
    strategies: Annotated[
        str, typer.Option("--strategies", "-s", help="One or several, a,b,c.")
    ] = "random,span",
    ratio: common.Ratio = None,
    seed: common.Seed = 0,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Count this model's tokens, too.")
    ] = None,
    operator: common.OperatorName = "mask",
    second: common.Second = None,
    second_seed: common.SecondSeed = 0,
    join: common.Join = "or",
    complement: common.Complement = False,
    unit: Annotated[
        str, typer.Option("--unit", help="What 'corrupt' draws for: token, word or span.")
    ] = "token",
    as_json: common.Json = False,
) -> None:
    """Check what strategies hide: ratios, 80/10/10, units cut in two, lengths, overlap."""
    from ..masks.audit import audit

    texts = lines_of(file) if file is not None else [common.read_text(text)]
    names = [name.strip() for name in strategies.split(",") if name.strip()]
    found = audit(
        texts, names, ratio=ratio, seed=seed, model=model, operator=operator, unit=unit,
        second=common.second_choice(second, second_seed), join=join, complement=complement,
    )  # fmt: skip
    lines = [f"{found.texts:,} texts, {found.left_out:,} without words left out", ""]
    for name, a in found.strategies.items():
        asked = "all matches" if a.requested_ratio is None else f"{a.requested_ratio:.1%}"
        lines.append(f"{name}: {a.realised_ratio:.2%} of {a.words:,} words (asked for {asked})")
        lines.append(f"  units partly hidden: {a.partly_hidden:,}")
        if a.tokens:
            split = ", ".join(f"{kind} {share:.1%}" for kind, share in a.split.items())
            lines.append(f"  {a.realised_token_ratio:.2%} of {a.tokens:,} tokens; {split}")
        if a.p_value is not None:
            lines.append(f"  span lengths against the truncated geometric: p = {a.p_value:.3g}")
    lines += [f"{a} and {b}: Jaccard {v:.3f}" for (a, b), v in found.overlap.items()]
    common.show(found.to_dict(), as_json, "\n".join(lines))
