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
from maskviz.evidence.files.tally import BINS, Calibration
from maskviz.evidence.statistics import bootstrap_interval, divergence, kendall, mcnemar
from maskviz.evidence.words.faithfulness import _chance, _curve
from maskviz.masks import mask
from maskviz.readings.heads import activated, log_odds

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
    found = control(chosen, tiny("bert"), draws=40)
    assert len(found.probabilities) == 40
    assert (found.low, found.high) == pytest.approx(middle(found.probabilities))
    values = RNG.normal(size=30)
    chance = _chance(values)
    assert (chance.mean, chance.low, chance.high) == pytest.approx((values.mean(), *middle(values)))
