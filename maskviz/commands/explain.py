"""The command explain: a score for each word."""

from __future__ import annotations

from typing import Annotated

import typer

from . import common


@common.app.command("explain")
def explain_command(
    text: common.TextArgument = None,
    model: common.ModelName = "mini",
    method: Annotated[
        str, typer.Option("--method", help="occlusion: hide each word.")
    ] = "occlusion",
    label: Annotated[
        str | None, typer.Option("--label", help="Explain this label, not the predicted one.")
    ] = None,
    as_json: common.Json = False,
) -> None:
    """Score each word by how much the model's answer rests on it."""
    from ..evidence import explain

    found = explain(common.read_text(text), model, method, label)
    common.notify(found.notice)
    lines = [f"{found.label} {found.probability:.1%}", ""]
    lines += [f"{word.score:+.3f}  {word.text}" for word in found.words]
    common.show(found.to_dict(), as_json, "\n".join(lines))
