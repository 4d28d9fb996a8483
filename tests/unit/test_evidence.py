from __future__ import annotations

import math

import numpy as np
import pytest

from maskviz.errors import DataError, TextError, UnknownNameError
from maskviz.evidence import compare, compare_file, control, explain
from maskviz.evidence.statistics import bootstrap_interval, kl_divergence
from maskviz.evidence.text.compare import Effect
from maskviz.evidence.text.sentence import comparison_sentence, fill_sentence
from maskviz.masks import Mask, MaskSpan, apply, mask
from maskviz.models import load_model
from maskviz.readings import Candidate, Fill, predict
from maskviz.shares import mcnemar
from maskviz.text.percent import percent

TEXT = "Anna loved this great film, but Paris was a dull story."


def test_kl_is_scipys_entropy() -> None:
    from scipy.stats import entropy

    rng = np.random.default_rng(0)
    for _ in range(20):
        p, q = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(4))
        assert kl_divergence(p, q) == pytest.approx(entropy(p, q), abs=1e-9)
    assert kl_divergence([1, 0], [1, 0]) == 0


def test_mcnemar_is_the_binomial_test() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(0, 5) == pytest.approx(2 * 0.5**5)
    assert mcnemar(3, 3) == 1.0


def test_the_bootstrap_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    counted = [rng.choice([-1.0, 0.0, 1.0], 200, p=[0.1, 0.7, 0.2]) for _ in range(200)]
    spread = [rng.normal(0.1, 1, 200) for _ in range(100)]
    for samples in (counted, spread):
        hits = [low <= 0.1 <= high for low, high in map(bootstrap_interval, samples)]
        assert np.mean(hits) == pytest.approx(0.95, abs=0.06)
    assert bootstrap_interval([1.0, 1.0, 1.0]) == (1.0, 1.0)
    counts, values = bootstrap_interval(counted[0]), bootstrap_interval(counted[0] + 0.0)
    assert counts == values


def test_occlusion_is_the_fall_of_the_probability(tiny) -> None:
    model = load_model(tiny("modernbert"))
    found = explain(TEXT, model)
    (plain,) = predict(model, [apply(TEXT, "mask", model)])
    assert found.label == plain.label
    for word in found.words[:4]:
        hidden = Mask(TEXT, (MaskSpan(word.start, word.end),))
        (without,) = predict(model, [apply(hidden, "mask", model)])
        fall = plain.confidence - without.probabilities[plain.label]
        assert word.score == pytest.approx(fall, abs=1e-5)
    other = explain(TEXT, model, label=next(x for x in model.labels if x != plain.label))
    assert other.words[0].score == pytest.approx(-found.words[0].score, abs=1e-5)


def test_explain_refuses_what_it_cannot(tiny) -> None:
    with pytest.raises(UnknownNameError, match="label"):
        explain(TEXT, tiny("bert"), label="joy")
    with pytest.raises(UnknownNameError, match="method"):
        explain(TEXT, tiny("bert"), "guess")
    with pytest.raises(TextError):
        explain("!!!", tiny("bert"))


def test_key_hides_the_words_that_lower_the_answer_most(tiny) -> None:
    folder = tiny("modernbert")
    ranked = sorted(explain(TEXT, folder).words, key=lambda w: -w.score)
    chosen = mask(TEXT, "key", ratio=0.2, model=folder)
    assert {s.start for s in chosen.spans} == {w.start for w in ranked[:2]}
    assert all("hiding it alone" in s.reason for s in chosen.spans)


def test_a_comparison_is_two_predictions_and_their_difference(classifier: str) -> None:
    chosen = mask(TEXT, "random", ratio=0.4, seed=1)
    result = compare(chosen, classifier, "delete")
    assert sum(result.delta.values()) == pytest.approx(0, abs=1e-6)
    assert result.flip == (result.original.label != result.masked.label)
    assert result.to_dict()["spans"] == chosen.to_dict()["spans"]
    nothing = compare(Mask(TEXT), classifier, "attention")
    assert nothing.kl == pytest.approx(0, abs=1e-9)
    assert not nothing.flip


