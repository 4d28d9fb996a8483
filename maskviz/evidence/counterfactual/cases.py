"""Which of him and his a "her" stands for, and which of her and hers a "his" does.

By the part of speech of what comes next: a noun, or what leads to one, makes it a possessive, and
anything else does not. Where both can be read ("told her stories") there is no answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from .changes import table

OBJECT, POSSESSIVE, ALONE = "object", "possessive", "alone"
Token = tuple[str, str]  # the word in lower case, its universal part of speech


def _words(written: str) -> frozenset[str]:
    return frozenset(written.split())


# Verbs behind which a person and a thing may both stand.
_GIVING = _words("""
    ask asked asking bought bring bringing brings brought buy buying buys call called calling
    calls cost costs denied deny dub dubbed elect elected fed feed gave give given gives giving
    grant granted hand handed hands lend lent name named offer offered offering offers owe owed
    owes paid pay paying pays promise promised read send sending sends sent show showed showing
    shown shows taught teach teaches teaching tell telling tells told wished write wrote
""")
# Verbs behind which a person and what that person does may stand.
_PERCEIVING = _words("""
    catch catches catching caught feel feels felt find finding finds found get gets getting got
    had has have having hear heard hearing hears help helped helping helps imagine imagined keep
    keeping keeps kept leave leaves leaving left let lets letting made make makes making notice
    noticed saw see seeing seen sees spot spotted stop stopped want wanted watch watched watches
    watching
""")
# Verbs that are nouns too: what a person is made or seen to do.
_DOING = _words("""
    act answer blush breathe care change climb come cook cry dance dress drink drive drop fall
    feel fight glow grow hope jump kiss laugh lead leave lie look move pass play press push rest
    run sail scream shine shout sing sleep smile smoke speak stand start stay step stop struggle
    suffer swim talk think touch try turn understand visit wait wake walk want wish work write
""")
_WHEN = _words("""
    alone anymore better downstairs everyday friday monday more next personally saturday so
    sunday that this thursday today tomorrow tonight too tuesday twice upstairs wednesday
    whatever whenever wherever yesterday
""")
_SOMEBODY = _words("""
    agent baby boss cat child children colleague colleagues doctor dog ex family friend friends kid
    kids lawyer neighbour neighbours parents students teacher therapist
""")
_COMPANY = _words("""
    acquaintance admirer ally assistant buddy classmate client cousin critic disciple enemy fan
    follower mate partner pupil relation relative rival student teammate victim
""")
_STATES = _words("alive angry busy dead guilty mad proud sick")
_UTMOST = _words("best first last most utmost worst")
_LIKING = _words("hate hated like liked likes love loved loves met saw see seen")
_TIMES = _words("""
    afternoon evening month morning night spring summer time week winter year
""")
# Forms that are verbs and nothing else, whatever the tagger takes them for.
_PAST = _words("""
    arrived asked ate became began brought came did died drove fell gave got grew had happened
    has is kept knew lived looked made met moved recommended said sang sat saw seems sent spoke
    started stood thought told took turned visited wanted was went were worked wrote
""")
# Past forms that a tagger takes for nouns or adjectives.
_PAST_OR_NOUN = _words("""
    beat bent bet bit blew bore bound broke burst cast caught chose cost cut fed felt fled flew
    forgot fought found froze ground held hit hung hurt lay led left lent let lost met paid put quit
    ran rang read rode rose sank set shed shone shook shot shut slept sold sought spent split spread
    sprang stole struck stuck swam swept swore swung taught threw tore woke won wept wore wound
""")
_PRONOUNS = _words("her his its my our their your")
_QUOTES = _words(""" ' « » ‘ ’ “ ” „ " """)
_STOPS = _words('! " ( -- . : ; ? – — “ …')
_NOMINAL = _words("NOUN PROPN")
_BY = _words("& / and or")
_EITHER = _words("/ or")


def case_of(tokens: Sequence[Token], index: int) -> str | None:
    """Return OBJECT or POSSESSIVE of a "her", POSSESSIVE or ALONE of a "his"; None in doubt.

    >>> case_of([("saw", "VERB"), ("her", "PRON"), ("yesterday", "NOUN")], 1)
    'object'
    """
    word = tokens[index][0]
    other = OBJECT if word == "her" else ALONE
    before, led = tokens[index - 1] if index else ("", "")
    rest = tokens[index + 1 :]
    if len(rest) > 1 and rest[0][0] in _BY:
        both = rest[0][0] in _EITHER or rest[1][0] in {"his", "her", "their"} - {word}
        if rest[1][0] in _PRONOUNS and (both or word == "his"):  # his or her ticket
            return case_of([*tokens[:index], (word, "PRON"), *rest[2:]], index)
        return other
    begins = not index or before in _STOPS
    if rest and rest[0][0] in _QUOTES and len(rest) > 1:  # her "friend", but: told her "no"
        if word == "her" and before in _GIVING:
            return None
        rest = rest[1:]
    if word == "his" and before == "of" and rest and not _acts_elsewhere(tokens, index):
        acts = _acts_of(tokens[index - 2][0] if index > 1 else "", rest)
        if acts:
            return None if acts == "perhaps" else other
    found = _read(rest, word, before, other)
    if word == "her" and rest and led in ("ADP", "AUX") and rest[0][1] == "VERB":
        return None if rest[0][0].endswith("ing") and found != POSSESSIVE else POSSESSIVE
    if word == "her" and begins and found != POSSESSIVE and _nominal(rest[:1]):
        return POSSESSIVE  # nothing is done to a person where a sentence begins
    return found


