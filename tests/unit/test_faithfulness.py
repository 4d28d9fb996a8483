"""Faithfulness and plausibility: hand-computed cases pin every definition."""

from __future__ import annotations

import json

import numpy as np
import pytest

from maskviz.errors import DataError, ParameterError
from maskviz.evidence import explain
from maskviz.evidence.statistics import kendall
from maskviz.evidence.words.faithfulness import curve_steps, faithfulness, measured
from maskviz.evidence.words.plausibility import (
    agreement,
    average_precision,
    iou_f1,
    plausibility,
    token_f1,
)
from maskviz.evidence.words.rationales import read_rationales
from maskviz.masks import Mask, MaskSpan, apply
from maskviz.models import load_model
from maskviz.readings import predict

TEXT = "Anna loved this great film, but Paris was a dull story."
# A model by hand over ten words: each visible word adds its weight to the probability.
WEIGHTS = (0.40, 0.20, 0.10, 0.05, 0.05, 0.0, 0.0, 0.0, 0.0, 0.0)


def by_hand(hidden):
    return np.array([0.2 + sum(w for i, w in enumerate(WEIGHTS) if i not in h) for h in hidden])


def test_comprehensiveness_and_sufficiency_by_hand() -> None:
    (best,) = measured(by_hand, [range(10)])
    # 1, 5, 10 % of ten words are one word, 20 % two, 50 % five.
    assert best.at[0] == pytest.approx({0.01: 0.4, 0.05: 0.4, 0.1: 0.4, 0.2: 0.6, 0.5: 0.8})
    # Alone they leave p = 0.2 + 0.4, 0.2 + 0.6 and all of 1.0: the falls from 1.0.
    assert best.at[1] == pytest.approx({0.01: 0.4, 0.05: 0.4, 0.1: 0.4, 0.2: 0.2, 0.5: 0.0})
    assert best.aopc == pytest.approx((2.6 / 5, 1.4 / 5))


def test_sufficiency_keeps_the_top_words_and_hides_the_others() -> None:
    asked = []

    def answer(hidden):
        asked.extend(hidden)
        return by_hand(hidden)

    measured(answer, [(3, 1, 0, 2, 4, 5, 6, 7, 8, 9)])
    assert frozenset({3}) in asked  # comprehensiveness at 1 %
    assert frozenset(range(10)) - {3} in asked  # sufficiency at 1 %: word 3 alone is shown
    assert frozenset(range(10)) - {3, 1} in asked  # at 20 %


def test_curves_and_areas_by_hand() -> None:
    (best,), (worst,) = measured(by_hand, [range(10)]), measured(by_hand, [range(9, -1, -1)])
    left = [1.0, 0.6, 0.4, 0.3, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]
    assert best.deletion.shares == pytest.approx([i / 10 for i in range(11)])
    assert best.deletion.probabilities == pytest.approx(left)
    assert best.deletion.area == pytest.approx((sum(left) - (1.0 + 0.2) / 2) / 10)
    assert best.insertion.probabilities == pytest.approx([1.2 - p for p in left])
    assert worst.deletion.area > best.deletion.area
    assert worst.insertion.area < best.insertion.area


def test_curves_of_long_texts_have_eleven_points_and_of_short_ones_every_word() -> None:
    assert curve_steps(3) == (0, 1, 2, 3)
    assert len(curve_steps(400)) == 11
    assert curve_steps(400)[-1] == 400


def test_kendall_is_undefined_where_all_scores_are_equal() -> None:
    assert kendall([1, 1, 1], [1, 2, 3]) == (None, None)
    assert kendall([1, 2, 3, 4], [1, 3, 2, 4])[0] == pytest.approx(4 / 6)  # 5 pairs agree, 1 not


def test_the_model_is_asked_what_the_definition_says(tiny) -> None:
    model = load_model(tiny("modernbert"))
    found = explain(TEXT, model)
    result = faithfulness(found, TEXT, "delete")
    top = found.ranked[:2]  # 20 % of 11 words
    words = Mask(TEXT).words
    without = Mask(TEXT, tuple(MaskSpan(*words[i]) for i in top))
    alone = Mask(TEXT, tuple(MaskSpan(*words[i]) for i in range(11) if i not in top))
    asked = [apply(TEXT, "mask", model), *(apply(m, "delete", model) for m in (without, alone))]
    plain, gone, kept = (p.probabilities[found.label] for p in predict(model, asked))
    assert result.comprehensiveness_at[0.2] == pytest.approx(plain - gone, abs=1e-6)
    assert result.sufficiency_at[0.2] == pytest.approx(plain - kept, abs=1e-6)
    assert result.deletion.probabilities[0] == pytest.approx(plain, abs=1e-6)
    assert result.insertion.probabilities[-1] == pytest.approx(plain, abs=1e-6)
    assert result.kendall_tau == pytest.approx(1)
    json.dumps(result.to_dict())


