"""The languages that are told apart, by their ISO 639-1 codes."""

from __future__ import annotations

from ...errors import UnknownNameError

# fmt: off
LANGUAGES = {
    "af": "Afrikaans", "am": "Amharic", "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian",
    "bg": "Bulgarian", "bn": "Bengali", "bo": "Tibetan", "bs": "Bosnian", "ca": "Catalan",
    "cs": "Czech", "cy": "Welsh", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish",
    "fr": "French", "ga": "Irish", "gl": "Galician", "gu": "Gujarati", "he": "Hebrew",
    "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian",
    "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kk": "Kazakh",
    "km": "Khmer", "kn": "Kannada", "ko": "Korean", "ku": "Kurdish", "ky": "Kyrgyz",
    "lb": "Luxembourgish", "lo": "Lao", "lt": "Lithuanian", "lv": "Latvian", "mk": "Macedonian",
    "ml": "Malayalam", "mn": "Mongolian", "mr": "Marathi", "ms": "Malay", "mt": "Maltese",
    "my": "Burmese", "nb": "Norwegian", "ne": "Nepali", "nl": "Dutch", "or": "Odia",
    "pa": "Punjabi", "pl": "Polish", "ps": "Pashto", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "si": "Sinhala", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian",
    "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu",
    "tg": "Tajik", "th": "Thai", "tl": "Tagalog", "tr": "Turkish", "tt": "Tatar", "ug": "Uyghur",
    "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese", "zh": "Chinese",
}
_ALIASES = {"no": "nb", "nn": "nb", "yue": "zh", "wuu": "zh", "cmn": "zh", "sh": "sr", "iw": "he"}
# fmt: on
_RIGHT_TO_LEFT = frozenset(("ar", "fa", "he", "ps", "ug", "ur"))
_BY_NAME = {name.lower(): code for code, name in LANGUAGES.items()}


def checked_language(written: str) -> str:
    """Return the code of a language that is given by code, tag or English name; "" stays "".

    Raises UnknownNameError for one that is not known.

    >>> checked_language("German"), checked_language("zh-Hant"), checked_language("")
    ('de', 'zh', '')
    """
    asked = written.strip().lower()
    code = asked.replace("_", "-").partition("-")[0]
    code = _BY_NAME.get(asked, _ALIASES.get(code, code))
    if asked and code not in LANGUAGES:
        raise UnknownNameError.of("language", written, LANGUAGES)
    return code if asked else ""


def folded(code: str) -> str:
    """Return the code under which a language is known here: Cantonese and Wu are Chinese."""
    return _ALIASES.get(code, code)


def language_name(code: str | None) -> str:
    """Return the English name of a language, `an unknown language` for None.

    >>> language_name("de")
    'German'
    """
    return LANGUAGES.get(code or "", code or "an unknown language")


def is_right_to_left(code: str | None) -> bool:
    """Tell whether a language is written from right to left."""
    return code in _RIGHT_TO_LEFT
