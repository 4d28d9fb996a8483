"""Find the n-grams of English reviews whose words belong together, by pointwise mutual information.

PMI of an n-gram is the least over its splits in two of ln(p(w1…wn) / (p(left) · p(right))), as in
PMI-masking (Levine et al. 2021, https://arxiv.org/abs/2010.01825, there for n > 2 with all
segmentations). Run: python recipes/collocations.py --data DIR (about two minutes, one core).
"""

from __future__ import annotations

import argparse
import math
import os
from collections import Counter
from itertools import pairwise
from pathlib import Path

from maskviz.text.words import word_offsets

OUT = Path(__file__).parents[1] / "maskviz" / "masks" / "lexicons" / "collocations.tsv"


def words_of(texts: list[str]) -> list[list[str]]:
    """Return the lower-cased words between punctuation marks: no n-gram crosses one."""
    runs = []
    for text in texts:
        run: list[str] = []
        offsets = word_offsets(text)
        for (start, end), after in zip(offsets, [*offsets[1:], (len(text) + 9, 0)], strict=True):
            run.append(text[start:end].lower())
            if after[0] - end != 1 or text[end] not in " '’-":
                runs.append(run)
                run = []
    return runs


def counts(runs: list[list[str]], least: int) -> list[Counter[tuple[str, ...]]]:
    """Return the counts of 1-, 2- and 3-grams; longer ones only where their parts are frequent."""
    single = Counter((word,) for run in runs for word in run)
    pairs = Counter(pair for run in runs for pair in pairwise(run))
    pairs = Counter({k: n for k, n in pairs.items() if n >= least})
    triples = Counter(
        (a, b, c)
        for run in runs
        for a, b, c in zip(run, run[1:], run[2:], strict=False)
        if (a, b) in pairs and (b, c) in pairs
    )
    return [single, pairs, Counter({k: n for k, n in triples.items() if n >= least})]


def pmi(gram: tuple[str, ...], tables: list[Counter], total: int) -> float:
    """Return the least PMI over the ways to split `gram` in two, in nats."""
    p = math.log(tables[len(gram) - 1][gram] / total)
    return min(
        p
        - math.log(tables[i - 1][gram[:i]] / total)
        - math.log(tables[len(gram) - i - 1][gram[i:]] / total)
        for i in range(1, len(gram))
    )


def main() -> None:
    """Write the n-grams with the highest PMI as `n-gram <tab> PMI`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("MASKVIZ_DATA", "data"))
    parser.add_argument("--least", type=int, default=60, help="least count of an n-gram")
    parser.add_argument("--keep", type=int, default=4000)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    import pandas as pd

    texts = pd.read_parquet(Path(options.data) / "reviews_unlabelled.parquet")["text"].tolist()
    runs = words_of(texts)
    tables = counts(runs, options.least)
    total = sum(tables[0].values())
    scored = [(pmi(g, tables, total), g) for table in tables[1:] for g in table]
    best = sorted(scored, reverse=True)[: options.keep]
    head = "# n-gram, PMI in nats; made by recipes/collocations.py from film reviews\n"
    lines = (f"{' '.join(gram)}\t{value:.2f}\n" for value, gram in sorted(best, key=lambda x: x[1]))
    options.out.write_text(head + "".join(lines), encoding="utf-8")
    print(f"{len(best)} n-grams from {total:,} words in {options.out}")


if __name__ == "__main__":
    main()
