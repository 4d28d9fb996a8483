"""The table of architectures: what the benchmark tries is what the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import architectures
from benchmarks.families import roster, table, tuned
from benchmarks.families.checks import CHECKS, columns
from benchmarks.families.marks import CRASH, NONE, REFUSED, RIGHT, WRONG, Report, Wrong, guarded
from benchmarks.families.tiny import configuration
from benchmarks.families.variants import VARIANTS
from maskviz.errors import CapabilityError

ROOT = Path(__file__).resolve().parents[2]


def rows(title: str) -> list[list[str]]:
    """Return the rows of the table under a heading of the page, with its head."""
    page = table.PAGE.read_text(encoding="utf-8")
    section = page.split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_has_every_architecture_with_its_heads_and_every_column() -> None:
    head, *found = rows("Each architecture")
    assert head == ["Architecture", "Heads", *columns()]
    own = [[name, " ".join(roster.heads_of(name))] for name in roster.architectures()]
    assert [row[:2] for row in found] == own
    assert [row[0] for row in rows("Published settings")[1:]] == [one[0] for one in VARIANTS]
    trained = [re.sub(r" \([^)]*\)", "", " ".join(row)).split() for row in rows("Training")[1:]]
    assert sorted((row[0], name) for row in trained for name in row[1:] if name != "·") == sorted(
        (head, name) for name, head in tuned.RUNS
    )


def test_every_cell_is_a_mark_or_the_number_of_a_reason_and_nothing_is_wrong() -> None:
    page = table.PAGE.read_text(encoding="utf-8")
    reasons = re.findall(r"^(\d+)\. (.+)$", page.split("## Why\n")[1], re.MULTILINE)
    numbers = {number for number, _ in reasons}
    assert [int(number) for number, _ in reasons] == list(range(1, len(reasons) + 1))
    assert len({sentence for _, sentence in reasons}) == len(reasons)
    cells = [cell for title in ("Each architecture", "Published settings")
             for row in rows(title)[1:] for cell in row[2:]]  # fmt: skip
    assert set(cells) <= numbers | {"✓", "·"}
    count = len(roster.architectures())
    assert f"**{count} of {count} architectures right, 0 wrong, 0 crashed**" in page


def test_the_counts_are_those_of_the_rows() -> None:
    head, *found = rows("Each architecture")
    shown = head.index("Attention")
    page = table.PAGE.read_text(encoding="utf-8").split("## Each architecture")[0]
    for column in columns():
        at = head.index(column)
        refused = [row for row in found if row[at].isdigit()]
        beside = sum(not row[shown].isdigit() for row in refused)
        right = sum(row[at] == "✓" for row in found)
        assert f"| {column} | {right} | {len(refused)} | {beside} |" in page
        assert beside < 20


@pytest.mark.parametrize("name", ["bert", "gemma3_text", "qwen3_next", "t5gemma", "deepseek_v3"])
def test_a_configuration_is_tiny(name: str) -> None:
    text = configuration(name, 500).get_text_config()
    assert text.vocab_size == 500
    assert text.hidden_size <= 64


@pytest.mark.parametrize(
    ("error", "mark"),
    [
        (None, RIGHT),
        (Wrong("0.2 and 0.3"), WRONG),
        (CapabilityError("The architecture 'x' does not."), REFUSED),
        (KeyError("x"), CRASH),
    ],
)
def test_a_check_ends_with_a_mark(error: Exception | None, mark: str) -> None:
    def work() -> None:
        if error:
            raise error

    report = Report()
    guarded(report, "attends", work)
    assert report.marks == {"attends": mark}
    found = {"x": {"cls": {"marks": report.marks, "notes": report.notes}}}
    assert table.worst(found["x"], CHECKS["attends"].column)[0] == mark
    assert table.worst(found["x"], CHECKS["writes"].column)[0] == NONE
    bad = mark in (WRONG, CRASH)
    assert table.counts(found).startswith("0 of 1" if bad else "1 of 1")


def test_reasons_are_one_for_all_architectures_and_name_none() -> None:
    reasons = table.Reasons()
    for name in ("mamba", "fnet"):
        sentence = f"The architecture '{name}' does not show its attention: choose another model."
        assert reasons.number(sentence, name) == 1
    folder = "The model 'models/bert-cls' (bert) has no mask token: use the operator delete."
    assert reasons.number(folder, "bert") == 2
    assert reasons.listed() == [
        "1. The architecture '…' does not show its attention: choose another model.",
        "2. The model '…' has no mask token: use the operator delete.",
    ]


def test_the_page_is_in_the_documentation_and_the_script_says_what_it_does() -> None:
    assert "architectures.md" in (ROOT / "mkdocs.yml").read_text()
    assert "docs/architectures.md" in str(architectures.__doc__)
