"""How often each kind of interval that is shown holds the true value, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from maskviz.evidence.intervals import mean_interval
from maskviz.evidence.statistics import Mean
from maskviz.shares import in_clusters, tango, wilson
from maskviz.training.loop.metrics import sure

DRAWS = 1500
FEWEST = 0.92  # Wilson's swings about 95 of 100 with share and rows: 92.4 at 29 of 30


def held(interval: tuple[float, float] | None, true: float) -> bool:
    return interval is not None and interval[0] <= true <= interval[1]


@pytest.mark.parametrize("share", [0.5, 0.9, 0.967])
@pytest.mark.parametrize("rows", [30, 200])
def test_wilson_of_independent_rows(share: float, rows: int) -> None:
    rng = np.random.default_rng(0)
    hits = rng.binomial(rows, share, DRAWS)
    found = np.mean([held(wilson(int(h), rows), share) for h in hits])
    assert found >= FEWEST
    wald = np.mean(
        [abs(h / rows - share) <= 1.96 * np.sqrt(h / rows * (1 - h / rows) / rows) for h in hits]
    )
    assert wald < 0.9 or share < 0.9 or rows > 30  # which is why it is not shown


def test_a_share_at_the_edge_has_a_width_within_0_and_1() -> None:
    found = sure([1] * 29 + [0])
    assert found["ci95_high"] < 1
    assert sure([1] * 30)["ci95_low"] < 0.9
    assert sure([1]) == {}


@pytest.mark.parametrize(("lost", "won"), [(0.05, 0.1), (0.02, 0.02), (0.3, 0.2)])
@pytest.mark.parametrize("rows", [30, 200])
def test_tango_of_paired_differences(lost: float, won: float, rows: int) -> None:
    rng = np.random.default_rng(1)
    counts = rng.multinomial(rows, [lost, won, 1 - lost - won], DRAWS // 5)
    found = np.mean([held(tango(int(a), int(b), rows), won - lost) for a, b, _ in counts])
    assert found >= 0.92  # of 300 draws


@pytest.mark.parametrize("groups", [12, 40])
def test_clusters_that_share_something(groups: int) -> None:
    """Rows of a cluster are right together: as independent rows they would say too much."""
    rng = np.random.default_rng(2)
    ours, theirs = [], []
    for _ in range(DRAWS // 3):
        chance = rng.beta(4, 1, groups)
        counts = rng.integers(3, 20, groups)
        hits = rng.binomial(counts, chance)
        ours.append(held(in_clusters(hits.tolist(), counts.tolist()), 0.8))
        theirs.append(held(wilson(int(hits.sum()), int(counts.sum())), 0.8))
    assert np.mean(ours) >= 0.92
    assert np.mean(theirs) < 0.85


@pytest.mark.parametrize("clustered", [False, True])
def test_differences_of_pairs_by_row_and_by_cluster(clustered: bool) -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(DRAWS // 3):
        mean = Mean((-1, 1))
        for group in range(30):
            common = rng.normal(0.05, 0.1)
            for _ in range(4 if clustered else 1):
                value = float(np.clip(common + rng.normal(0, 0.05), -1, 1))
                mean.add(value, str(group) if clustered else None)
        found.append(held(mean.interval()[0], 0.05))
    assert np.mean(found) >= 0.92


@pytest.mark.parametrize("seeds", [3, 5])
def test_student_over_seeds(seeds: int) -> None:
    rng = np.random.default_rng(4)
    draws = rng.normal(0.8, 0.02, (DRAWS // 3, seeds))
    assert np.mean([held(mean_interval(row.tolist())[1:], 0.8) for row in draws]) >= 0.92
