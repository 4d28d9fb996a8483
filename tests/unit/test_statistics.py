"""Every statistic that a comparison reports, against scipy, scikit-learn or its closed form.

Those of a whole file are in test_compare_file, of pairs in test_fairness, of rationales in
test_faithfulness, of seeds in test_leakage; here are the rest.
"""

from __future__ import annotations

from math import comb
from types import SimpleNamespace

import numpy as np
import pytest

from maskviz.evidence import control
from maskviz.evidence.files.answers import BINS, Calibration
from maskviz.evidence.statistics import Mean, bootstrap_interval, divergence, kendall
from maskviz.evidence.words.faithfulness import _chance, _curve
from maskviz.masks import mask
from maskviz.readings.heads import activated, log_odds
from maskviz.shares import mcnemar, tango, wilson

RNG = np.random.default_rng(7)


def config(kind: str, labels: int) -> SimpleNamespace:
    return SimpleNamespace(problem_type=kind, num_labels=labels)


@pytest.mark.parametrize("values", [RNG.normal(0.2, 1, 90), RNG.choice([-1.0, 0, 1], 400)])
def test_the_bootstrap_interval_is_scipys_up_to_the_draws(values) -> None:
    from scipy.stats import bootstrap

    theirs = bootstrap((values,), np.mean, n_resamples=9999, method="percentile", rng=RNG)
    interval = tuple(theirs.confidence_interval)
    assert bootstrap_interval(values, 9999) == pytest.approx(interval, abs=0.02)


@pytest.mark.parametrize(("lost", "won"), [(1, 8), (12, 5), (0, 3), (40, 41)])
def test_mcnemars_p_is_the_sum_of_the_binomial_tails(lost: int, won: int) -> None:
    n, fewer = lost + won, min(lost, won)
    tail = sum(comb(n, k) for k in range(fewer + 1)) / 2**n
    assert mcnemar(lost, won) == pytest.approx(min(1.0, 2 * tail))


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (3, 7), (40, 41), (500, 1000)])
def test_the_interval_of_a_share_is_scipys_wilson(hits: int, count: int) -> None:
    from scipy.stats import binomtest

    theirs = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    assert wilson(hits, count) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize(("lost", "won", "count"), [(0, 0, 20), (3, 1, 9), (0, 6, 6), (12, 30, 90)])
def test_tangos_interval_holds_the_difference_and_turns_with_its_sign(lost, won, count) -> None:
    low, high = tango(lost, won, count)
    assert low < (won - lost) / count <= high
    assert high - low > 0.01
    assert tango(won, lost, count) == pytest.approx((-high, -low))


@pytest.mark.parametrize(("lost", "won", "count"), [(2, 12, 50), (7, 3, 30)])
def test_tangos_bounds_are_where_the_score_test_turns(lost, won, count) -> None:
    """The share of lost rows that is likeliest where the difference is held fixed, on a grid."""
    for delta, z in zip(tango(lost, won, count), (1.96, -1.96), strict=True):
        share = np.linspace(max(0, -delta) + 1e-9, (1 - delta) / 2 - 1e-9, 200_001)
        log_likelihood = (
            lost * np.log(share) + won * np.log(share + delta)
            + (count - lost - won) * np.log(1 - 2 * share - delta)
        )  # fmt: skip
        best = share[log_likelihood.argmax()]
        error = np.sqrt((2 * best + delta * (1 - delta)) / count)
        assert ((won - lost) / count - delta) / error == pytest.approx(z, abs=1e-3)


@pytest.mark.parametrize("consecutive", [True, False])
@pytest.mark.parametrize("clusters", [6, 12, 32])
def test_the_interval_over_clusters_covers_as_often_as_it_says(clusters, consecutive) -> None:
    rng, hits, rowwise = np.random.default_rng(clusters), 0, 0
    for _ in range(300):
        shared, alone = Mean(consecutive=consecutive), Mean()
        for cluster in range(clusters):
            for value in rng.normal() + rng.normal(0, 0.5, 15):
                shared.add(float(value), str(cluster))
                alone.add(float(value))
        for mean, is_shared in ((shared, True), (alone, False)):
            low, high = mean.interval()[0]
            hits += is_shared and low <= 0 <= high
            rowwise += not is_shared and low <= 0 <= high
    assert hits / 300 > 0.91
    assert rowwise / 300 < 0.5  # what an interval over rows would do


