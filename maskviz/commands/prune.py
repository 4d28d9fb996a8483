"""The command prune: heads that are silenced for good, in a folder of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ParameterError
from . import common


@common.app.command("prune")
def prune_command(
    model: common.ModelName = "mini",
    heads: Annotated[
        str,
        typer.Option("--heads", help="Heads to silence for good, layer.head from 1: 3.1,3.4."),
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write, which is not there yet.")
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", help="Rows that both are asked about.")
    ] = None,
    text_column: Annotated[
        str | None, typer.Option("--text-column", help="Column with the texts.")
    ] = None,
    label_column: Annotated[
        str | None, typer.Option("--label-column", help="Column with the labels, for accuracy.")
    ] = None,
    rows: Annotated[int, typer.Option("--rows", help="Of a file, the first.")] = 1_000,
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
    """Silence heads for good: write the model with their rows of the projection zero.

    The folder is an ordinary one, which transformers loads. Over a file stands what stays of the
    answers, and with a label column the accuracy before and after.
    """
    from ..data.hub import resolve
    from ..evidence.units.prune import prune, pruned_sentence
    from ..readings.question import asked

    if out is None:
        raise ParameterError("Nothing is written: name the folder, such as --out pruned.")
    if rows < 1:
        raise ParameterError(f"--rows is {rows} and must be 1 or more.")
    if file is None and (text_column or label_column):
        raise ParameterError("--text-column and --label-column are of a file: name it by --file.")
    put = asked(
        model,
        common.question_of(
            question, ask, model, prompt, choice, next_token, target, against, answer
        ),
    )
    path = None if file is None else resolve(file)
    found = prune(heads, out, put, path, text_column, label_column, rows)
    common.show(found.to_dict(), as_json, pruned_sentence(found))
