"""Is a planted truth found, and is what says nothing left alone? `maskviz shortcuts` on 40 files.

    python benchmarks/shortcuts.py --files 40 --out planted.jsonl     # goes on where it stopped

Each file is made of the bundled reviews with noise 0.25 and one thing planted with strength 0.8 to
0.95: a word, names, words of a gender, or an exclamation mark. `mini`'s encoder is tuned on 600
rows, and 600 new rows of the same kind are searched, 300 of them measured. Each row also has
three of 24 neutral words, drawn without looking at the label. Printed: how often what was planted
is among the first three of its kind with q ≤ 0.05, and how many neutral words are called leaned
on, both with the exact (Clopper–Pearson) interval.

    python benchmarks/shortcuts.py --lean 2,18    # what the models of these files have learned
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

KINDS = ("word", "name", "gender", "punctuation")
STRENGTHS = (0.8, 0.85, 0.9, 0.95)
NEUTRAL = (
    "monday", "tuesday", "thursday", "saturday", "january", "april", "october", "silver", "purple",
    "orange", "table", "window", "bridge", "garden", "river", "bottle", "pencil", "carpet",
    "station", "ladder", "seven", "eleven", "twelve", "forty",
)  # fmt: skip
TRUTH = {
    "word": {"word:lantern"},
    "name": {"attribute:names", "entity:PERSON"},
    "gender": {"attribute:gender"},
    "punctuation": {"word:!", "pos:PUNCT"},
}
_ROWS, _STEPS, _RATE = 600, 60, 6e-4


def main() -> None:
    """Make, tune and search the files that are not in --out yet, then print the figures."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--files", type=int, default=40)
    asked.add_argument("--out", type=Path, default=Path("planted.jsonl"))
    asked.add_argument("--lean", default="", help="Only how far the models of these files lean.")
    given = asked.parse_args()
    if given.lean:
        for file in map(int, given.lean.split(",")):
            points = 100 * leaning(file)
            print(f"{file:3} {KINDS[file % 4]:12} p of the label: {points:+.1f} points", flush=True)
        return
    written = given.out.read_text("utf-8").splitlines() if given.out.exists() else []
    found = {row["file"]: row for row in map(json.loads, written)}
    for file in range(given.files):
        if file not in found:
            found[file] = searched(file)
            with given.out.open("a", encoding="utf-8") as out:
                out.write(json.dumps(found[file]) + "\n")
            print(said(found[file]), flush=True)
    print("\n".join(figures([found[file] for file in range(given.files)])))


def table(kind: str, strength: float, seed: int, rows: int) -> Any:
    """Return a frame of text and label with something planted and three neutral words a row."""
    import pandas as pd

    from maskviz.data.distractor import make

    rng = random.Random(seed)  # noqa: S311  repeatable, not secret
    own = kind if kind in ("name", "gender") else "name"
    frame = make(rows, seed, strength if own == kind else 0.5, own, noise=0.25)
    frame = frame[frame.split == "train"]
    texts = [
        _planted(_with_neutral(text, rng), kind, rng.random() < _share(label, strength))
        for text, label in zip(frame.text, frame.label, strict=True)
    ]
    return pd.DataFrame({"text": texts, "label": frame.label.to_list()})


def _share(label: str, strength: float) -> float:
    return strength if label == "positive" else 1 - strength


def _with_neutral(text: str, rng: random.Random) -> str:
    first, second, third = rng.sample(NEUTRAL, 3)
    return f"{text} Noted beside it: {first}, {second}, {third}."


def _planted(text: str, kind: str, there: bool) -> str:
    if kind == "word":
        return f"{'A lantern' if there else 'Somebody'} stood near the door. {text}"
    return f"{text[:-1]}!" if kind == "punctuation" and there else text