def _acts_elsewhere(tokens: Sequence[Token], index: int) -> bool:
    """Tell whether the sentence around a "his" has a verb that is not the word behind it."""
    start = next((i + 1 for i in range(index - 1, -1, -1) if tokens[i][0] in _STOPS), 0)
    end = next((i for i in range(index, len(tokens)) if tokens[i][0] in _STOPS), len(tokens))
    around = [*tokens[start:index], *tokens[index + 2 : end]]
    return any(tag in ("VERB", "AUX") for _, tag in around)


def _acts_of(head: str, rest: Sequence[Token]) -> str:
    """Tell whether the word behind "HEAD of his" is the verb: "yes", "perhaps" or ""."""
    (text, tag), *more = rest
    if tag not in ("NOUN", "ADJ") or (more and more[0][1] == "NOUN"):
        return ""
    stems = {text, text.removesuffix("s"), text.removesuffix("es")}
    if text in _PAST_OR_NOUN or text.endswith("ed") or (_is_somebody(head) and stems & _DOING):
        return "yes"
    if _is_somebody(head) and more and more[0][1] in ("ADV", "DET", "PRON"):
        return "yes"  # cousins of his live here
    return "perhaps" if _is_somebody(head) or stems & _DOING else ""


def _is_somebody(word: str) -> bool:
    gendered = table("gender")
    names = _SOMEBODY | _COMPANY
    return bool({word, word.removesuffix("s")} & names) or word in {*gendered.forth, *gendered.back}


def _nominal(tokens: Sequence[Token]) -> bool:
    return bool(tokens) and tokens[0][1] in ("NOUN", "PROPN", "ADJ", "NUM", "VERB", "ADV")


def _read(rest: Sequence[Token], word: str, before: str, other: str) -> str | None:
    """Return the case by the tokens that follow and the word before."""
    window: list[Token] = [*rest[:5], ("", ""), ("", "")]
    first, more = window[0], window[1:]
    text, tag = first
    if text in ("own", "every") or (more[0][0] == "-" and more[1][0]):  # her all-time favourite
        return POSSESSIVE
    if text in _UTMOST:
        timed = before in _LIKING or more[0][0] in _TIMES
        return other if word == "her" and timed else POSSESSIVE
    if word == "his" and text == "all":
        return POSSESSIVE
    if word == "her" and text in ("home", "being"):
        return None
    if word == "her" and text in _STATES and not _leads_to_noun(more):
        return other
    if text in _PAST or (word == "her" and text in _WHEN):
        return other
    if tag in _NOMINAL or tag == "NUM":
        return _before_noun(first, more, word, before, other)
    if tag == "ADJ":
        return _before_adjective(more, word, before, other)
    if tag == "VERB":
        return _before_verb(text, more, word, before, other)
    if tag == "ADV" and more[0][1] in ("ADJ", "VERB") and _leads_to_noun(more):
        return POSSESSIVE
    return other


def _before_noun(
    first: Token, more: Sequence[Token], word: str, before: str, other: str
) -> str | None:
    if first[1] == "NUM" and not _leads_to_noun(more):
        return other
    if word == "her" and before in _PERCEIVING and first[0] in _DOING:
        return other
    gendered = table("gender")
    somebody = first[0] in _SOMEBODY or first[0] in gendered.forth or first[0] in gendered.back
    return None if word == "her" and before in _GIVING and not somebody else POSSESSIVE


def _before_adjective(more: Sequence[Token], word: str, before: str, other: str) -> str | None:
    if _leads_to_noun(more):
        return None if word == "her" and before in _GIVING else POSSESSIVE
    return other


def _before_verb(
    text: str, more: Sequence[Token], word: str, before: str, other: str
) -> str | None:
    participle = text.endswith(("ing", "ed", "en"))
    if word == "her" and before in _PERCEIVING:
        return other
    if participle and _leads_to_noun(more):
        return POSSESSIVE
    if participle and text.endswith("ing"):
        return None if word == "her" else POSSESSIVE
    return other


def _leads_to_noun(tokens: Sequence[Token]) -> bool:
    """Tell whether a noun follows, with adjectives before it at most."""
    for text, tag in tokens:
        if tag in _NOMINAL:
            return text not in _WHEN
        joins = tag in ("ADJ", "NUM") or text in ("and", ",", "-") or text in _QUOTES
        if not joins and not (tag == "VERB" and text.endswith(("ed", "en", "ing", "found"))):
            return False
    return False
