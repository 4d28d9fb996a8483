"""A file broken down, and what its rows share: groups, bins, clusters, and never a point."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from maskviz.byte_cache import ByteCache
from maskviz.errors import DataError
from maskviz.evidence import FileComparison, compare_file
from maskviz.evidence.files.breakdown import LARGEST, OTHER, WORST_VALUES, Counts
from maskviz.evidence.files.tally import RowEffect, RowResult, Tallies, Tally
from maskviz.models import load_model


def run(model: str, content: bytes, strategies, **more) -> FileComparison:
    return compare_file(
        content, strategies, model=model, text_column="text", name="a.csv", **more
    )  # fmt: skip


def result_of(row: int, value: str, flip: bool = False, cluster: str | None = None) -> RowResult:
    effect = RowEffect("b" if flip else "a", 0.9, -0.5 * flip, flip, 0.1, 0.2)
    return RowResult(row, "", "a", "a", 0.9, {"s": effect}, {"id": value}, None, cluster)


def test_the_largest_groups_and_the_worst_are_kept_and_the_rest_is_counted() -> None:
    """A small group that is always wrong is seen, also where it comes last."""
    counts = Counts()
    rows = [f"v{i}" for i in range(120) for _ in range(40 - i // 4)] + ["bad"] * 8
    for value in rows:
        counts.add(value)
    tallies = Tallies("single", ["s"], {"id": counts.column()})
    for number, value in enumerate(rows):
        tallies.add(result_of(number, value, flip=value == "bad"))
    groups = tallies.group_results()["id"]
    assert len(groups) == LARGEST + WORST_VALUES + 1
    assert groups["bad"]["s"].accuracy_masked == 0
    assert [f"v{i}" in groups for i in range(LARGEST)] == [True] * LARGEST
    assert sum(r["s"].rows for r in groups.values()) == len(rows)
    assert groups[OTHER]["s"].accuracy_masked == 1
    (note,) = tallies.notes()
    assert "81 others are folded" in note


@pytest.mark.parametrize(
    "numbers",
    [
        list(range(250)),
        [i / 7 for i in range(300)],
        [1.0] * 500 + list(range(60)),
        [-5e6, *range(40)],
    ],
)
def test_numbers_come_in_bins_that_hold_every_row(numbers) -> None:
    counts = Counts()
    values = [str(number) for number in numbers] + ["(empty)"]
    for value in values:
        counts.add(value)
    column = counts.column()
    tallies = Tallies("single", ["s"], {"id": column})
    for row, value in enumerate(values):
        tallies.add(result_of(row, value))
    groups = tallies.group_results()["id"]
    assert list(groups) == [*column.bins, "(empty)"]
    assert len(column.bins) <= 10
    assert sum(r["s"].rows for r in groups.values()) == len(values)
    if len(set(numbers)) == len(numbers) > 100:
        assert max(groups[b]["s"].rows for b in column.bins) <= len(numbers) / 8
    assert "different numbers" in tallies.notes()[0]


def test_few_numbers_stay_what_they_are() -> None:
    counts = Counts()
    for value in ("1", "2", "3", "4", "5") * 9:
        counts.add(value)
    assert counts.column().group("4") == "4"


def test_clusters_widen_what_their_rows_say() -> None:
    """As many rows, but in ten clusters that each flip as one."""
    alone, shared = Tally("single"), Tally("single")
    for number in range(200):
        row = result_of(number, "", flip=number % 10 < 3)
        alone.add(row, row.effects["s"])
        row = replace(row, cluster=str(number % 10))
        shared.add(row, row.effects["s"])
    one, other = alone.result(), shared.result()
    assert (one.clusters, other.clusters) == (None, 10)
    assert other.flip_rate == one.flip_rate == pytest.approx(0.3)
    for name in ("flip_ci95", "ci95", "delta_ci95"):
        narrow, wide = getattr(one, name), getattr(other, name)
        assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0]), name
    assert other.p_value > one.p_value


def test_a_file_of_one_row_has_no_interval(tiny) -> None:
    content = b"text;label\na warm and funny film about two old friends;0\n"
    result = run(tiny("bert"), content, ["random"], label_column="label")
    found = result.strategies["random"]
    assert (found.flip_ci95, found.ci95, found.p_value, found.delta_ci95) == (None,) * 4
    assert found.chance.flip_ci95 is None
    assert not found.chance.surpassed


def test_a_cluster_column_is_read_said_and_kept(tiny) -> None:
    rows: list[RowResult] = []
    content = b"text;label;t\n" + b"so dull;0;a\na great film;1;a\nwarm soup;1;b\ncold;0;c\n" * 2
    found = run(tiny("bert"), content, ["random"], label_column="label", cluster="t",
                each=rows.append, beside=tiny("modernbert"))  # fmt: skip
    assert [r.cluster for r in rows] == ["a", "a", "b", "c"] * 2
    assert found.strategies["random"].clusters == 3
    assert any("3 clusters" in note and "'t'" in note for note in found.notes)
    assert rows[0].to_dict()["cluster"] == "a"
    with pytest.raises(DataError, match="no column 'u'"):
        run(tiny("bert"), content, ["random"], cluster="u")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tiny, tmp_path, monkeypatch) -> None:
    """Twenty times the rows, most of them short, may cost no more than a chunk's worth.

    What is kept of the texts as tokens has a bound of its own in bytes; here it is small.
    """
    peaks, model = [], load_model(tiny("bert"))
    monkeypatch.setitem(model.__dict__, "read", ByteCache(100_000))
    for count in (64, 1280):
        path = tmp_path / f"{count}.csv"
        path.write_text("text,label\n" + "".join(f"film {i},{i % 2}\n" for i in range(count)))
        tracemalloc.start()
        compare_file(path, ["random"], text_column="text", label_column="label", model=model)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 3_000_000
