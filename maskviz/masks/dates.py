"""Full dates in words, and dates or years that are said to be of a birth, in many languages.

Presidio's own recogniser reads dates in figures alone. A month's name between a day and a year is
enough, whichever language the text is in; a year alone is one behind "born", "geboren", "né".
"""

from __future__ import annotations

import calendar
from functools import lru_cache

from .matching import find_all

# fmt: off
_MONTHS = {
    "en": (*calendar.month_name[1:], *calendar.month_abbr[1:], "Sept"),
    "de": ("Januar", "Jänner", "Februar", "März", "April", "Mai", "Juni", "Juli", "August",
           "September", "Oktober", "November", "Dezember", "Okt", "Dez", "Mrz"),
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
           "octobre", "novembre", "décembre", "janv", "févr", "juil", "déc"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
           "setiembre", "octubre", "noviembre", "diciembre", "ene", "abr", "ago", "dic"),
    "it": ("gennaio", "febbraio", "aprile", "maggio", "giugno", "luglio", "settembre",
           "ottobre", "dicembre"),
    "pt": ("janeiro", "fevereiro", "março", "maio", "junho", "julho", "setembro", "outubro",
           "novembro", "dezembro"),
    "nl": ("januari", "februari", "maart", "mei", "augustus", "oktober", "december"),
    "sv": ("maj", "augusti", "marts", "mars", "desember", "januar"),
    "pl": ("stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia",
           "września", "października", "listopada", "grudnia"),
    "cs": ("ledna", "února", "března", "dubna", "května", "června", "července", "srpna", "září",
           "října", "listopadu", "prosince"),
    "tr": ("Ocak", "Şubat", "Mart", "Nisan", "Mayıs", "Haziran", "Temmuz", "Ağustos", "Eylül",
           "Ekim", "Kasım", "Aralık"),
    "ru": ("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября",
           "октября", "ноября", "декабря"),
    "uk": ("січня", "лютого", "березня", "квітня", "травня", "червня", "липня", "серпня", "вересня",
           "жовтня", "листопада", "грудня"),
    "el": ("Ιανουαρίου", "Φεβρουαρίου", "Μαρτίου", "Απριλίου", "Μαΐου", "Ιουνίου", "Ιουλίου",
           "Αυγούστου", "Σεπτεμβρίου", "Οκτωβρίου", "Νοεμβρίου", "Δεκεμβρίου"),
    "he": ("ינואר", "פברואר", "מרץ", "מרס", "אפריל", "מאי", "יוני", "יולי", "אוגוסט", "ספטמבר",
           "אוקטובר", "נובמבר", "דצמבר"),
    "ar": ("يناير", "فبراير", "مارس", "أبريل", "إبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر",
           "أكتوبر", "نوفمبر", "ديسمبر"),
    "hi": ("जनवरी", "फ़रवरी", "फरवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त", "सितंबर", "अक्टूबर",
           "नवंबर", "दिसंबर"),
    "th": ("มกราคม", "กุมภาพันธ์", "มีนาคม", "เมษายน", "พฤษภาคม", "มิถุนายน", "กรกฎาคม", "สิงหาคม",
           "กันยายน", "ตุลาคม", "พฤศจิกายน", "ธันวาคม"),
}
_BORN = (
    r"born(?: in (?:\p{Lu}[\p{L}’'-]*,? ){1,3})?", r"(?:date|year) of birth",
    r"birth ?(?:date|day|year)", r"d\.?o\.?b\.?", r"b\.", r"geboren(?:e[rnms]?)?", r"geb\.?",
    r"Geburts(?:datum|tag|jahr)", r"Jahrgang", r"née?s?(?:\(e\))?", r"nac(?:í|ió|e)",
    r"(?:date|année) de naissance", r"nacid[oa]s?",
    r"(?:fecha|año) de nacimiento", r"nat[oa]", r"data di nascita", r"nascid[oa]", r"nasceu",
    r"data de nascimento", r"geboortedatum", r"född", r"født", r"urodzon[ya]", r"ur\.",
    r"родил(?:ся|ась)", r"дата рождения", r"народи(?:вся|лася)",
)
# fmt: on
_SMALL = (
    r"(?:[ ,.:=]|\b(?:on|in|is|was|the|am|im|jahre?|le|en|el|il|nel|em|a|año|op|den|w|в)\b){0,6}"
)
_FIGURES = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?!\d)"
_YEAR = r"(?:1[89]|20)\d\d(?![\d.,]\d|\d)"
_DAY = r"\d{1,2}(?:st|nd|rd|th|er|[.º°])?"
_HAN = r"(?:\d{2,4}|[〇零一二三四五六七八九]{4}|(?:明治|大正|昭和|平成|令和)(?:\d{1,2}|元))"
_EAST = (
    rf"{_HAN}年 ?\d{{1,2}}月 ?\d{{1,2}}[日号號]",
    r"[〇零一二三四五六七八九]{4}年[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}[日号號]",
    r"\d{4}년 ?\d{1,2}월 ?\d{1,2}일",
    r"(?:出生(?:日期|年月|年份)?|生日|生于|生於|生年月日)[于於是为為在:： ]{0,2}\K"
    rf"(?:{_FIGURES}|{_YEAR}(?=年))",
    rf"{_YEAR}年(?=出生|生(?:人|まれ)|(?:\d{{1,2}}月)?(?:出生|生まれ))",
    rf"(?:생년월일|출생)[은는: ]{{0,3}}\K{_FIGURES}",
)


def dates_in(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of full dates in words, and of what is said to be of a birth.

    >>> text = "Born 4 July 1962."
    >>> [text[start:end] for start, end in dates_in(text)]
    ['4 July 1962', '4 July 1962']
    """
    if not any(map(str.isnumeric, text)):
        return []
    return [span for expression in _expressions() for span in find_all(expression, text)]


@lru_cache(maxsize=1)
def _expressions() -> tuple[str, ...]:
    names = {name for months in _MONTHS.values() for name in months}
    month = f"(?:{'|'.join(sorted(names, key=lambda name: (-len(name), name)))})"
    before = r"(?: ?(?:of|de|di|ב|,))? ?[ב-]?"
    in_words = (
        rf"(?i)\b{_DAY}{before}{month}\b\.?,?[ -]?(?:del? |do )?(?:พ\.ศ\. |ค\.ศ\. )?\d{{4}}\b",
        rf"(?i)\b{month}\.? {_DAY}(?:, ?| of | )\d{{4}}\b",
    )
    born = rf"(?i)(?<!\w)(?:{'|'.join(_BORN)}){_SMALL}\K"
    said = f"{born}(?:{_FIGURES}|{_DAY} ?(?:de )?{month}\\b\\.?,? ?(?:del? )?\\d{{2,4}}|{_YEAR})"
    return (*in_words, said, *_EAST)
