"""Where sentences end by their marks alone, for languages without a pipeline.

A sentence ends behind its marks (. ! ? … and those of other scripts) and the closing marks after
them; an opening mark („ 「 ¿ ¡ 《 () belongs to the next one. A Latin full stop ends a sentence
only where space and then no small letter follows, and not behind an initial, a short form or an
ordinal; the marks of scripts without capital letters end it where they stand. A paragraph ends one
too. In languages that break no line inside a sentence each line does: Thai has no other mark.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from ..short_forms import goes_on

# What ends one wherever it stands: Unicode's Sentence_Terminal but for the Latin marks, the comma
# of Burmese and the full stop of 3．5; with marks of Tibetan, Khmer and Armenian.
_OWN = "。！？｡؟؝؞۔।॥။។៕៖།༎༏።፧፨՜՞։܀܁܂߹࠷࠹࠽࠾᙮᜵᜶᠃᠉᥄᥅᪨᪩᪪᪫᭎᭏᭚᭛᭞᭟᭽᭾᭿᰻᰼᱾᱿⳹⳺⳻⸮⸼꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱ꫯ︒︕︖﹖﹗"
_LATIN = ".!?…‽⁇⁈⁉"
_CLOSING = "\"'”’»›）)」』】》〉］]｝}〕﹂﹄"
_OPENING = "\"'„‚“‘«‹「『《〈【（([｛{〔¿¡﹁﹃-–—"
_END = re.compile(
    # Behind Latin marks a quotation mark without space before it closes, whichever it is: „So!“
    f"(?:(?P<latin>[{re.escape(_LATIN)}]+)[“‘«‹]*|[{_OWN}][{re.escape(_OWN + _LATIN)}]*)"
    f"(?P<closed>[{re.escape(_CLOSING)}]*)(?:[ \u00a0\u202f][»›](?![^\\W\\d]))?"
)
_SAYS = re.compile(r"[,，]?(?:[\u4e00-\u9fff]{0,8}[问問说說道喊叫答想]|と|って|に|など)")
_LINES = frozenset(("th", "lo", "km", "my", "zh", "ja"))
_WORD_BEFORE = re.compile(r"([^\W\d_]+|\d+)$")
_LONGEST = 24  # characters before a full stop in which the word before it is looked for
# fmt: off
_SHORT = frozenset((
    "abb", "abs", "art", "aug", "av", "bd", "bes", "betr", "bzw", "ca", "cf", "col", "dec", "dez",
    "dipl", "dña", "dott", "dr", "dra", "dt", "ebd", "ed", "etc", "evtl", "feb", "ff", "fig", "fr",
    "geb", "gen", "ggf", "hl", "hr", "hrsg", "ing", "inkl", "jan", "jg", "jh", "kap", "lic", "mgr",
    "mio", "mm", "mme", "mr", "mrd", "mrs", "nov", "nr", "núm", "nº", "okt", "pág", "prof", "rev",
    "sen", "sept", "sig", "sog", "sr", "sra", "srta", "st", "str", "tab", "tel", "ud", "uds", "usf",
    "usw", "vgl", "vol", "vs", "zb", "гг", "им", "млн", "млрд", "проф", "руб", "см", "стр", "тыс",
    "ул", "акад",
))
_COUNTED = frozenset((  # behind an ordinal
    "januar", "jänner", "februar", "märz", "april", "mai", "juni", "juli", "august", "september",
    "oktober", "november", "dezember", "jahrhundert", "jahrhunderts", "geburtstag", "klasse",
    "stock", "mal", "weltkrieg", "platz", "januari", "februari", "mars", "maj", "marts", "desember",
))
# fmt: on


def sentence_offsets(
    text: str, language: str | None = None, borders: Iterable[int] = ()
) -> list[tuple[int, int]]:
    """Return the (start, end) of each sentence, without the space around it.

    borders: places where a paragraph begins.

    >>> text = "他走了。“为什么？”她问。"
    >>> [text[a:b] for a, b in sentence_offsets(text, "zh")]
    ['他走了。', '“为什么？”她问。']
    """
    cuts = {0, len(text), *borders, *_ends(text)}
    if language in _LINES:
        cuts.update(match.end() for match in re.finditer(r"\n", text))
    return _with_words(text, sorted(cuts), frozenset(borders))


def _ends(text: str) -> Iterator[int]:
    for match in _END.finditer(text):
        after = text[match.end() : match.end() + _LONGEST]
        if match["latin"]:
            if _latin_ends(text, match, after):
                yield match.end()
        elif not (match["closed"] and _SAYS.match(after)):  # “…？”她问
            yield match.end()


def _latin_ends(text: str, match: re.Match[str], after: str) -> bool:
    """Tell whether Latin marks end a sentence: space and no small letter follow."""
    if not after.strip():
        return True
    if not (after[0].isspace() or after[0] in _OPENING[2:] or _is_unspaced(after[0])):
        return False
    first = after.lstrip(_OPENING + string.whitespace + "\u00a0\u202f")[:1]
    if first.islower():
        return False
    short = _is_short(text, match.start()) or goes_on(text, match.end())
    return match["latin"] != "." or not short


def _is_unspaced(character: str) -> bool:
    return "\u3040" <= character <= "\u9fff"


def _is_short(text: str, place: int) -> bool:
    """Tell whether the full stop at `place` stands behind an initial, a short form, an ordinal."""
    before = _WORD_BEFORE.search(text[max(0, place - _LONGEST) : place])
    if before is None:
        return False
    word = before[1]
    if word.isdigit():
        if len(word) < 3 and text[: place - len(word)][-1:] in ("", "\n"):
            return True  # of a list item
        after = re.match(r"\.\s+([^\W\d_]+)", text[place : place + _LONGEST])
        return bool(after and after[1].lower() in _COUNTED)
    cased = word.isupper() or word.islower()  # in Arabic a mark parts the last letter from its word
    return (len(word) == 1 and cased and word != "I") or word.lower() in _SHORT


def _with_words(text: str, cuts: Sequence[int], borders: frozenset[int]) -> list[tuple[int, int]]:
    """Return the stretches between cuts; one without a letter or digit joins the one before it."""
    found: list[tuple[int, int]] = []
    for start, end in pairwise(cuts):
        piece = text[start:end]
        if not piece.strip():
            continue
        edges = (start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()))
        wordless = not any(map(str.isalnum, piece))
        if found and wordless and start not in borders:
            found[-1] = (found[-1][0], edges[1])
        else:
            found.append(edges)
    return found
