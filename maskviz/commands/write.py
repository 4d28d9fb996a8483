"""Commands that write text: translate and summarise."""

from __future__ import annotations

from typing import Annotated

import typer

from . import common
from .progress import Progress

Beams = Annotated[int, typer.Option("--beams", help="Beams of the search, 1 to 16.")]
Prefix = Annotated[
    str | None, typer.Option("--prefix", help="Words the model wants first, such as T5's.")
]


@common.app.command("translate")
def translate_command(
    text: common.TextArgument = None,
    language: common.Language = "",
    model: Annotated[
        str, typer.Option("--model", "-m", help="An encoder–decoder: bundled, folder or Hub name.")
    ] = "mini-translate",
    beams: Beams = 4,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", help="Most tokens written per sentence.")
    ] = None,
    prefix: Prefix = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="All of a text of more than 20,000 characters.")
    ] = False,
    as_json: common.Json = False,
) -> None:
    """Translate a text sentence by sentence; mini-translate turns English into French."""
    from ..readings import translate

    source, show = common.read_text(text), Progress("sentences")
    source = source if whole else _beginning(source)
    found = translate(
        source, model, num_beams=beams, max_new_tokens=max_tokens, prefix=prefix, progress=show
    )
    show.end()
    common.notify(found.notice)
    common.show(found.to_dict(), as_json, found.text)


def _beginning(text: str) -> str:
    """Return what is translated of a text; of a longer one, say how much it is."""
    from ..text.beginning import beginning
    from ..text.words import word_offsets

    read = beginning(text)
    if read != text:
        first, given = len(word_offsets(read)), len(word_offsets(text))
        common.notify(
            f"Translated are the first {first:,} of {given:,} words: --whole translates all."
        )
    return read


@common.app.command("summarise")
def summarise_command(
    text: common.TextArgument = None,
    language: common.Language = "",
    model: common.ModelName = "mini",
    sentences: Annotated[
        int, typer.Option("--sentences", "-n", help="How many sentences an encoder chooses.")
    ] = 1,
    beams: Beams = 4,
    max_tokens: Annotated[
        int, typer.Option("--max-tokens", help="Most tokens an encoder–decoder writes.")
    ] = 128,
    prefix: Prefix = None,
    as_json: common.Json = False,
) -> None:
    """Summarise a text: an encoder chooses sentences, an encoder–decoder writes its own."""
    from ..readings import summarise

    found = summarise(
        common.read_text(text), model, sentences,
        num_beams=beams, max_new_tokens=max_tokens, prefix=prefix,
    )  # fmt: skip
    common.notify(found.notice)
    common.show(found.to_dict(), as_json, found.text)