def test_random_orders_average_out_and_bracket_their_mean(tiny) -> None:
    result = faithfulness(explain(TEXT, tiny("modernbert"), "random"), TEXT)
    assert result.draws == 20
    for chance in result.random.values():
        assert chance.low <= chance.mean <= chance.high
    uniform = faithfulness(explain(TEXT, tiny("modernbert"), "uniform"), TEXT)
    assert uniform.kendall_tau is None
    with pytest.raises(ParameterError, match="least is 20"):
        faithfulness(explain(TEXT, tiny("modernbert")), TEXT, draws=5)


# plausibility -------------------------------------------------------------------------------


def test_average_precision_is_scikit_learns() -> None:
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(0)
    for _ in range(30):
        scores = rng.integers(0, 6, 12) / 5  # with ties
        marked = frozenset(map(int, rng.choice(12, rng.integers(1, 8), replace=False)))
        truth = [i in marked for i in range(12)]
        assert average_precision(scores, marked) == pytest.approx(
            average_precision_score(truth, scores)
        )


def test_token_f1_is_scikit_learns() -> None:
    from sklearn.metrics import f1_score

    chosen, marked = frozenset({0, 1, 5}), frozenset({1, 2, 5, 6})
    truth, guess = ([i in s for i in range(8)] for s in (marked, chosen))
    assert token_f1(chosen, marked) == pytest.approx(f1_score(truth, guess))
    assert token_f1(chosen, frozenset()) == 0


def test_iou_f1_by_hand() -> None:
    # Runs 0–1 and 5 against 0–2 and 7–8: 0–1 overlaps 0–2 by 2/3, the others by nothing.
    assert iou_f1(frozenset({0, 1, 5}), frozenset({0, 1, 2, 7, 8})) == pytest.approx(0.5)
    # Exactly half counts; a third does not.
    assert iou_f1(frozenset({0}), frozenset({0, 1})) == 1
    assert iou_f1(frozenset({0}), frozenset({0, 1, 2})) == 0
    assert iou_f1(frozenset(), frozenset({1})) == 0


def test_agreement_takes_the_top_words() -> None:
    assert agreement([0.1, 0.9, 0.8, 0.2], frozenset({1, 3}), 2)[0] == pytest.approx(0.5)


ROWS = [
    {"text": "a great film", "evidence": [[2, 7]]},
    {"text": "a dull story", "spans": [{"start": 2, "end": 6}]},
    {"tokens": ["this", "was", "funny", "."], "evidence": [[1, 3]]},
    {"text": "nothing marked", "spans": []},
]


def jsonl(rows) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def test_spans_of_characters_and_of_tokens_become_words() -> None:
    found = list(read_rationales(jsonl(ROWS), "r.jsonl"))
    assert [(r.row, sorted(r.words)) for r in found] == [(1, [1]), (2, [1]), (3, [1, 2])]


def test_parquet_reads_alike(tmp_path) -> None:
    import pandas as pd

    pd.DataFrame(ROWS[2:3]).to_parquet(tmp_path / "r.parquet")
    (found,) = read_rationales(tmp_path / "r.parquet")
    assert found.words == {1, 2}


def test_a_file_gives_means_over_its_texts(tiny) -> None:
    result = plausibility(jsonl(ROWS), "occlusion", tiny("modernbert"), name="r.jsonl")
    assert result.rows == 3
    assert result.share == pytest.approx((1 / 3 + 1 / 3 + 2 / 3) / 3)
    each = []
    for row in read_rationales(jsonl(ROWS), "r.jsonl"):
        scores = [w.score for w in explain(row.text, tiny("modernbert")).words]
        each.append(agreement(scores, row.words, 1))
    assert (result.token_f1, result.iou_f1, result.average_precision) == pytest.approx(
        np.mean(each, 0)
    )
    assert (
        result.average_precision_ci95[0]
        <= result.average_precision
        <= result.average_precision_ci95[1]
    )
    json.dumps(result.to_dict())


@pytest.mark.parametrize("rows", [1, 2])
def test_texts_that_do_not_differ_have_no_interval(tiny, rows) -> None:
    same = plausibility(jsonl([ROWS[0]] * rows), "occlusion", tiny("modernbert"), name="r.jsonl")
    assert same.rows == rows
    assert same.token_f1_ci95 is same.iou_f1_ci95 is same.average_precision_ci95 is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "no spans"}, "no marked spans"),
        ({"evidence": [[0, 1]]}, "no text"),
        ({"text": "a b", "spans": [["x", 1]]}, "Row 1 has the span"),
        ({"text": "a b", "spans": [[3, 1]]}, "Row 1 has the span"),
        ({"text": "a b", "spans": []}, "No row"),
    ],
)
def test_broken_rationales_get_one_sentence(tiny, row, message) -> None:
    with pytest.raises(DataError, match=message):
        plausibility(jsonl([row]), "uniform", tiny("bert"), name="r.jsonl")
