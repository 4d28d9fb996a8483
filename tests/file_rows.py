"""A file of 150 rows, and its comparison."""

from __future__ import annotations

from maskviz.evidence import compare_file

ROWS = "\n".join(
    f"{('Anna saw a dull story', 'a great film', 'so funny')[i % 3]} {i};{i % 2};{'xyz'[i % 3]}"
    for i in range(150)
)
CSV = f"text;label;who\n{ROWS}\n".encode()


def run(model: str, content: bytes = CSV, strategies=("random", "span"), **more):
    return compare_file(
        content, strategies, model=model, text_column="text", name="a.csv", **more
    )  # fmt: skip