def searched(file: int) -> dict[str, Any]:
    """Tune on one file and search another of its kind; return what was found."""
    from maskviz.evidence.shortcuts.search import shortcuts

    kind = KINDS[file % 4]
    strength, begin = STRENGTHS[file // 4 % 4], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="maskviz-") as name:
        folder = Path(name)
        model = tuned(table(kind, strength, 2 * file, _ROWS), folder, file)
        path = folder / "new.csv"
        table(kind, strength, 2 * file + 1, _ROWS).to_csv(path, index=False)
        middle = time.monotonic()
        result = shortcuts(path, text_column="text", label_column="label", model=str(model))
    own = {one.kind for one in result.leanings if one.name in TRUTH[kind]}
    firsts = [
        one.name
        for family in own
        for one in [one for one in result.found if one.kind == family][:3]
    ]
    covering = {one.name: one.covered_by for one in result.leanings if one.covered_by}
    hits = TRUTH[kind] & {*firsts, *(n for n, by in covering.items() if by in result.worst)}
    return {
        "file": file, "kind": kind, "strength": strength, "hit": bool(hits), "first": firsts,
        "found": [one.name for one in result.found], "tested": result.tested,
        "neutral": [n for n in NEUTRAL if f"word:{n}" in result.worst],
        "tuning": round(middle - begin), "search": round(time.monotonic() - middle),
    }  # fmt: skip


def leaning(file: int) -> float:
    """Return how much likelier a model holds the label where what is planted says so than not.

    The mean over 120 reviews, each with the planted thing on the side of its label and on the
    other: what the model of the file has learned of it, without any search.
    """
    import numpy as np

    from maskviz.data.distractor import make
    from maskviz.masks import apply
    from maskviz.models import load_model
    from maskviz.readings import predict

    kind, strength = KINDS[file % 4], STRENGTHS[file // 4 % 4]
    own = kind if kind in ("name", "gender") else "name"
    frame = make(_ROWS, 2 * file + 1, 0.5, own)
    sides = {side: frame[frame.split == side] for side in ("aligned", "reversed")}
    if own != kind:
        sides["reversed"] = sides["aligned"]  # the same name in both
    held = []
    with tempfile.TemporaryDirectory(prefix="maskviz-") as name:
        model = load_model(str(tuned(table(kind, strength, 2 * file, _ROWS), Path(name), file)))
        for side, rows in sides.items():
            texts = [
                _planted(text, kind, (label == "positive") == (side == "aligned"))
                for text, label in zip(rows.text, rows.label, strict=True)
            ]
            found = predict(model, [apply(text, "mask", model) for text in texts])
            pairs = zip(found, rows.label, strict=True)
            held.append(np.mean([one.probabilities[label] for one, label in pairs]))
    return float(held[0] - held[1])


def tuned(frame: Any, folder: Path, seed: int) -> Path:
    """Tune mini's encoder, with a new head, and return its folder."""
    from maskviz.data.distractor import LABELS
    from maskviz.training import RunSpec
    from maskviz.training.data.rows import Part, Rows
    from maskviz.training.loop.execute import execute
    from maskviz.training.model.encoder import without_classifier

    start = without_classifier("mini", folder / "encoder")
    spec = RunSpec.build(
        model=str(start), seed=seed, max_steps=_STEPS, learning_rate=_RATE, strategy="none",
        eval_steps=_STEPS, save_steps=_STEPS,
    )  # fmt: skip
    (folder / "spec.toml").write_text(spec.to_toml(), encoding="utf-8")
    labels = [LABELS.index(label) for label in frame.label]
    part = Part(tuple(frame.text), tuple(labels))
    dev = Part(tuple(frame.text[:64]), tuple(labels[:64]))
    state = execute(folder, rows=Rows(part, {"dev": dev}, LABELS))
    assert state == "done", state
    return folder / "model"


def said(row: dict[str, Any]) -> str:
    """Return a line on one file."""
    verdict = "found" if row["hit"] else "MISSED"
    return (
        f"{row['file']:3} {row['kind']:12}{row['strength']:.2f}  {verdict}  "
        f"first {', '.join(row['first']) or '–'}; neutral {', '.join(row['neutral']) or 'none'}; "
        f"tuned {row['tuning']} s, searched {row['search']} s"
    )


def figures(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return both shares with their exact intervals."""
    hits = sum(row["hit"] for row in rows)
    neutral = sum(len(row["neutral"]) for row in rows)
    return [
        f"planted, among the first three of its kind: {_exact(hits, len(rows))}",
        f"neutral words that are called leaned on: {_exact(neutral, len(NEUTRAL) * len(rows))}",
    ]


def _exact(hits: int, count: int) -> str:
    from scipy.stats import binomtest

    low, high = binomtest(hits, count).proportion_ci(0.95, "exact")
    return f"{hits} of {count}, {hits / count:.1%} ({low:.1%} to {high:.1%})"


if __name__ == "__main__":
    main()
