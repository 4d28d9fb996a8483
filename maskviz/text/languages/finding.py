"""Which language a text is in: by its script, and within a script by py3langid.

Most scripts are of one language. Han is Japanese where kana, or characters that Japan alone
simplified so, stand among it, else Chinese: Cantonese and Wu are read as Chinese. Within the Latin,
Cyrillic, Arabic and Devanagari scripts py3langid (https://github.com/adbar/py3langid) gives a
probability for each language. Below `FLOOR` nothing is said: of 306 example sentences of spaCy's
in 39 languages 251 lie above it, 249 of them right (`benchmarks/languages.py`); at 0.6 it would be
261 of 267. Where English words written small stand around names of another language, nothing is
said either. Siblings that one sentence rarely tells apart (Bosnian, Croatian, Serbian in Latin
letters) reach it together: the two that are wrong are Croatian, taken for its siblings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

from .known import folded, language_name
from .scripts import dominant_script, script_name, words_by_script

FLOOR = 0.7
# fmt: off
_OF_SCRIPT = {
    "Greek": "el", "Armenian": "hy", "Hebrew": "he", "Bengali": "bn", "Gurmukhi": "pa",
    "Gujarati": "gu", "Odia": "or", "Tamil": "ta", "Telugu": "te", "Kannada": "kn",
    "Malayalam": "ml", "Sinhala": "si", "Thai": "th", "Lao": "lo", "Tibetan": "bo",
    "Burmese": "my", "Georgian": "ka", "Hangul": "ko", "Ethiopic": "am", "Khmer": "km",
    "Kana": "ja",
}
_CANDIDATES = {
    "Latin": (
        "af", "az", "bs", "ca", "cs", "cy", "da", "de", "en", "es", "et", "eu", "fi", "fr", "ga",
        "gl", "hr", "hu", "id", "is", "it", "ku", "lb", "lt", "lv", "ms", "mt", "nl", "nn", "no",
        "pl", "pt", "ro", "sk", "sl", "sq", "sr", "sv", "sw", "tl", "tr", "uz", "vi",
    ),
    "Cyrillic": ("be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "tg", "tt", "uk"),
    "Arabic": ("ar", "fa", "ku", "ps", "ug", "ur"),
    "Devanagari": ("hi", "mr", "ne"),
}
# fmt: on
_SIBLINGS = (frozenset(("bs", "hr", "sr")),)
# Simplified in Japan alone: neither the Chinese simplified form nor the traditional one.
_JAPANESE = frozenset(
    "気駅読売円図広単変帰検験戦対応栄経済総続絵継縁縦芸薬蔵覚観訳軽転遅鉄銭録関闘険隠雑霊静顕駆騒髪"
    "黒黙齢亜仏伝価児処剣勧勲厳収圏塩増壊壱奥姫実寛専巣帯庁廃弐弾従徳徴恵悩悪懐戯払抜択拝拠拡捜掲揺"
    "摂暁暦桜楽様権歓歩歯歳残殴毎沢浄渇渉渋渓滝滞犠猟獣畳発穂穏粋粛緒縄繊翻聴脳臓舎荘蛍蛮衛装謡譲豊"
    "賛践辺遥酔醸釈鉱鋳錬陥随頼顔髄鶏込峠畑辻枠栃働匂塀搾"
)
_KANA_SHARE = 0.05  # of Han and kana: a Chinese text may name a Japanese film
_SAMPLE = 3000  # characters that are looked at
_FEWEST = 12  # letters without marks that say anything of a language in the Latin script
_WORD = re.compile(r"[A-Za-z']+")
# Words of English that are hardly any other language's: a text full of them needs no model.
# fmt: off
_ENGLISH = frozenset((
    "about", "all", "and", "an", "are", "because", "been", "but", "could", "don't", "for", "from",
    "had", "has", "have", "he", "his", "i", "i'm", "in", "into", "is", "it", "it's", "my", "not",
    "of", "one", "or", "our", "she", "should", "than", "that", "the", "their", "them", "then",
    "there", "they", "this", "very", "was", "we", "were", "what", "when", "where", "which", "who",
    "with", "would", "you", "your",
))
_OTHERS = frozenset((
    "an", "de", "der", "di", "die", "een", "el", "en", "et", "had", "het", "i", "il", "in", "is",
    "la", "le", "och", "og", "que", "und", "was",
))
# fmt: on
_PLAINLY = 0.2  # of the words
_NAMED = re.compile(r"[^\W\d_]*[A-ZÀ-ÖØ-ÞĀ-ɏ]\S*|\S*\d\S*")  # words with a capital or a figure
_HINTED = 0.3
_lock = Lock()


@dataclass(frozen=True)
class Finding:
    """The language of a text.

    code: ISO 639-1, None where it cannot be told. probability: in [0, 1]. by: `script`, `words`,
    `model`, `given` by the user, or "" where nothing is found. script: that of most words.
    """

    code: str | None
    probability: float = 1.0
    by: str = ""
    script: str = ""

    @property
    def sentence(self) -> str:
        """The language in words, with how it is known.

        >>> Finding("de", 0.973, "model", "Latin").sentence
        'German (found, 97 %)'
        """
        if self.by == "given":
            return f"{language_name(self.code)} (as given)"
        if self.code is None:
            return "cannot be told" if self.script else "none: there are no letters"
        sure = f", {100 * self.probability:.0f} %" if self.by == "model" else ""
        return f"{language_name(self.code)} (found{sure})"


def language_of(text: str, given: str = "") -> Finding:
    """Return the language of a text: the one that is given, else the one that is found.

    >>> language_of("这部电影很好").code, language_of("12 345").code
    ('zh', None)
    """
    if given:
        return Finding(given, 1.0, "given", dominant_script(text[:_SAMPLE]))
    return _found(text[:_SAMPLE])


@lru_cache(maxsize=4096)
def _found(text: str) -> Finding:
    if text.isascii() and (share := _english_share(text)) >= _PLAINLY:
        return Finding("en", min(1.0, 0.9 + share / 5), "words", "Latin")
    script = dominant_script(text)
    if script == "Han":
        return Finding(han_language(text), 1.0, "script", script)
    if script in _OF_SCRIPT:
        return Finding(_OF_SCRIPT[script], 1.0, "script", script)
    if script not in _CANDIDATES:
        return Finding(None, 0.0, "", script)
    own = "".join(c if script_name(c) in (script, "") else " " for c in text)
    if script == "Latin" and own.isascii() and sum(map(str.isalpha, own)) < _FEWEST:
        return Finding(None, 0.0, "", script)
    found = _judged(_probabilities(own, script), script)
    if script == "Latin" and found.code not in ("en", None) and _is_english_but_for_names(own):
        return Finding(None, found.probability, "", script)
    return found


def _is_english_but_for_names(text: str) -> bool:
    """Tell whether the words that are written small are English, as beside a foreign address.

    >>> _is_english_but_for_names("Jožef had given Eva his address: Præstevænget 15, København V")
    True
    """
    small = _NAMED.sub(" ", text)
    return _probabilities(small, "Latin").get("en", 0.0) > _HINTED if small.strip() else False


def _english_share(text: str) -> float:
    """Return the share of English function words; 0 where other languages' are as frequent."""
    words = [word.lower() for word in _WORD.findall(text)]
    own = [word for word in words if word in _ENGLISH]
    telling = {word for word in own if word not in _OTHERS}
    others = sum(word in _OTHERS and word not in _ENGLISH for word in words)
    return len(own) / len(words) if len(telling) > 1 and len(own) > 2 * others else 0.0