def test_the_control_hides_as_many_words(tiny) -> None:
    chosen = mask(TEXT, "pattern", words="great,dull,Anna")
    chance = control(chosen, tiny("modernbert"), draws=25)
    assert (chance.unit, chance.number) == ("word", 3)
    assert len(chance.probabilities) == chance.draws
    assert chance.low <= np.median(chance.probabilities) <= chance.high
    assert 0 <= chance.flips <= 1


CSV = (
    b"text;label;who\n"
    b"a great film;LABEL_1;x\n"
    b"a dull story;0;y\n"
    b";1;x\n"
    b"this was funny;;x\n"
    b"!!!;1;y\n"
    b"slow and empty;LABEL_0;y\n"
)


def test_a_verdict_goes_by_the_adjusted_p(classifier: str) -> None:
    chosen = mask(TEXT, "pattern", words="great")
    compared = compare(chosen, classifier, "delete")
    chance = control(chosen, classifier, "delete")
    for p, beyond in ((0.02, True), (0.2, False), (None, None)):
        assert Effect("great", compared, chance, p).beyond_chance is beyond


def test_a_file_gives_the_same_answers_as_one_text_at_a_time(tiny) -> None:
    folder, rows = tiny("modernbert"), []
    found = compare_file(
        CSV,
        ["random", "span"],
        text_column="text",
        label_column="label",
        model=folder,
        name="a.csv",
        each=rows.append,
    )
    assert found.rows == 3
    assert len(found.notes) == 4  # how labels are read, and three kinds of rows left out
    assert [r.row for r in rows] == [1, 2, 6]
    for row in rows:
        single = compare(mask(row.text, "random", seed=row.row - 1), folder)
        assert row.label == single.original.label
        assert row.effects["random"].kl == pytest.approx(single.kl, abs=1e-5)
        assert row.effects["random"].flip == single.flip
    result = found.strategies["random"]
    right = [r.label == r.expected for r in rows]
    assert result.accuracy_original == pytest.approx(sum(right) / 3)
    assert result.delta_accuracy == pytest.approx(result.accuracy_masked - result.accuracy_original)
    assert 0 <= result.p_value <= 1
    assert result.ci95[0] <= result.delta_accuracy <= result.ci95[1]


def test_a_file_without_labels_gives_the_flip_rate(tiny) -> None:
    found = compare_file(CSV, ["random"], text_column="text", model=tiny("bert"), name="a.csv")
    assert found.rows == 4
    assert found.strategies["random"].accuracy_original is None
    assert 0 <= found.strategies["random"].flip_rate <= 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text_column": "txt"}, "no column 'txt'"),
        ({"text_column": "text", "label_column": "who"}, "labels are LABEL_0, LABEL_1"),
    ],
)
def test_wrong_columns_are_named_before_anything_runs(tiny, columns, message) -> None:
    with pytest.raises(DataError, match=message):
        compare_file(CSV, ["random"], model=tiny("bert"), name="a.csv", **columns)


def test_progress_can_stop_a_file(tiny) -> None:
    def stop(rows: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_file(
            CSV, ["random"], text_column="text", model=tiny("bert"), name="a.csv", progress=stop
        )


def test_sentences_say_the_numbers(tiny) -> None:
    chosen = mask(TEXT, "random", ratio=0.4, seed=1)
    said = comparison_sentence(compare(chosen, tiny("modernbert")))
    assert said.startswith(
        f"Hiding {len(chosen.hidden_words)} of {len(chosen.words)} words (random)"
    )
    fills = [
        Fill(0, 1, "fox", (Candidate("Fox", 0.5),)),
        Fill(2, 3, "dog", (Candidate("cat", 0.4), Candidate("dog", 0.2))),
    ]
    said = fill_sentence(mask("fox dog", ratio=1), fills, "mini")
    assert "guesses 1 of the 2 hidden places at its first try and 2 among" in said
    assert percent(0.5) == "50\u00a0%"
    assert math.isclose(float(percent(0.004).removesuffix("\u00a0%")), 0.4)
