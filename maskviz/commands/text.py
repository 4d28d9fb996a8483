"""Commands on what is hidden: mask and fill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DataError, ParameterError, UnknownNameError
from ..text.specials import specials_in
from . import common

if TYPE_CHECKING:
    from ..masks import Encoding, Mask
    from ..models import Model
    from ..text.conversation import Conversation


@common.app.command("mask")
def mask_command(
    text: common.TextArgument = None,
    conversation: common.ConversationFile = None,
    strategy: common.StrategyName = "random",
    ratio: common.Ratio = None,
    seed: common.Seed = 0,
    operator: common.OperatorName = "mask",
    unit: common.Unit = "token",
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
    by: common.By = "",
    data: common.DataFile = "",
    spans: common.Spans = "",
    threshold: common.Threshold = None,
    surprisal: common.Surprisal = None,
    second: common.Second = None,
    second_seed: common.SecondSeed = 0,
    join: common.Join = "or",
    complement: common.Complement = False,
    pipeline: common.Pipeline = "",
    language: common.Language = "",
    tagger: common.Tagger = "",
    mask_file: common.MaskFile = None,
    as_json: common.Json = False,
) -> None:
    """Hide words of a text and show what is left.

    With --file every line is a text of its own: one masked line each, or one JSON object a line.
    Line i takes the seed + i; a line without a word stays as it is.
    """
    options: dict[str, Any] = {
        "types": types, "pattern": pattern, "words": words, "indices": indices, "by": by,
        "data": data, "threshold": threshold, "surprisal": surprisal, "model": model,
        "pipeline": pipeline, "tagger": tagger, "spans": spans,
    }  # fmt: skip
    other = common.second_choice(second, second_seed)
    spoken = common.read_spoken(conversation, text, mask_file)
    as_read = AsRead(operator, unit, model, spoken)
    if file is not None:
        from .stream import masked_lines

        if mask_file is not None or text is not None or spoken is not None:
            raise ParameterError(
                "--file masks the lines of a file: leave the text, --conversation and --mask out."
            )
        for chosen in masked_lines(file, strategy, ratio, seed, complement, other, join, **options):
            line = as_read.result(chosen) if as_json else {}
            common.show(line, as_json, "" if as_json else as_read.text(chosen))
        return
    chosen = common.chosen_mask(
        text if spoken is None else spoken.prompt,
        strategy, ratio, seed, mask_file, complement, other, join, **options,
    )  # fmt: skip
    result = as_read.result(chosen)
    common.notify(result.get("notice") or specials_in(chosen.text))
    common.show(result, as_json, _mask_lines(result))


@dataclass(frozen=True)
class AsRead:
    """How a mask is shown: under an operator, and as the tokens of a model where one is named."""

    operator: str
    unit: str
    model: str | None
    spoken: Conversation | None = None

    def __post_init__(self) -> None:
        from ..masks import OPERATORS
        from ..masks.operators import UNITS

        if self.operator not in OPERATORS:
            raise UnknownNameError.of("operator", self.operator, OPERATORS)
        if self.unit not in UNITS:
            raise UnknownNameError.of("unit", self.unit, UNITS)
        if self._of_model and self.model is None:
            raise ParameterError(f"The operator {self.operator!r} asks a model: add --model mini.")

    @property
    def _of_model(self) -> bool:
        return self.operator in ("corrupt", "infill")

    def text(self, chosen: Mask) -> str:
        """Return the masked text."""
        if self.model is None or not self._of_model:
            return chosen.masked_text(self.operator)
        return decoded(self.loaded, self._encoding(chosen))

    def result(self, chosen: Mask) -> dict[str, Any]:
        """Return the JSON-ready result."""
        result = {**chosen.to_dict(), "operator": self.operator}
        result["masked_text"] = chosen.masked_text(self.operator)
        if self.spoken is not None:
            result["turns"] = _turns(self.spoken.prompt, chosen)
            result["conversation"] = self.spoken.prompt.to_dict()
        if self.model is None:
            return result
        encoding = self._encoding(chosen)
        if self._of_model:
            result["masked_text"] = decoded(self.loaded, encoding)
        return result | {
            "tokens": encoding.tokens,
            "input_ids": encoding.input_ids,
            "attention_mask": encoding.attention_mask,
            "hidden": encoding.hidden,
            "notice": encoding.notices,
        }

    def _encoding(self, chosen: Mask) -> Encoding:
        from ..masks import apply

        return apply(chosen, self.operator, self.loaded, unit=self.unit)

    @cached_property
    def loaded(self) -> Model:
        """The model that is named."""
        from ..models import load_model
        from ..readings.question import asked

        if self.spoken is not None:
            return asked(self.model or "mini", {"name": "next", "conversation": self.spoken}).model
        return load_model(self.model or "mini")


def _turns(spoken: Conversation, chosen: Mask) -> list[dict[str, Any]]:
    """Return where each turn's texts stand, and how many of its words are hidden."""
    hidden = [chosen.words[i][0] for i in chosen.hidden_words]
    return [
        {
            "turn": piece.turn + 1,
            "role": piece.role,
            "kind": piece.kind,
            "start": piece.start,
            "end": piece.end,
            "hidden_words": sum(piece.start <= at < piece.end for at in hidden),
        }
        for piece in spoken.pieces
    ]


def decoded(model: Model, encoding: Encoding) -> str:
    """Return what the model reads as text, its special tokens at the ends left out."""
    added = (s and not typed for s, typed in zip(encoding.special, encoding.typed, strict=True))
    ids = [i for i, is_added in zip(encoding.input_ids, added, strict=True) if not is_added]
    return model.tokenizer.decode(ids)


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
    by: common.By = "",
    data: common.DataFile = "",
    threshold: common.Threshold = None,
    surprisal: common.Surprisal = None,
    complement: common.Complement = False,
    pipeline: common.Pipeline = "",
    language: common.Language = "",
    tagger: common.Tagger = "",
    mask_file: common.MaskFile = None,
    as_json: common.Json = False,
) -> None:
    """Show the model's guesses for what is hidden."""
    from ..masks import apply
    from ..models import load_model
    from ..readings import fill

    loaded = load_model(model)
    chosen = common.chosen_mask(
        text, strategy, ratio, seed, mask_file, complement,
        types=types, pattern=pattern, words=words, indices=indices, by=by, data=data,
        threshold=threshold, surprisal=surprisal, model=loaded, pipeline=pipeline, tagger=tagger,
    )  # fmt: skip
    fills = fill(chosen, loaded, top_k)
    notice = apply(chosen, "mask", loaded).notices
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
