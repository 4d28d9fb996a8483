"""Street addresses told by how they are written: a number beside a street's name.

English, and the usual ways of the languages of Europe: "12 Maple Street, Apt. 4", "rue Garneau 9",
"Prenzlauer Allee 20", "ul. Reja 44", "P.O. Box 255". Where a text says that an address follows,
capitalised words beside a number are enough. No list of places is read.
"""

from __future__ import annotations

import calendar
from functools import lru_cache

from .matching import find_all

_DATES = "|".join(name for name in (*calendar.month_name, *calendar.month_abbr) if name)
_NAME = rf"(?!(?:{_DATES})\b)\p{{Lu}}[\p{{L}}\p{{M}}'’.-]*"  # "3 May 1979" is no address
_NUMBER = r"\d{1,4}(?: ?[A-Za-z]\b)?(?:[/-]\d{1,4}[A-Za-z]?\b)?"
# Publication 28 of the United States Postal Service, the words and the usual abbreviations.
_ENGLISH = (
    "Alley|Avenue|Ave|Bend|Boulevard|Blvd|Bridge|Brook|Burgs?|Bypass|Camp|Canyon|Cape|Causeway|"
    "Center|Centers|Circles?|Cir|Cliffs?|Close|Club|Commons?|Corners?|Course|Courts?|Ct|Coves?|"
    "Creek|Crescent|Cres|Crest|Crossing|Crossroads?|Curve|Dale|Dam|Divide|Drives?|Dr|Estates?|"
    "Expressway|Extensions?|Falls?|Ferry|Fields?|Flats?|Fords?|Forest|Forges?|Forks?|Fort|"
    "Freeway|Gardens?|Gateway|Glens?|Greens?|Groves?|Harbors?|Haven|Heights|Highway|Hwy|Hills?|"
    "Hollow|Inlet|Islands?|Isle|Junctions?|Keys?|Knolls?|Lakes?|Landing|Lane|Ln|Lights?|Loaf|"
    "Locks?|Lodge|Loop|Mall|Manors?|Meadows?|Mews|Mills?|Mission|Motorway|Mount|Mountains?|Neck|"
    "Orchard|Oval|Overpass|Parade|Parks?|Parkways?|Pkwy|Pass|Passage|Path|Pike|Pines?|Place|Pl|"
    "Plains?|Plaza|Points?|Ports?|Prairie|Quay|Radial|Ramp|Ranch|Rapids?|Rest|Ridges?|River|Roads?|"
    "Rd|Route|Row|Run|Shoals?|Shores?|Skyway|Springs?|Spurs?|Squares?|Sq|Station|Stravenue|Stream|"
    "Streets?|St|Summit|Terrace|Ter|Throughway|Trace|Track|Trafficway|Trail|Trl|Tunnel|Turnpike|"
    "Underpass|Unions?|Valleys?|Via|Viaduct|Views?|Villages?|Ville|Vista|Walks?|Wall|Ways?|Wells?"
)
# A word that stands before a street's name, as in French, Spanish, Italian, Portuguese, Polish.
_BEFORE = (
    "rue|avenue|av\\.|boulevard|bd|place|chemin|allée|impasse|cours|quai|route|passage|calle|c/|"
    "avenida|avda\\.?|paseo|plaza|camino|carretera|ctra\\.?|travesía|carrer|rúa|via|viale|piazza|"
    "corso|vicolo|contrada|strada|rua|travessa|praça|estrada|alameda|largo|ul\\.|al\\.|pl\\.|os\\.|"
    "ulica|str\\.|bulevardul|calea|aleea|ул\\.|улица|проспект|пр\\."
)
_SMALL = (
    "(?:(?:de|del|della|delle|dei|des|di|da|do|dos|das|du|d[’']|la|las|le|les|los|l[’']|et|y|e) ?)"
)
# How one-word streets end in German, Dutch and the languages of the North.
_ENDING = (
    "straße|strasse|str\\.|gasse|weg|platz|allee|damm|ufer|steig|markt|straat|laan|plein|gracht|"
    "kade|dijk|singel|steeg|dreef|gatan|vägen|gränd|torget|stigen|backen|heden|ängen|gata|veien|"
    "vegen|plass|svingen|bakken|vej|gade|stræde|allé|vænget|torv|katu|polku|kuja|väylä|raitti|"
    "rinne|braut|vegur|stígur"
)
_AFTER = "utca|u\\.|útja?|tér|krt\\.|körút|köz|ulica|cesta|trg|tänav|sokak|caddesi|Straße|Allee|Weg"
_HOUSE = r"(?:\d{1,6}[A-Za-z]?(?:-\d{1,5})?,? )"
_UNIT = r"(?:Apt|Apartment|Suite|Ste|Flat)\.? #?\d{1,5}[A-Za-z]?\b"
_CITY = rf"(?:{_NAME}[ -]?){{1,3}}"
_STATE = (
    "A[LKZRAEP]|C[AOT]|D[CE]|FL|G[AU]|HI|I[DLNA]|K[SY]|LA|M[EDAINSOTPH]|N[EVHJMYCD]|O[HKR]|P[ARW]|"
    "RI|S[CD]|T[NX]|UT|V[TAI]|W[AVIY]|F[M]"
)
_GAP = r"\s?,?\s\s?"
_REST = (
    rf"(?:{_GAP}{_UNIT})?(?:{_GAP}{_CITY})?(?:{_GAP}(?:{_STATE}|[A-Z]{{2,3}}|{_CITY}))?"
    r"(?:\s?,?\s+\d{4,6}(?:-\d{4})?\b)"
)
_TOWN = r"\p{Lu}[\p{L}\p{M}’'-]+"
_POSTAL = rf"(?:[A-Z]{{1,2}}-)?\d{{4,5}} {_TOWN}(?: {_TOWN})?"  # 10115 Berlin
_NAMES = rf"{_SMALL}{{0,3}}{_NAME}(?: {_SMALL}{{0,2}}{_NAME}){{0,3}}"  # "de la Paix"
_TOWARDS = r"(?:(?:N|S|E|W|NE|NW|SE|SW)\.? )?"
_OWN = rf"(?:{_NAME} |\d{{1,3}}(?:st|nd|rd|th) )"
_STREETS = (
    rf"\b{_HOUSE}{_TOWARDS}{_OWN}{{1,3}}?(?:{_ENGLISH})\b\.?",
    rf"\b{_HOUSE}?\b(?i:{_BEFORE}) {_NAMES},? (?:n[º°o]\.? ?)?{_NUMBER}\b",
    rf"\b{_HOUSE}(?i:{_BEFORE}) {_NAMES}",
    rf"\b{_HOUSE}?\p{{Lu}}[\p{{L}}-]*(?:{_ENDING}) {_NUMBER}\b",
    rf"\b{_HOUSE}?(?:{_NAME} ){{1,3}}(?:{_AFTER}) {_NUMBER}\b\.?",
    # A house number and a street's own, "514 Hvanneyrarbraut 94"; a year is none.
    rf"\b(?!(?:19|20)\d\d\b)\d{{1,6}} (?:{_NAME} ){{1,4}}\d{{1,4}}[A-Fa-f]?\b",
    r"\bP\.? ?O\.? ?Box \d{1,6}\b",
    r"\b(?:PSC|Unit|CMR) \d{1,5},? Box \d{1,5}\s(?:APO|FPO|DPO) A[AEP] \d{5}\b",
    rf"\b(?:USS|USNS|USCGC|USNV) {_NAME}\s(?:APO|FPO|DPO) A[AEP] \d{{5}}\b",
)
_SAYS = (
    r"(?i:\b(?:address(?:es)?(?: (?:is|to|with|of|as))?(?: the (?:same|following))?|"
    r"(?:lives?|lived|living|located|stays?|residing|resides?|meet (?:you|me|us)|delivered)"
    r" (?:at|on|in)|"
    r"(?:deliver|ship|mail|send|sent|moved|come|drive|visit)"
    r"(?: (?:it|this|them|me|one|a new one))? (?:to|at)|"
    r"corner of)\b[?:,]? )"
)
_TOLD = (
    rf"{_SAYS}\K(?:{_NAME} ){{1,4}}\d{{1,4}}[A-Fa-f]?\b\.?",
    rf"{_SAYS}\K{_HOUSE}(?:{_NAME}[ ]?){{1,4}}",
)
_ALONE = (rf"\b{_UNIT}", rf"\b(?:{_STATE})\s+\d{{5}}(?:-\d{{4}})?\b")


def addresses_in(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of what is written as a street address; some may overlap.

    >>> [(s, e) for s, e in addresses_in("Write to 12 Maple Street, Apt. 4.")]
    [(9, 32), (26, 32)]
    """
    if not any(map(str.isdigit, text)):
        return []
    return [span for expression in _expressions() for span in find_all(expression, text)]


@lru_cache(maxsize=1)
def _expressions() -> tuple[str, ...]:
    with_rest = (
        rf"(?:{street})(?:{_GAP}{_POSTAL}|{_REST}|{_GAP}{_UNIT})?" for street in (*_STREETS, *_TOLD)
    )
    return (*with_rest, *_ALONE)
