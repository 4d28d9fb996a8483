"""Commands on what is hidden: mask and fill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DataError, ParameterError, UnknownNameError
from . import common

if TYPE_CHECKING:
    from ..masks import Encoding


@common.app.command("mask")
def mask_command(
    text: common.TextArgument = None,
    strategy: common.StrategyName = "random",
    ratio: common.Ratio = None,
    seed: common.Seed = 0,
    operator: common.OperatorName = "mask",
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Show the tokens this model reads.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="Mask each line of a file, as a stream.")
    ] = None,
    types: common.Types = "",
    pattern: common.Pattern = "",
    words: common.Words = "",
    indices: common.Indices = "",
    pipeline: common.Pipeline = "",
    mask_file: common.MaskFile = None,
    as_json: common.Json = False,
) -> None:
    """Hide words of a text and show what is left.

    With --file every line is a text of its own: one masked line each, or one JSON object a line.
    """
    options = {
        "types": types, "pattern": pattern, "words": words, "indices": indices,
        "model": model, "pipeline": pipeline,
    }  # fmt: skip
    if file is not None:
        for line in lines_of(file):
            result = _masked(line, strategy, ratio, seed, None, operator, model, options)
            common.show(result, as_json, result["masked_text"])
        return
    result = _masked(text, strategy, ratio, seed, mask_file, operator, model, options)
    common.notify(result.get("notice", ""))
    common.show(result, as_json, _mask_lines(result))


def _masked(
    text: str | None,
    strategy: str,
    ratio: float | None,
    seed: int,
    mask_file: Path | None,
    operator: str,
    model: str | None,
    options: dict[str, Any],
) -> dict[str, Any]:
    from ..masks import OPERATORS, apply

    if operator not in OPERATORS:
        raise UnknownNameError.of("operator", operator, OPERATORS)
    chosen = common.chosen_mask(text, strategy, ratio, seed, mask_file, **options)
    result = {**chosen.to_dict(), "operator": operator}
    result["masked_text"] = chosen.masked_text(operator)
    if operator in ("corrupt", "infill") and model is None:
        raise ParameterError(f"The operator {operator!r} asks a model: add --model mini.")
    if model is not None:
        encoding = apply(chosen, operator, model)
        if operator in ("corrupt", "infill"):
            result["masked_text"] = decoded(model, encoding)
        result |= {
            "tokens": encoding.tokens,
            "input_ids": encoding.input_ids,
            "attention_mask": encoding.attention_mask,
            "hidden": encoding.hidden,
            "notice": encoding.notice,
        }
    return result


def decoded(model: str, encoding: Encoding) -> str:
    """Return what the model reads as text, its special tokens at the ends left out."""
    from ..models import load_model

    ids = [i for i, s in zip(encoding.input_ids, encoding.special, strict=True) if not s]
    return load_model(model).tokenizer.decode(ids)


def lines_of(file: Path) -> Iterator[str]:
    """Yield the lines that hold text, one at a time."""
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as stream:
            for line in stream:
                if line.strip():
                    yield line.rstrip("\r\n")
    except OSError as error:
        raise DataError(f"{str(file)!r} cannot be read: {error.strerror}.") from None


def _mask_lines(result: dict[str, Any]) -> str:
    lines = [result["masked_text"], ""]
    lines += [f"  {span['text']!r}: {span['reason']}" for span in result["spans"]]
    ratio = result["realised_ratio"]
    return "\n".join([*lines, f"{ratio:.1%} of the words hidden ({result['strategy']})."])


@common.app.command("fill")
def fill_command(
    text: common.TextArgument = None,
    strategy: common.StrategyName = "random",
    ratio: common.Ratio = None,
    seed: common.Seed = 0,
    model: common.ModelName = "mini",
    top_k: Annotated[int, typer.Option("--top-k", "-k", help="Guesses per place.")] = 5,
    types: common.Types = "",
    pattern: common.Pattern = "",
    words: common.Words = "",
    indices: common.Indices = "",
    pipeline: common.Pipeline = "",
    mask_file: common.MaskFile = None,
    as_json: common.Json = False,
) -> None:
    """Show the model's guesses for what is hidden."""
    from ..masks import apply
    from ..models import fill

    chosen = common.chosen_mask(
        text, strategy, ratio, seed, mask_file,
        types=types, pattern=pattern, words=words, indices=indices,
        model=model, pipeline=pipeline,
    )  # fmt: skip
    fills = fill(chosen, model, top_k)
    notice = apply(chosen, "mask", model).notice
    common.notify(notice)
    rows = [
        {
            "start": f.start,
            "end": f.end,
            "text": f.text,
            "candidates": [vars(c) for c in f.candidates],
        }
        for f in fills
    ]
    lines = [chosen.masked_text(), ""]
    for f in fills:
        guesses = ", ".join(f"{c.token} {c.probability:.1%}" for c in f.candidates)
        lines.append(f"  {f.text}: {guesses}")
    common.show({**chosen.to_dict(), "fills": rows, "notice": notice}, as_json, "\n".join(lines))
