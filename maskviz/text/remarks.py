"""What a person should know of how a text's language was read, each in one sentence."""

from __future__ import annotations

from collections.abc import Iterable

from .document import Document
from .languages import language_name, missing
from .pipelines import BUNDLED, how_to_get

_NO_MARKS = "Thai has no marks at the end of a sentence: each line counts as one."


def remarks(document: Document, needs: Iterable[str] = ()) -> list[str]:
    """Return a sentence for each thing that the text's language lacks here.

    needs: what the strategies run on, as `Strategy.needs`.
    """
    code = document.language
    found = [missing(code)]
    if "pipeline" in needs:
        found += [_pipeline(document), _NO_MARKS if code == "th" and not document.read_by else ""]
    return [sentence for sentence in found if sentence]


def _pipeline(document: Document) -> str:
    code = document.language
    if code is None and document.read_by == BUNDLED and document.found.script:
        return (
            "The language of this text cannot be told, and it is read as English: say which it is "
            "by 'language'."
        )
    if document.read_by:
        return ""
    name = language_name(code) if code else "its language"
    return (
        f"No spaCy pipeline of {name} is installed: sentences go by their marks, and names by word "
        f"lists where there are any; {how_to_get(code)}."
    )


def language_line(document: Document) -> str:
    """Return the language of a text, and what reads it, in one line.

    >>> language_line(Document("The film is about the war, and it was good."))
    'Language: English (found), read by en_mini.'
    """
    how = f"read by {document.read_by}" if document.read_by else "no pipeline is installed for it"
    return f"Language: {document.found.sentence}, {how}."
