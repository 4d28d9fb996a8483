"""The probe, the intervals over seeds and the recovery, against closed forms and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskviz.errors import DataError
from maskviz.evidence.distractor.interference import recovery
from maskviz.evidence.distractor.leakage import _ridge, counts_of, probe
from maskviz.evidence.intervals import difference, mean_interval

RNG = np.random.default_rng(0)


def test_a_probe_reads_what_is_there_and_nothing_where_nothing_is():
    groups = np.arange(200) % 2
    noise = RNG.normal(size=(200, 8))
    found = probe(np.column_stack([noise, groups]), groups)
    assert found.accuracy == 1.0
    assert found.leaks
    assert found.p_value == pytest.approx(1 / 51)
    blind = probe(noise, groups)
    assert abs(blind.accuracy - 0.5) < 0.15
    assert blind.low < blind.chance < blind.high
    assert probe(np.ones((40, 3)), np.arange(40) % 2).accuracy <= 0.6


@pytest.mark.parametrize("columns", [5, 120])
def test_both_forms_of_the_ridge_equal_scikit_learn(columns):
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    known, unseen = RNG.normal(size=(60, columns)), RNG.normal(size=(20, columns))
    targets = RNG.normal(size=(60, 2))
    scaler = StandardScaler().fit(known)
    theirs = Ridge(alpha=60.0).fit(scaler.transform(known), targets)
    assert np.allclose(_ridge(known, targets, unseen), theirs.predict(scaler.transform(unseen)))


def test_a_probe_asks_for_enough_rows():
    with pytest.raises(DataError, match="10 rows of each group"):
        probe(np.zeros((12, 2)), [0] * 8 + [1] * 4)


def test_counts_are_of_the_ids_that_occur():
    assert counts_of([[5, 5, 9], [9]]).tolist() == [[2, 1], [0, 1]]


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=8))
@settings(max_examples=50, deadline=None)
def test_the_interval_is_scipys(values):
    from scipy import stats

    mean, low, high = mean_interval(values)
    assert mean == pytest.approx(np.mean(values), abs=1e-9)
    spread = stats.sem(values)
    if spread > 1e-9:
        assert (low, high) == pytest.approx(
            stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=spread), abs=1e-6
        )


def test_the_t_interval_covers_five_seeds_where_a_bootstrap_does_not():
    draws = np.random.default_rng(1).normal(size=(600, 5))
    held = boot = 0
    for row in draws:
        _, low, high = mean_interval(list(row))
        held += low <= 0 <= high
        means = row[np.random.default_rng(2).integers(0, 5, (400, 5))].mean(1)
        boot += np.quantile(means, 0.025) <= 0 <= np.quantile(means, 0.975)
    assert held / 600 > 0.92
    assert boot / 600 < 0.90


def test_edges_of_the_interval():
    assert all(math.isnan(v) for v in mean_interval([]))
    assert mean_interval([0.5])[0] == 0.5
    assert math.isnan(mean_interval([0.5])[1])
    assert mean_interval([0.5, 0.5]) == (0.5, 0.5, 0.5)
    assert difference([1.0, 2.0], [1.5, 2.6])[0] == pytest.approx(0.55)


def test_recovery_is_a_ratio_of_sums_with_an_interval():
    plain = [0.3, 0.2, 0.4, 0.3, 0.3]
    assert recovery(plain, [0.0] * 5) == (1.0, 1.0, 1.0)
    assert recovery(plain, plain)[0] == 0.0
    mean, low, high = recovery(plain, [0.0, 0.1, 0.0, -0.1, 0.1])
    assert mean == pytest.approx(1 - 0.1 / 1.5)
    assert low < mean < high
    assert all(math.isnan(v) for v in recovery([0.0, 0.0], [0.1, 0.1]))
