"""Groups beside each other: the worst, the gaps, their intervals, and what cannot be said."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import norm

from maskviz.data.groups import group_value
from maskviz.errors import DataError
from maskviz.evidence import FileComparison, compare_file
from maskviz.evidence.files.breakdown import Counts
from maskviz.evidence.files.groups import GroupSums, crossed
from maskviz.evidence.files.tally import RowEffect, RowResult
from maskviz.evidence.statistics import Mean
from maskviz.shares import wilson


def row_of(
    number: int, group: str, right: bool, masked: bool, cluster: str | None = None
) -> RowResult:
    label, after = ("a" if ok else "b" for ok in (right, masked))
    effect = RowEffect(after, 0.9, -0.5, label != after, 0.1, 0.2)
    return RowResult(number, "", "a", label, 0.9, {"s": effect}, {"g": group}, None, cluster)


def sums(rows: list[RowResult], head: str = "single") -> GroupSums:
    counts = Counts()
    for row in rows:
        counts.add(row.groups["g"])
    found = GroupSums(head, ["g"], {"g": counts.column()}, True)
    for row in rows:
        found.add(row)
    return found


def newcombe(hits: tuple[int, int], counts: tuple[int, int], level: float) -> tuple[float, float]:
    """Newcombe (1998), method 10, from its formula."""
    z = norm.ppf((1 + level) / 2)
    shares, ends = [], []
    for x, n in zip(hits, counts, strict=True):
        p = x / n
        middle = (2 * n * p + z**2) / (2 * (n + z**2))
        half = z * np.sqrt(z**2 + 4 * n * p * (1 - p)) / (2 * (n + z**2))
        shares.append(p)
        ends.append((middle - half, middle + half))
    (p, q), ((l1, u1), (l2, u2)) = shares, ends
    gap = p - q
    return gap - np.hypot(p - l1, u2 - q), gap + np.hypot(u1 - p, q - l2)


def test_the_worst_group_and_the_gaps_are_those_of_the_formulas() -> None:
    rows = [row_of(i, "x", i < 90, i < 80) for i in range(100)]
    rows += [row_of(i, "y", i < 30, i < 35) for i in range(50)]
    found = sums(rows).result()["g"]
    assert found.measure == "accuracy"
    plain, masked = found.arms["plain"], found.arms["s"]
    assert (plain.worst, plain.best, plain.worst_score) == ("y", "x", 0.6)
    assert plain.gap == pytest.approx(0.3)
    assert plain.gap_ci95 == pytest.approx(newcombe((90, 30), (100, 50), 0.95))
    assert plain.groups["y"].gap == pytest.approx(-0.3)
    assert plain.groups["y"].gap_ci95 == pytest.approx(newcombe((30, 90), (50, 100), 0.95))
    assert plain.groups["x"].ci95 == pytest.approx(wilson(90, 100))
    # Of the worst the interval allows for both groups.
    assert plain.worst_ci95 == pytest.approx(wilson(30, 50, 0.975))
    assert masked.groups["y"].change == pytest.approx(0.1)
    assert masked.gap == pytest.approx(0.8 - 0.7)
    assert plain.groups["x"].change is None


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_an_interval_takes_its_level(level: float) -> None:
    from scipy.stats import t

    values = np.random.default_rng(0).normal(1, 2, 30)
    mean = Mean()
    for value in values:
        mean.add(value)
    expected = t.interval(level, 29, values.mean(), values.std(ddof=1) / np.sqrt(30))
    assert mean.interval(level)[0] == pytest.approx(expected)


@pytest.mark.parametrize("clusters", [12, 40])
def test_a_gap_over_clusters_covers(clusters: int) -> None:
    """Templates of six rows that are easy or hard together, both groups in each."""
    rng, held, alone = np.random.default_rng(clusters), 0, 0
    for _ in range(50):
        rows = []
        for c in range(clusters):
            easy = rng.normal(0.7, 0.5)
            for i in range(6):
                p = norm.cdf(easy + (0.4 if i % 2 else 0.0))
                right = bool(rng.random() < p)
                rows.append(row_of(len(rows), "xy"[i % 2], right, right, f"c{c}"))
        truth = norm.cdf(1.1 / np.sqrt(1.25)) - norm.cdf(0.7 / np.sqrt(1.25))
        low, high = sums(rows).result()["g"].arms["plain"].groups["y"].gap_ci95
        held += low <= truth <= high
        ends = newcombe(
            tuple(sum(r.label == "a" for r in rows if r.groups["g"] == g) for g in "yx"),
            (3 * clusters, 3 * clusters), 0.95,
        )  # fmt: skip
        alone += ends[0] <= truth <= ends[1]
    assert held / 50 >= 0.86
    assert alone >= held - 3  # rows taken for independent: too wide here, since both lie in each


def test_the_worst_of_equal_groups_is_held_by_its_interval() -> None:
    """Five groups that are all right in 80 %: the lowest looks worse than it is."""
    rng, held, gaps = np.random.default_rng(3), 0, 0
    for _ in range(60):
        rows = [row_of(i, f"g{i % 5}", bool(rng.random() < 0.8), True) for i in range(300)]
        plain = sums(rows).result()["g"].arms["plain"]
        held += plain.worst_ci95[0] <= 0.8 <= plain.worst_ci95[1]
        gaps += plain.gap_ci95[0] <= 0 <= plain.gap_ci95[1]
    assert held >= 55
    assert gaps >= 55


def test_groups_that_are_all_right_have_no_interval_of_width_zero() -> None:
    for cluster in (None, "c"):
        rows = [row_of(i, "xy"[i % 2], True, True, cluster and f"c{i // 4}") for i in range(120)]
        plain = sums(rows).result()["g"].arms["plain"]
        assert plain.gap == 0
        assert plain.gap_ci95[0] < -0.01 < 0.01 < plain.gap_ci95[1]
        assert plain.worst_ci95[0] < 1


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ("x" * 40, "one value of 'g'"),
        ("x" * 35 + "y" * 5, "fewer than 10 rows"),
        ("x" * 20 + " " * 20, "20 rows have no 'g'"),
    ],
)
def test_what_groups_cannot_say_is_said(groups: str, says: str) -> None:
    rows = [row_of(i, g.strip() or "(empty)", i % 3 > 0, True) for i, g in enumerate(groups)]
    found = sums(rows).result()["g"]
    assert any(says in note for note in found.notes)
    assert (found.arms["plain"].gap is None) == (len(set(groups)) < 2 or groups.count("y") == 5)


def table(count: int = 60) -> bytes:
    rows = [
        f"{('Anna saw a dull story', 'a great film', 'so funny')[i % 3]} {i},{i % 2},"
        f"{'xy'[i % 4 > 1]},{'uv'[i % 3 > 1]},{i},t{i % 25}"
        for i in range(count)
    ]
    return ("text,label,who,where,id,site\n" + "\n".join(rows)).encode()


def compared(model: str, content: bytes = b"", **more) -> FileComparison:
    return compare_file(
        content or table(), ["random"], model=model, text_column="text", name="a.csv", draws=0,
        **{"label_column": "label", **more},
    )  # fmt: skip


def test_a_file_has_its_groups_their_crossing_and_a_second_model(tiny) -> None:
    found = compared(
        tiny("bert"), group_columns=["who", "where"], cluster="site", beside=tiny("bert")
    )
    assert set(found.group_gaps) == {"who", "where", "who × where"}
    gaps = found.group_gaps["who × where"]
    assert len(gaps.arms) == 4
    assert {"x × u", "y × v"} <= set(gaps.arms["plain"].groups)
    for column, values in found.group_gaps.items():
        for value, group in values.arms["plain"].groups.items():
            broken = found.groups[column][value]["random"]
            assert group.score == pytest.approx(broken.accuracy_original)
            assert group.rows == broken.rows
            assert broken.ece_original is not None
    written = json.loads(json.dumps(found.to_dict()))
    assert FileComparison.from_dict(written).group_gaps == found.group_gaps
    assert "group_gaps" not in compared(tiny("bert")).to_dict()


@pytest.mark.parametrize("more", [{"label_column": None}, {}])
def test_without_labels_groups_differ_in_flips(tiny, more: dict) -> None:
    found = compared(tiny("bert"), group_columns=["who"], **more).group_gaps["who"]
    assert found.measure == ("flip rate" if more else "accuracy")
    assert ("plain" in found.arms) != bool(more)


def test_numbers_are_binned_and_too_many_values_refused(tiny) -> None:
    found = compared(tiny("bert"), group_columns=["id"])
    assert len(found.group_gaps["id"].arms["plain"].groups) == 10
    rows = "".join(f"a film {i},n{i}\n" for i in range(10_000))
    with pytest.raises(DataError, match=r"10,000 different values.*at most 200"):
        compare_file(
            f"text,who\n{rows}".encode(), ["random"], model=tiny("bert"), text_column="text",
            name="a.csv", group_columns=["who"],
        )  # fmt: skip
    with pytest.raises(DataError, match="no column 'nowhere'"):
        compared(tiny("bert"), group_columns=["nowhere"])


def test_a_label_that_one_group_has_alone_is_said(tiny) -> None:
    rows = "".join(f"a film {i},{i % 2},{'xy'[i % 2]}\n" for i in range(40))
    found = compared(tiny("bert"), f"text,label,who\n{rows}".encode(), group_columns=["who"])
    notes = found.group_gaps["who"].notes
    assert sum("alone: what sets that group apart may be the label" in n for n in notes) == 2


def test_a_crossing_of_one_column_is_none() -> None:
    assert crossed(["a"], {"a": "x", "b": "y"}) == {"a": "x"}


@pytest.mark.parametrize("begin", ["x" * 80, "https://example.org/" + "a/" * 60, "é" * 200])
def test_long_values_that_begin_alike_are_groups_of_their_own(begin: str) -> None:
    one, other = group_value(begin + "1"), group_value(begin + "2")
    assert one != other
    assert one == group_value(f" {begin}1 ")
    assert len(one) == len(other) == 80
    assert one.startswith(begin[:71])
    assert group_value(begin[:80]) == begin[:80]
