"""A strategy joined by a second one: the same on a text, in a run and in an audit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maskviz.errors import ParameterError, UnknownNameError
from maskviz.masks import Choice, mask
from maskviz.masks.audit import audit
from maskviz.training import MaskingSpec, RunSpec
from maskviz.training.data.masking import Masker
from maskviz.training.data.rows import Part
from maskviz.training.data.seeds import draw_seed
from maskviz.training.loop.sets import evaluation_sets
from tests.tiny_models import CORPUS, tokenizer

TEXT = "Anna and Paul flew from Rome to Paris on a cold grey morning in May."
NAMES = {"pattern": "Anna|Paul|Rome|Paris"}


class _Model:
    tokenizer, name, max_length = tokenizer("wordpiece"), "tiny", 64
    mask_token, mask_token_id = tokenizer.mask_token, tokenizer.mask_token_id


@pytest.mark.parametrize(
    ("join", "by_hand"), [("or", "__or__"), ("and", "__and__"), ("minus", "__sub__")]
)
@pytest.mark.parametrize("complement", [False, True])
def test_two_strategies_join_as_their_masks_do(join, by_hand, complement):
    first, second = mask(TEXT, "pattern", **NAMES), mask(TEXT, "random", ratio=0.5, seed=7)
    wanted = getattr(first, by_hand)(second)
    other = Choice("random", 0.5, 7)
    found = mask(TEXT, "pattern", second=other, join=join, complement=complement, **NAMES)
    assert found == (~wanted if complement else wanted)


def test_a_run_draws_both_each_from_its_own_seed():
    masking = MaskingSpec("random", ratio=0.3, second=Choice("random", 0.3, seed=9), join="or")
    masker = Masker(_Model, CORPUS, masking, 5, 64)
    for epoch, row in ((0, 0), (1, 3)):
        parts = [
            mask(CORPUS[row], "random", ratio=0.3, seed=draw_seed(seed, epoch, row))
            for seed in (5, 9)
        ]
        assert masker.mask(row, epoch) == parts[0] | parts[1]
        assert any(label != -100 for label in masker.row(row, epoch).original)
    assert masker.row(0, 0) != masker.row(0, 1)


def test_what_draws_nothing_is_chosen_once_for_all_epochs():
    masking = MaskingSpec(
        "pattern", parameters={"pattern": "[a-m]\\w+"}, join="minus",
        second=Choice("pattern", None, 0, {"pattern": "d\\w+"}),
    )  # fmt: skip
    fast, slow = (Masker(_Model, CORPUS, masking, 5, 64) for _ in range(2))
    slow.__dict__["_batch"] = None
    assert fast._batch is not None
    rows = range(len(CORPUS))
    assert fast.rows(rows, 0) == slow.rows(rows, 0) == fast.rows(rows, 1)
    assert Masker(_Model, CORPUS, replace(masking, complement=True), 5, 64).rows(rows) != fast.rows(
        rows
    )


def test_the_evaluation_draws_others_than_training():
    second = Choice("random", 0.4, 9)
    spec = RunSpec(masking=MaskingSpec("pattern", parameters=NAMES, second=second))
    part = Part(tuple(CORPUS), (0,) * len(CORPUS))
    masker = evaluation_sets(spec, _Model, part)["masked"].masker
    assert (masker.seed, masker.masking.second.seed) == (1, 10)
    assert not masker.masking.dynamic


def test_a_spec_with_two_strategies_travels_as_toml():
    second = Choice("random", 0.3, 4)
    spec = RunSpec.build(
        strategy="entity | pattern:/the/", second=second, join="and", complement=True
    )
    assert RunSpec.from_toml(spec.to_toml()) == spec
    assert str(spec.masking) == "all but (entity | pattern:/the/) and random 30\u00a0%, mask"
    assert spec.masking.needs == {"pipeline"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"second": Choice("nosuch")}, "Unknown strategy 'nosuch'"),
        ({"second": Choice("random", 2.0)}, "between 0 and 1"),
        ({"second": Choice("random", None, -1)}, "seed is -1"),
        ({"second": Choice("manual")}, "needs a person"),
        ({"second": Choice("random", None, 0, {"types": []})}, "does not take 'types'"),
        ({"second": Choice("random"), "join": "xor"}, "Unknown way to join"),
        ({"strategy": "random | "}, "lacks a strategy"),
        ({"strategy": "random | nosuch"}, "Unknown strategy 'nosuch'"),
    ],
)
def test_a_bad_second_strategy_gets_one_sentence(given, words):
    with pytest.raises((ParameterError, UnknownNameError), match=words):
        RunSpec.build(**given)


def test_the_audit_counts_both():
    texts = [TEXT] * 20
    alone = audit(texts, ["pattern"], parameters={"pattern": NAMES}).strategies["pattern"]
    both = audit(
        texts,
        ["pattern"],
        parameters={"pattern": NAMES},
        second=Choice("random", 0.5),
        join="minus",
    ).strategies["pattern"]  # fmt: skip
    assert 0 < both.hidden_words < alone.hidden_words
