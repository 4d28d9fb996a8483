"""The attributes of people: age, gender, nationality, religion, names, pronouns.

Each category is a word list in `lexicons/`, one of English and in a folder each those of Chinese,
German, French and Spanish, which a user may replace by a file of the same name in
`MASKVIZ_HOME/lexicons`, or add for another language. Names also take the PERSON entities of the
spaCy pipeline. In a text of another script the words in Latin letters are looked up in English.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from ..errors import LanguageError, UnknownNameError
from ..text.ages import PEOPLE, ages_behind
from ..text.document import Document
from ..text.languages import language_name
from .listed import has_list, matches
from .registry import Parameter, capped, strategy
from .spans import MaskSpan, cut

_BEHIND = "tells age (behind the name of a person)"
CATEGORIES = ("age", "gender", "nationality", "religion", "names", "pronouns")


@strategy(
    "attribute",
    "exhaustive",
    "Hides what tells who a person is: age, gender, nationality, religion, names, pronouns.",
    needs=frozenset({"pipeline"}),
    parameters=(
        Parameter("types", "choices", (), "categories; empty: all", CATEGORIES),
        Parameter(
            "tagger", "text", "", "a token-classification model that finds names as well",
            folded=True,
        ),
    ),
)  # fmt: skip
def attributes(
    document: Document,
    ratio: float | None,
    rng: random.Random,
    *,
    types: Iterable[str] = (),
    tagger: str = "",
) -> list[MaskSpan]:
    """Choose words of the given categories; each span carries its category as label.

    Names are those of the list, of the pipeline and of the tagger. Raises LanguageError where there
    is neither a list of the text's language nor, for names, a pipeline or a tagger; ModelError.
    """
    wanted = [name.strip().lower() for name in types] or list(CATEGORIES)
    for name in wanted:
        if name not in CATEGORIES:
            raise UnknownNameError.of("attribute", name, CATEGORIES)
    names = [name for name in CATEGORIES if name in wanted]
    found = _tagged(document, tagger) if tagger and "names" in names else []
    language = _listed(document, names, bool(tagger))
    hits = [hit for name in names for hit in _category(document, name, language)] + found
    return capped(document, _longest_first(hits, rest=language != "en"), ratio, rng)


def _tagged(document: Document, tagger: str) -> list[MaskSpan]:
    """Return the people whom a token-classification model finds; one that knows none is refused."""
    from .tagging import load_tagger, tagged

    types = load_tagger(tagger).types
    if types.isdisjoint(PEOPLE):
        raise UnknownNameError.of("type of a name", PEOPLE[-1], sorted(types))
    return [
        MaskSpan(start, end, "name of a person (model)", p, "names")
        for start, end, kind, p in tagged(document.text, tagger)
        if kind in PEOPLE
    ]


def _listed(document: Document, names: Iterable[str], tagged: bool = False) -> str:
    """Return the language whose lists are read; English for a text that does not tell its own."""
    code = document.language
    if code is None and document.found.script in ("", "Latin"):
        return "en"
    code = code or ""
    if any(has_list(name, code) for name in names) or (
        (document.read_by or tagged) and "names" in names
    ):
        return code
    raise LanguageError(
        f"The strategy 'attribute' has no word lists of {language_name(document.language)}, the "
        "language of this text: put your own into the folder 'lexicons/"
        f"{code or 'CODE'}' of maskviz's folder, or choose another strategy, such as pattern."
    )


def _category(document: Document, name: str, language: str) -> list[MaskSpan]:
    reason = {"names": "a given name", "pronouns": "a gendered pronoun"}.get(name, f"tells {name}")
    if name == "names" and language != "en":
        reason = "name of a person"
    text = document.spaced
    hits = [
        MaskSpan(*text.original(start, end), f"{reason} (word list)", None, name)
        for start, end in matches(text.text, name, language)
    ]
    people = [e for e in document.entities if e.label in PEOPLE] if name in ("age", "names") else ()
    if name == "names":
        hits += [MaskSpan(e.start, e.end, "name of a person (entity)", None, name) for e in people]
    if name == "age":
        ends = {e.end for e in people}
        if language != "en" and has_list("names", language):
            ends |= {text.original_end(end) for _, end in matches(text.text, "names", language)}
        hits += [
            MaskSpan(*text.original(age.start, age.end), _BEHIND, None, name)
            for age in ages_behind(text.lines)
            if text.original_end(age.name_end) in ends
        ]
    return hits


def _longest_first(hits: list[MaskSpan], rest: bool = False) -> list[MaskSpan]:
    """Drop hits that overlap a longer one; the earlier category wins between equals.

    rest: what a shorter one has beside the longer is kept.
    """
    taken: set[int] = set()
    kept = []
    for hit in sorted(hits, key=lambda h: h.start - h.end):
        if taken.isdisjoint(range(hit.start, hit.end)):
            kept.append(hit)
        elif rest:
            kept += cut([hit], frozenset(taken))
        else:
            continue
        taken.update(range(hit.start, hit.end))
    return sorted(kept, key=lambda h: h.start)