def han_language(text: str) -> str:
    """Return `ja` where kana or characters of Japan's own stand among the Han, else `zh`.

    >>> han_language("タワーに行く"), han_language("我喜欢电影")
    ('ja', 'zh')
    """
    words = words_by_script(text)
    kana, han = words.get("Kana", 0.0), words.get("Han", 0.0)
    if kana > _KANA_SHARE * (kana + han):
        return "ja"
    return "ja" if not _JAPANESE.isdisjoint(text) and not _simplified(text) else "zh"


def _simplified(text: str) -> bool:
    return any(c in text for c in "这们来说对时个国会为过还没么样经现开关长东车马鸟鱼门问间见贝")


def _judged(found: Mapping[str, float], script: str) -> Finding:
    best = max(found, key=found.__getitem__, default=None)
    if best is None:
        return Finding(None, 0.0, "", script)
    siblings = next((group for group in _SIBLINGS if best in group), {best})
    together = sum(found.get(code, 0.0) for code in siblings)
    if together < FLOOR:
        return Finding(None, found[best], "", script)
    return Finding(best, together, "model", script)


def _probabilities(text: str, script: str) -> dict[str, float]:
    """Return language → probability among those of a script, siblings of Norwegian in one."""
    ranked = _model().rank(text)
    of_script = [(code, float(p)) for code, p in ranked if code in _CANDIDATES[script]]
    total = sum(p for _, p in of_script)
    found: dict[str, float] = {}
    for code, p in of_script:
        found[folded(code)] = found.get(folded(code), 0.0) + (p / total if total else 0.0)
    return found


@lru_cache(maxsize=1)
def _loaded() -> Any:
    from py3langid import langid

    model = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    ours = {code for codes in _CANDIDATES.values() for code in codes}
    model.set_languages(sorted(ours & set(model.labels)))
    return model


def _model() -> Any:
    with _lock:
        return _loaded()