def test_clusters_of_one_row_each_are_rows() -> None:
    values = RNG.normal(0.1, 1, 30)
    alone, shared = Mean(), Mean()
    for number, value in enumerate(values):
        alone.add(float(value))
        shared.add(float(value), str(number))
    assert shared.interval() == alone.interval()


@pytest.mark.parametrize("value", [0.0, 1.0, -0.5])
@pytest.mark.parametrize("cluster", [None, "by row"])
def test_no_interval_is_a_point(value, cluster) -> None:
    for bounds in ((-1, 1), None):
        mean = Mean(bounds)
        for row in range(12):
            mean.add(value, cluster and str(row // 2))
        interval, p = mean.interval()
        assert p is None
        assert interval is None if bounds is None else interval[0] < interval[1]
    one = Mean((-1, 1))
    for _ in range(5):
        one.add(value, "the only cluster")
    assert one.interval() == (None, None)


def test_sums_that_are_merged_are_those_of_all_rows() -> None:
    parts, whole = [Mean((-1, 1)), Mean((-1, 1))], Mean((-1, 1))
    for number, value in enumerate(RNG.uniform(-1, 1, 40)):
        for mean in (parts[number % 2], whole):
            mean.add(float(value), str(number % 7))
    parts[0].merge(parts[1])
    assert parts[0].units == whole.units == 7
    assert parts[0].interval()[0] == pytest.approx(whole.interval()[0])


def test_divergence_of_several_labels_adds_up_their_bernoullis() -> None:
    from scipy.stats import entropy

    p, q = RNG.uniform(0.05, 0.95, 4), RNG.uniform(0.05, 0.95, 4)
    one_by_one = [entropy([a, 1 - a], [b, 1 - b]) for a, b in zip(p, q, strict=True)]
    assert divergence("multi", p, q) == pytest.approx(sum(one_by_one))
    assert divergence("regression", p, q) is None


def test_probabilities_and_log_odds_are_scipys() -> None:
    from scipy.special import expit, logit, softmax

    logits = RNG.normal(0, 3, (5, 4))
    single, multi = "single", "multi"
    np.testing.assert_allclose(activated(single, logits), softmax(logits, -1))
    np.testing.assert_allclose(activated(multi, logits), expit(logits))
    np.testing.assert_allclose(log_odds(single, logits), logit(softmax(logits, -1)), rtol=1e-7)
    np.testing.assert_allclose(log_odds(multi, logits), logits)


def test_calibration_error_is_that_of_the_binned_answers() -> None:
    confidence = RNG.uniform(0.3, 1, 500)
    right = RNG.random(500) < confidence**2
    calibration = Calibration()
    for one, hit in zip(confidence, right, strict=True):
        calibration.add(one, bool(hit))
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    expected = sum(
        (bins == b).mean() * abs(right[bins == b].mean() - confidence[bins == b].mean())
        for b in set(bins)
    )
    assert calibration.error() == pytest.approx(expected)


def test_the_area_below_a_curve_is_scikit_learns() -> None:
    from sklearn.metrics import auc

    found = _curve((0, 1, 3, 7), 7, lambda k: 0.9 / (1 + k))
    assert found.area == pytest.approx(auc(found.shares, found.probabilities))
    assert found.shares == (0, 1 / 7, 3 / 7, 1)


def test_kendalls_tau_counts_pairs_and_corrects_for_ties() -> None:
    a, b = RNG.integers(0, 6, 15), RNG.integers(0, 6, 15)
    pairs = [(i, j) for i in range(15) for j in range(i)]
    signs = [(np.sign(a[i] - a[j]), np.sign(b[i] - b[j])) for i, j in pairs]
    untied = [sum(s != 0 for s in side) for side in zip(*signs, strict=True)]
    tau = sum(x * y for x, y in signs) / np.sqrt(untied[0] * untied[1])
    assert kendall(a, b)[0] == pytest.approx(tau)


def test_chance_is_the_middle_of_its_draws(tiny) -> None:
    from scipy.stats.mstats import mquantiles

    def middle(values):
        return tuple(mquantiles(values, [0.025, 0.975], alphap=1, betap=1))

    chosen = mask("Anna loved this great film, but Paris was a dull story.", "random", ratio=0.3)
    found = control(chosen, tiny("modernbert"), draws=40)
    assert len(found.probabilities) == found.draws > 1
    assert (found.low, found.high) == pytest.approx(middle(found.probabilities))
    values = RNG.normal(size=30)
    chance = _chance(values)
    assert (chance.mean, chance.low, chance.high) == pytest.approx((values.mean(), *middle(values)))
