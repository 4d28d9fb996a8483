"""A batch drawn as arrays is, token for token, what the strategies and operators say row by row."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from types import SimpleNamespace

import pytest

from maskviz.masks import Choice
from maskviz.masks.chance import drawn_runs, drawn_words
from maskviz.masks.draws import uniform, uniforms
from maskviz.training.data.masking import Masker
from maskviz.training.spec.spec import MaskingSpec
from tests.tiny_models import CORPUS, tokenizer

TEXTS = [*CORPUS, "", "?!", "我们喜欢 🙂👩‍👩‍👧 电影", "one", "a\u0301 b\u00a0c  d\n\ne" * 40]
OPERATORS = ["mask", "corrupt", "unk", "pad", "attention"]


class _Named(SimpleNamespace):
    __hash__ = object.__hash__


@pytest.fixture(scope="module", params=["wordpiece", "bytes", "unigram"])
def model(request):
    own = tokenizer(request.param)
    masks = {"mask_token": own.mask_token, "mask_token_id": own.mask_token_id}
    return _Named(
        tokenizer=own, name="tiny", max_length=64, readable=64, padding=own.pad_token_id, **masks
    )


@pytest.fixture
def model_by_name(model, monkeypatch):
    """Let `random-token` ask for the model of the test by its name."""
    import maskviz.models
    from maskviz.text.alignment import tokenise

    model.tokenise = lambda text: tokenise(model.tokenizer, text, 64)
    monkeypatch.setattr(maskviz.models, "load_model", lambda name: model)
    return model


def _both(model, masking):
    fast, slow = (Masker(model, TEXTS, masking, 5, 64) for _ in range(2))
    slow.__dict__["_batch"] = None
    assert fast._batch is not None
    return fast, slow


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("strategy", ["random", "span", "random-token", "pattern"])
def test_a_batch_is_what_row_by_row_is(model_by_name, strategy, operator):
    ratio = None if strategy == "pattern" else 0.4
    parameters = {"pattern": r"\w*[ae]\w*|🙂"} if strategy == "pattern" else {}
    fast, slow = _both(model_by_name, MaskingSpec(strategy, operator, ratio, parameters=parameters))
    indices = list(range(len(TEXTS)))
    for epoch in range(3):
        assert fast.rows(indices, epoch) == slow.rows(indices, epoch)
    assert fast.rows([3, 0], 1) == [slow.row(3, 1), slow.row(0, 1)]
    assert fast.left_plain == slow.left_plain != set()


def test_nothing_left_to_read_leaves_the_row_plain(model):
    core = model.tokenizer.backend_tokenizer
    post, core.post_processor = core.post_processor, _no_special()
    try:
        fast, slow = _both(model, MaskingSpec("random", "attention", 1.0))
        one_word = TEXTS.index("one")
        assert fast.rows([one_word]) == slow.rows([one_word])
        assert fast.left_plain == slow.left_plain == {one_word}
    finally:
        core.post_processor = post


def _no_special():
    from tokenizers.processors import TemplateProcessing

    return TemplateProcessing(single="$A", special_tokens=[])


@pytest.mark.parametrize(
    "masking",
    [
        MaskingSpec("pattern", ratio=0.2, parameters={"pattern": r"\w*[ae]\w*"}),
        MaskingSpec("random", ratio=0.4, complement=True),
        MaskingSpec("span", "corrupt", 0.3, second=Choice("random", 0.3, 4), join="minus"),
        MaskingSpec("random", "attention", 0.5, second=Choice("pattern:/[ae]/"), join="and"),
        MaskingSpec("(random:0.4 | pattern:/the/) - span:0.2", "unk"),
        MaskingSpec("random", ratio=0.4, second=Choice("span", 0.2), dynamic=False),
    ],
    ids=str,
)
def test_what_is_drawn_in_other_ways_goes_in_batches_too(model, masking):
    fast, slow = _both(model, masking)
    indices = list(range(len(TEXTS)))
    for epoch in range(3):
        assert fast.rows(indices, epoch) == slow.rows(indices, epoch)
    assert fast.left_plain == slow.left_plain != set()


def test_an_operator_that_changes_the_number_of_tokens_takes_a_row_at_a_time(model):
    assert Masker(model, TEXTS, MaskingSpec("random", "delete"), 0, 64)._batch is None


def test_static_masks_are_drawn_once(model):
    masker = Masker(model, TEXTS, MaskingSpec("random", ratio=0.5, dynamic=False), 0, 64)
    first = masker.rows([0, 1, 0])
    assert first[0] is first[2]
    assert masker.rows([1, 0], epoch=4) == [first[1], first[0]]


def test_random_token_and_corrupt_agree_with_transformers_collator(model_by_name):
    """Kept, masked, randomised and untouched tokens come in the collator's proportions."""
    import torch
    from transformers import DataCollatorForLanguageModeling

    chi2_contingency = pytest.importorskip("scipy.stats").chi2_contingency
    tok, text = model_by_name.tokenizer, CORPUS[0]
    masker = Masker(model_by_name, [text] * 800, MaskingSpec("random-token", "corrupt"), 0, 64)
    plain = masker.plain[0]
    # A token of white space alone, as SentencePiece has, stands for nothing that can be hidden.
    places = [i for i, offset in enumerate(plain.offsets) if offset and offset[0] < offset[1]]
    ours = Counter()
    for row in masker.rows(range(800)):
        ours.update(_kind(row.input_ids[i], row.original[i], tok) for i in places)
    torch.manual_seed(0)
    batch = DataCollatorForLanguageModeling(tok)([{"input_ids": list(plain.input_ids)}] * 800)
    theirs = Counter()
    for ids, labels in zip(batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True):
        theirs.update(_kind(ids[i], labels[i], tok) for i in places)
    kinds = sorted(ours | theirs)
    assert set(kinds) == {"visible", "mask", "random or kept"}
    table = [[counts[kind] for kind in kinds] for counts in (ours, theirs)]
    assert chi2_contingency(table).pvalue > 0.001


def _kind(token, label, tok):
    if label == -100:
        return "visible"
    return "mask" if token == tok.mask_token_id else "random or kept"


def test_draws_are_the_same_one_by_one_and_as_an_array():
    seeds, numbers = [0, 1, 7, 2**48 - 1, 3], [0, 5, 2**20, 9, 2**40]
    drawn = uniforms(seeds, numbers).tolist()
    assert drawn == [uniform(s, n) for s, n in zip(seeds, numbers, strict=True)]
    assert all(0 <= value < 1 for value in drawn)


def test_draws_are_uniform_and_unrelated_for_near_arguments():
    import numpy as np

    grid = uniforms(np.arange(200)[:, None], np.arange(200)[None])
    counts, _ = np.histogram(grid, bins=20, range=(0, 1))
    assert np.abs(counts - 2000).max() < 5 * 2000**0.5
    assert abs(np.corrcoef(grid[:-1].ravel(), grid[1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(grid[:, :-1].ravel(), grid[:, 1:].ravel())[0, 1]) < 0.02


def test_draws_of_words_and_runs_meet_the_budget():
    import random

    for seed in range(50):
        assert len(set(drawn_words(40, 0.3, random.Random(seed)))) == 12
        runs = drawn_runs(40, 0.3, random.Random(seed))
        assert sum(length for _, length in runs) == 12
        assert all(a + n <= b for (a, n), (b, _) in pairwise(runs))
