"""A file at a time: every statistic against scipy, scikit-learn or a count by hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest, chisquare

from maskviz.errors import CapabilityError, DataError, ParameterError, UnknownNameError
from maskviz.evidence import FileComparison, compare, compare_file
from maskviz.evidence.chance.reference import drawn_beside
from maskviz.evidence.files.answers import Calibration
from maskviz.evidence.files.chance import APART, FEWEST, ChanceTally, beside_each_other
from maskviz.evidence.files.tally import RowEffect, RowResult, Tallies, Worst
from maskviz.evidence.statistics import bootstrap_interval, bootstrap_of_counts, paired_t
from maskviz.masks import mask
from maskviz.models import load_model
from maskviz.shares import mcnemar, tango, wilson
from tests.file_rows import CSV, run
from tests.tiny_models import build

# statistics ---------------------------------------------------------------------------------


def test_paired_t_is_scipys() -> None:
    from scipy.stats import ttest_rel

    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 40), rng.normal(0.2, 1, 40)
    (low, high), p = paired_t(40, (b - a).sum(), ((b - a) ** 2).sum())
    theirs = ttest_rel(b, a)
    assert p == pytest.approx(theirs.pvalue)
    assert (low, high) == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    assert paired_t(3, 0.0, 0.0) == paired_t(1, 0.4, 0.16) == (None, None)


def test_counts_give_the_interval_of_the_values() -> None:
    values = [1.0] * 30 + [0.0] * 60 + [-1.0] * 10
    assert bootstrap_interval(values) == bootstrap_of_counts({-1.0: 10, 0.0: 60, 1.0: 30})


def test_calibration_error_by_hand() -> None:
    calibration = Calibration()
    for confidence, right in [(0.95, True), (0.95, False), (0.62, True), (1.0, True)]:
        calibration.add(confidence, right)
    # Bins of 1/15: 0.95 and 1.0 share the last one (2 of 3 right, 2.9 of confidence).
    assert calibration.error() == pytest.approx((abs(2 - 2.9) + abs(1 - 0.62)) / 4)
    assert Calibration().error() is None


def test_calibration_error_of_a_calibrated_model_goes_to_zero() -> None:
    rng, calibration = np.random.default_rng(0), Calibration()
    for confidence in rng.uniform(0.5, 1, 40_000):
        calibration.add(confidence, bool(rng.random() < confidence))
    assert calibration.error() < 0.02


def test_the_worst_rows_are_flips_first_then_the_largest_change() -> None:
    worst = Worst(3)
    for number, (flip, delta) in enumerate([(False, -0.9), (True, 0.1), (True, -0.4), (False, 0)]):
        effect = RowEffect("a", 1.0, delta, flip, 0.0, 0.1)
        worst.add(RowResult(number, "", None, "a", 1.0, {}), effect)
    assert [row.row for row in worst.rows()] == [2, 1, 0]


# a file -------------------------------------------------------------------------------------


def test_sums_equal_what_the_rows_say(tiny) -> None:
    from sklearn.metrics import accuracy_score

    rows: list[RowResult] = []
    found = run(tiny("modernbert"), label_column="label", by=["who"], each=rows.append)
    assert found.rows == len(rows) == 150
    truth = [r.expected for r in rows]
    for name, result in found.strategies.items():
        effects = [r.effects[name] for r in rows]
        plain = [r.label == r.expected for r in rows]
        masked = [e.label == r.expected for e, r in zip(effects, rows, strict=True)]
        assert result.accuracy_original == pytest.approx(
            accuracy_score(truth, [r.label for r in rows])
        )
        assert result.accuracy_masked == pytest.approx(np.mean(masked))
        lost = sum(a and not b for a, b in zip(plain, masked, strict=True))
        won = sum(b and not a for a, b in zip(plain, masked, strict=True))
        assert result.p_value == pytest.approx(mcnemar(lost, won))
        assert result.ci95 == tango(lost, won, 150)
        assert result.flip_ci95 == pytest.approx(wilson(sum(e.flip for e in effects), 150))
        assert result.flip_rate == pytest.approx(np.mean([e.flip for e in effects]))
        assert result.mean_kl == pytest.approx(np.mean([e.kl for e in effects]))
        assert result.mean_delta == pytest.approx(np.mean([e.delta for e in effects]))
        assert 0 <= result.ece_masked <= 1
    counts = Counter(r.groups["who"] for r in rows)
    groups = found.groups["who"]
    assert {value: r["span"].rows for value, r in groups.items()} == counts
    assert sum(r["span"].rows * r["span"].flip_rate for r in groups.values()) == pytest.approx(
        150 * found.strategies["span"].flip_rate
    )
    assert set(found.groups["label"]) == {"LABEL_0", "LABEL_1"}
    flips = [r.effects["span"].flip for r in found.worst["span"]]
    assert flips == sorted(flips, reverse=True)


def interval_of(values) -> tuple[float, float]:
    from scipy.stats import ttest_1samp

    return tuple(ttest_1samp(values, 0).confidence_interval(0.95))


def test_chance_is_what_random_masks_of_the_same_size_do_to_each_row(tiny) -> None:
    rows: list[RowResult] = []
    model = tiny("modernbert")
    found = run(model, label_column="label", each=rows.append, limit=24, draws=3, ratio=0.6)
    chance = found.strategies["span"].chance
    flips, right, known = [], [], []
    for row in rows:
        assert row.seed == row.row - 1
        chosen = mask(row.text, "span", seed=row.seed, ratio=0.6)
        others = drawn_beside(chosen, load_model(model), "cut", 3, row.seed + APART)
        if not others:  # no run of as many words and tokens stands elsewhere in the row
            assert row.effects["span"].chance_flips is None
            continue
        known.append(row)
        drawn = [compare(other, model) for other in others]
        flips.append(np.mean([c.flip for c in drawn]))
        right.append(np.mean([c.masked.label == row.expected for c in drawn]))
    assert len(known) > 5
    rows = known
    effects = [row.effects["span"] for row in rows]
    assert [e.chance_flips for e in effects] == pytest.approx(flips)
    assert [e.chance_score for e in effects] == pytest.approx(right)
    beyond = [e.flip - e.chance_flips for e in effects]
    assert (chance.flip_rate, chance.flip_beyond) == pytest.approx(
        (np.mean(flips), np.mean(beyond))
    )
    assert chance.flip_beyond_ci95 == pytest.approx(interval_of(beyond))
    plain = [row.label == row.expected for row in rows]
    masked = [e.label == row.expected for e, row in zip(effects, rows, strict=True)]
    assert chance.change == pytest.approx(np.mean(right) - np.mean(plain))
    assert chance.beyond == pytest.approx(np.mean(masked) - np.mean(right))
    assert chance.ci95 == pytest.approx(interval_of(np.subtract(right, plain)))
    assert any(flips)


def test_a_mask_that_hides_nothing_has_a_chance_that_changes_nothing(tiny) -> None:
    content = b"text;label\nso dull;0\na great film;1\n"
    result = run(tiny("bert"), content, ["entity"], label_column="label", draws=2).strategies
    chance = result["entity"].chance
    assert (chance.flip_rate, chance.flip_beyond, chance.change, chance.beyond) == (0, 0, 0, 0)
    assert not chance.surpassed
    assert run(tiny("bert"), content, ["random"], draws=0).strategies["random"].chance is None
    with pytest.raises(ParameterError, match="take 0 to 100"):
        run(tiny("bert"), content, draws=101)


def test_a_strategy_beyond_chance_is_told_from_one_that_is_not() -> None:
    tallies = Tallies("single", ["strong", "weak"])
    for i in range(400):
        label = "ab"[i % 10 == 0]
        strong = RowEffect("b", 1.0, 0.0, i % 2 == 0, 0.0, 0.1, (), (i % 10 == 0) * 1.0)
        weak = RowEffect(label, 1.0, 0.0, i % 10 == 1, 0.0, 0.1, (), (i % 10 == 0) * 1.0)
        tallies.add(RowResult(i, "", None, "a", 1.0, {"strong": strong, "weak": weak}))
    found = tallies.results()
    assert found["strong"].chance.surpassed
    assert found["strong"].chance.flip_beyond == pytest.approx(0.4)
    assert not found["weak"].chance.surpassed


def test_rows_that_look_alike_have_different_places_hidden(tiny) -> None:
    rows: list[RowResult] = []
    content = b"text\n" + b"one two three four five six seven\n" * 140
    run(tiny("bert"), content, ["random"], each=rows.append, draws=0)
    hidden = Counter(mask(row.text, "random", seed=row.seed).spans[0].start for row in rows)
    assert len(hidden) == 7
    assert chisquare(list(hidden.values())).pvalue > 0.001


def test_each_group_has_the_chance_of_its_own_rows() -> None:
    def rows() -> Iterator[RowResult]:
        for i in range(60):
            effect = RowEffect(
                "ab"[i % 3 == 0], 1.0, 0.0, i % 3 == 0, 0.0, 0.1, ("X",), i % 4 / 4, i % 5 / 5
            )
            groups = {"size": "few" if i < 5 else "big"}
            yield RowResult(i, "", "ab"[i % 2], "a", 1.0, {"span": effect}, groups)

    every = Tallies("single", ["span"])
    apart = {value: Tallies("single", ["span"]) for value in ("few", "big", "a", "b")}
    for row in rows():
        every.add(row)
        apart[row.groups["size"]].add(row)
        apart[row.expected].add(row)
    found = every.group_results()
    for column, values in (("size", ("big", "few")), ("label", ("a", "b"))):
        assert tuple(found[column]) == values
        for value in values:
            alone = apart[value].results()["span"]
            allowed, own = found[column][value]["span"].chance, alone.chance
            assert allowed.flip_p_adjusted is None or allowed.flip_p_adjusted >= own.flip_p_value
            assert (
                replace(allowed, p_adjusted=own.p_adjusted, flip_p_adjusted=own.flip_p_adjusted)
                == own
            )
    assert found["hidden"]["X"]["span"].chance == every.results()["span"].chance
    few = found["size"]["few"]["span"].chance
    assert few.few
    assert not few.surpassed


@pytest.mark.parametrize("strategies", [1, 10])
def test_strategies_that_do_nothing_are_beyond_chance_in_one_file_of_twenty(
    strategies: int,
) -> None:
    """A strategy is one more random mask of each row; rows differ in how easily they flip."""
    rng = np.random.default_rng(0)
    files, rows, draws, hits, alone = 200, 40, 5, 0, 0
    for _ in range(files):
        easily = rng.beta(0.3, 1.0, rows)
        tallies = [ChanceTally(regression=False) for _ in range(strategies)]
        for tally in tallies:
            own, *others = rng.random((draws + 1, rows)) < easily
            for flip, chance in zip(own, np.mean(others, 0), strict=True):
                tally.add_flips(float(chance), bool(flip))
        found = [tally.result() for tally in tallies]
        alone += any(r.flips_surpassed for r in found)
        told = beside_each_other(found)
        assert all(a.surpassed <= b.surpassed for a, b in zip(told, found, strict=True))
        hits += any(r.surpassed for r in told)
    assert hits / files <= 0.05 + 2 * (0.05 * 0.95 / files) ** 0.5
    if strategies > 1:
        assert alone / files > 0.2  # what it would be if each verdict stood for itself


def test_few_rows_are_never_beyond_chance_however_much_they_differ() -> None:
    for rows, told in ((FEWEST - 1, False), (FEWEST, True)):
        tally = ChanceTally(regression=False)
        for _ in range(rows):
            tally.add_flips(0.0, True)
        assert tally.result().surpassed is tally.result().flips_surpassed is told
    assert binomtest(FEWEST - 1, FEWEST - 1).pvalue > 0.05 > binomtest(FEWEST, FEWEST).pvalue


def test_a_regression_is_held_against_errors_at_random() -> None:
    tally = ChanceTally(regression=True)
    for plain, chance, strategy in [(0.1, 0.3, 0.9), (0.2, 0.2, 1.1), (0.4, 0.6, 1.0)]:
        tally.add_flips(0.0, False)
        tally.add_score(plain, chance, strategy)
    found = tally.result()
    assert found.change == pytest.approx(0.4 / 3)
    assert found.beyond == pytest.approx(1.9 / 3)
    assert found.beyond_ci95 == pytest.approx(paired_t(3, 1.9, 0.36 + 0.81 + 0.16)[0])


def test_a_regression_without_labels_shows_how_the_value_moves(tmp_path) -> None:
    from scipy.stats import ttest_1samp

    model = str(build("bert", tmp_path / "value", num_labels=1, initializer_range=0.5))
    rows: list[RowResult] = []
    result = run(model, each=rows.append, limit=20, draws=2).strategies["random"]
    moved = [row.effects["random"].delta for row in rows]
    drawn = [row for row in rows if row.effects["random"].chance_score is not None]
    chance = [row.effects["random"].chance_score - row.probability for row in drawn]
    beside = [row.effects["random"].delta for row in drawn]
    interval = ttest_1samp(moved, 0).confidence_interval(0.95)
    assert result.mean_delta == pytest.approx(np.mean(moved))
    assert result.delta_ci95 == pytest.approx(tuple(interval))
    assert result.chance.change == pytest.approx(np.mean(chance))
    assert result.chance.beyond == pytest.approx(np.mean(beside) - np.mean(chance))
    assert result.delta_error is None


def test_types_of_what_is_hidden_break_the_result_down(tiny) -> None:
    found = run(tiny("bert"), strategies=["attribute"], limit=30)
    assert found.groups["hidden"]["names"]["attribute"].rows == 10


def test_a_result_survives_json(tiny) -> None:
    found = run(tiny("bert"), label_column="label", by=["who"], beside=tiny("modernbert"), limit=20)
    again = FileComparison.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found


def test_stopping_keeps_the_rows_so_far(tiny) -> None:
    done = []
    found = run(
        tiny("bert"),
        progress=lambda rows, total: done.append((rows, total)),
        stop=lambda: len(done) == 2,
    )
    assert done == [(64, 150), (128, 150)]
    assert found.rows == 128
    assert not found.complete
    assert "These are the first 128 of 150 rows." in found.notes


def test_rows_that_are_cut_or_left_out_are_named_with_the_reason(tiny, monkeypatch) -> None:
    monkeypatch.setattr("maskviz.text.pipelines._PIECE", 2000)
    texts = ["a dull story", "a great film " * 40, "... !", "half a \ud800 pair", "film " * 500]
    content = "\n".join(json.dumps({"text": text}) for text in texts).encode()
    common = {"model": tiny("bert"), "text_column": "text", "name": "a.jsonl"}
    read: list[str] = []
    monkeypatch.setattr("maskviz.evidence.files.taken.LONGEST", 1000)
    found = compare_file(content, ["entity"], note=read.append, **common)
    assert read == ["row 5 with its 2,500 characters"]
    assert found.rows == 4  # half a surrogate pair is read as U+FFFD
    said = " ".join(found.notes)
    assert "1 row without a word left out: 3." in said
    assert "2 rows longer than the 64 tokens" in said
    assert "cut at the end: 2, 5." in said
    whole = compare_file(content, ["random"], long="windows", **common)
    assert not any("cut at the end" in note for note in whole.notes)


def test_nothing_runs_before_every_label_is_known(tiny) -> None:
    asked = []
    with pytest.raises(DataError, match="Row 151 has the label 'joy'"):
        run(tiny("bert"), CSV + b"x;joy;y\n", label_column="label", each=asked.append)
    assert asked == []
    for changes, error in (
        ({"by": ["size"]}, DataError),
        ({"operator": "hide"}, UnknownNameError),
        ({"long": "fold"}, UnknownNameError),
        ({"strategies": []}, DataError),
    ):
        with pytest.raises(error):
            run(tiny("bert"), **changes)


def test_an_operator_that_the_model_lacks_is_refused_before_the_file_is_read(tiny) -> None:
    with pytest.raises(CapabilityError, match="no mask token"):
        run(tiny("gpt2"), b"not read at all")
