"""Counterfactual fairness: swaps that read well, gaps by hand, and exactly 0 when all is hidden."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import ttest_rel

from maskviz.errors import DataError, UnknownNameError
from maskviz.evidence.counterfactual.changes import table
from maskviz.evidence.counterfactual.fairness import ORACLE, fairness, pairs_of_file, swapped_pairs
from maskviz.evidence.counterfactual.swaps import Pair, categories, differences, swap
from maskviz.masks import apply, mask
from maskviz.models import load_model
from maskviz.readings import predict

TEXTS = (
    "He loved this great film.", "The queen and her husband were dull.", "Anna was a funny man.",
    "A man of his word, they told him.", "My aunt saw it twice.", "No people in it.",
)  # fmt: skip
CSV = ("text\n" + "\n".join(f'"{t}"' for t in TEXTS)).encode()


def test_differences_are_what_the_other_text_lacks() -> None:
    one, other = differences("He told his wife.", "She told her old wife.")
    assert [(s.start, s.end) for s in one] == [(0, 2), (8, 11)]
    assert [(s.start, s.end) for s in other] == [(0, 3), (9, 12), (13, 16)]
    assert differences("same", "same") == ((), ())


def test_numbers_are_those_of_the_predictions(tiny) -> None:
    model = load_model(tiny("modernbert"))
    pairs = list(swapped_pairs(CSV, "text", ["gender"], "a.csv"))
    assert [p.row for p in pairs] == [1, 2, 3, 4, 5]
    found = fairness(pairs, ["attribute"], model=model, label="LABEL_0")
    sides = [predict(model, [apply(t, "mask", model) for t in texts])
             for texts in zip(*((p.first, p.second) for p in pairs), strict=True)]  # fmt: skip
    first, second = ([p.probabilities["LABEL_0"] for p in side] for side in sides)
    plain = found.arms["plain"]
    assert plain.ctf_gap == pytest.approx(np.abs(np.subtract(first, second)).mean(), abs=1e-6)
    assert plain.mean_difference == pytest.approx(np.subtract(second, first).mean(), abs=1e-6)
    theirs = ttest_rel(second, first)
    assert plain.p_value == pytest.approx(theirs.pvalue, abs=1e-4)
    assert plain.ci95 == pytest.approx(tuple(theirs.confidence_interval()), abs=1e-5)
    flips = [a.label != b.label for a, b in zip(*sides, strict=True)]
    assert plain.flip_rate == pytest.approx(np.mean(flips))
    assert found.groups["gender"]["plain"] == plain
    assert abs(found.worst[0].difference) == max(abs(r.difference) for r in found.worst)
    json.dumps(found.to_dict())


@pytest.mark.parametrize("family", ["bert", "modernbert", "gpt2", "roberta", "t5"])
def test_the_gap_is_exactly_zero_where_every_difference_is_hidden(tiny, family) -> None:
    pairs = [Pair(1, "He is great", "She is great"), Pair(2, "a film by Anna", "a film by Bo Li"),
             Pair(3, "so dull", "so very dull")]  # fmt: skip
    hidden = fairness(pairs, [], model=tiny(family)).arms[ORACLE]
    assert hidden.same_input == 1
    assert hidden.ctf_gap == 0  # exactly, not nearly
    assert hidden.ci95 is None  # by construction, so that nothing was estimated
    assert hidden.p_value is None
    assert hidden.flip_rate == 0


def test_a_strategy_that_hides_the_attribute_closes_the_gap(tiny) -> None:
    """`attribute` hides what the list of swaps for gender holds, and placeholders are equal."""
    words = [first for first in table("gender").forth if first != "his"]
    pairs = [Pair(i, t, swap(t, "gender")) for i, t in enumerate(f"It was {w} who." for w in words)]
    types = ["gender", "pronouns", "religion"]  # a monk and a nun tell a religion, too
    found = fairness(pairs, {"attribute": {"types": types}}, model=tiny("bert"))
    arm = found.arms["attribute"]

    def hidden(text: str) -> str:
        return mask(text, "attribute", types=types).masked_text("placeholder")

    seen = [(p.first, p.second) for p in pairs if hidden(p.first) != hidden(p.second)]
    assert seen == []
    assert arm.ctf_gap == 0


def test_pairs_come_from_two_columns_as_well(tiny) -> None:
    content = b"a,b\nHe is great,She is great\nonly one,\n"
    found = fairness(pairs_of_file(content, "a", "b", "p.csv"), model=tiny("bert"))
    assert found.pairs == 1
    with pytest.raises(DataError, match="no column 'c'"):
        list(pairs_of_file(content, "a", "c", "p.csv"))


def test_bad_input_is_one_sentence(tiny) -> None:
    with pytest.raises(DataError, match="no pair"):
        fairness([], model=tiny("bert"))
    with pytest.raises(UnknownNameError, match="category to swap"):
        list(swapped_pairs(CSV, "text", ["shoes"], "a.csv"))
    with pytest.raises(UnknownNameError, match="label"):
        fairness([Pair(1, "a", "b")], model=tiny("bert"), label="joy")
    assert set(categories()) == {
        "gender", "names", "names-alike", "places", "nationality", "religion", "age",
    }  # fmt: skip


def test_stopping_keeps_the_pairs_so_far(tiny) -> None:
    pairs = [Pair(i, f"He is {i}", f"She is {i}") for i in range(100)]
    found = fairness(pairs, [], model=tiny("bert"), stop=lambda: True)
    assert found.pairs == 16
    assert "These are the first 16 pairs." in found.notes


def test_rows_without_a_counterpart_are_counted_and_said(tiny) -> None:
    texts = ("He left.", "It rained.", "I gave her money.", "She is pregnant.", "Zyx told her son.")
    content = ("text\n" + "\n".join(texts)).encode()
    pairs = swapped_pairs(content, "text", ["gender"], "a.csv")
    assert [p.row for p in pairs] == [1]
    assert pairs.left_out["without a word of gender to swap"] == [2]
    found = fairness(swapped_pairs(content, "text", ["gender"], "a.csv"), [], model=tiny("bert"))
    assert "1 row without a word of gender to swap left out: 2." in found.notes
    assert any("read in two ways" in note and "3." in note for note in found.notes)
    assert any("no counterpart" in note and "4." in note for note in found.notes)
    two = pairs_of_file(b"a,b\nHe,She\n,x\n", "a", "b", "p.csv")
    assert len(list(two)) == 1
    assert two.left_out == {"without two texts": [2]}


def test_rows_limit_the_file_and_not_the_pairs() -> None:
    pairs = list(swapped_pairs(CSV, "text", ["gender", "names"], "a.csv", limit=3))
    assert {p.row for p in pairs} == {1, 2, 3}


def test_a_single_pair_has_no_interval_and_no_test(tiny) -> None:
    found = fairness([Pair(1, "He is great", "She is great")], ["random"], model=tiny("bert"))
    for arm in found.arms.values():
        assert (arm.flip_ci95, arm.ctf_ci95, arm.ci95, arm.p_value) == (None,) * 4
    json.dumps(found.to_dict())


def test_pairs_of_a_cluster_say_less_than_as_many_of_their_own(tiny) -> None:
    names = ("Anna", "Emily", "Julia", "Karen", "Laura")
    templates = ("{} is great", "{} saw a dull film", "the soup of {} was cold", "{} left early",
                 "I met {} at the museum")  # fmt: skip
    rows = [f"{t.format(n)},{t.format('Bo')},{i}" for i, t in enumerate(templates) for n in names]
    content = ("a,b,template\n" + "\n".join(rows)).encode()
    model = load_model(tiny("bert"))
    alone = fairness(pairs_of_file(content, "a", "b", "p.csv"), [], model=model).arms["plain"]
    shared = fairness(
        pairs_of_file(content, "a", "b", "p.csv", cluster="template"), [], model=model
    ).arms["plain"]
    assert (alone.clusters, shared.clusters) == (None, 5)
    assert shared.mean_difference == pytest.approx(alone.mean_difference)
    assert shared.ci95 != alone.ci95
    with pytest.raises(DataError, match="no column 'c'"):
        list(pairs_of_file(content, "a", "b", "p.csv", cluster="c"))


def test_the_pairs_of_one_row_are_one_cluster(tiny) -> None:
    pairs = [
        Pair(row, f"He is {word}", f"She is {word}", category)
        for row, word in enumerate(("great", "dull", "cold"))
        for category in ("gender", "names")
    ]
    found = fairness(pairs, [], model=tiny("bert"))
    assert found.arms["plain"].clusters == 3
    assert found.groups["gender"]["plain"].clusters is None
