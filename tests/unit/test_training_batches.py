"""Masks land on the right tokens, the same each time; batches waste little and lose nothing."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from maskviz.training.data.batches import Collator, LengthBuckets, MaskedRows, SortedBatches
from maskviz.training.data.masking import Masker
from maskviz.training.data.rows import Part
from maskviz.training.data.seeds import draw_seed
from maskviz.training.loop.metrics import (
    compute_metrics,
    macro_f1,
    multi_label_metrics,
    regression_metrics,
    sure,
)
from maskviz.training.spec.spec import MaskingSpec
from tests.tiny_models import tokenizer

TEXTS = [
    "Anna of Paris sees the lazy dog.",
    "He didn't like the film: a truly dull story!",
    "🙂 שלום עולם",
    "Naïve café, e-mail a@b.org",
]


@dataclass
class _Model:
    """What a Masker needs of a model."""

    tokenizer: Any
    name: str = "tiny"

    @property
    def mask_token(self) -> str | None:
        return self.tokenizer.mask_token

    @property
    def mask_token_id(self) -> int | None:
        return self.tokenizer.mask_token_id


@pytest.fixture(scope="module", params=["wordpiece", "bytes", "unigram"])
def model(request):
    return _Model(tokenizer(request.param))


def _masker(model, masking, texts=TEXTS, seed=0):
    return Masker(model, texts, masking, seed, 64)


def test_hidden_words_and_only_those_become_mask_tokens(model):
    masking = MaskingSpec("pattern", parameters={"pattern": "Paris|film"})
    masker = _masker(model, masking)
    for index, text in enumerate(TEXTS):
        plain, row = masker.plain[index], masker.row(index)
        for i, (token, offset) in enumerate(zip(row.input_ids, plain.offsets, strict=True)):
            inside = (
                offset
                and text[slice(*offset)]
                and any(
                    offset[0] < text.find(word) + len(word) and offset[1] > text.find(word)
                    for word in ("Paris", "film")
                    if word in text
                )
            )
            assert token == (model.tokenizer.mask_token_id if inside else plain.input_ids[i])
            assert row.original[i] == (plain.input_ids[i] if inside else -100)


def test_operators_delete_and_attention(model):
    pattern = {"pattern": "Paris"}
    plain = _masker(model, MaskingSpec("none")).row(0)
    deleted = _masker(model, MaskingSpec("pattern", "delete", parameters=pattern)).row(0)
    unseen = _masker(model, MaskingSpec("pattern", "attention", parameters=pattern)).row(0)
    assert unseen.input_ids == plain.input_ids
    hidden = unseen.attention_mask.count(0)
    assert hidden > 0
    assert len(deleted.input_ids) == len(plain.input_ids) - hidden


def test_a_draw_depends_on_seed_epoch_and_row_alone(model):
    masking = MaskingSpec("random", ratio=0.5)
    one, other = _masker(model, masking), _masker(model, masking)
    forwards = [one.row(i, epoch) for epoch in (0, 1) for i in range(4)]
    backwards = [other.row(i, epoch) for epoch in (1, 0) for i in (3, 2, 1, 0)]
    assert sorted(forwards, key=str) == sorted(backwards, key=str)
    assert one.row(1, 0) == other.row(1, 0)
    assert [one.row(i, 0) for i in range(4)] != [one.row(i, 1) for i in range(4)]
    assert [one.row(i) for i in range(4)] != [
        _masker(model, masking, seed=1).row(i) for i in range(4)
    ]


def test_a_batch_annotated_together_is_masked_as_row_by_row(model):
    pytest.importorskip("spacy")
    masking = MaskingSpec("entity")
    together, alone = _masker(model, masking), _masker(model, masking)
    rows = MaskedRows(together, [0] * 4)
    assert [row for row, _ in rows.__getitems__([2, 0, 1, 3])] == [
        alone.row(i) for i in (2, 0, 1, 3)
    ]


def test_rows_that_a_run_annotated_are_not_annotated_again(model, monkeypatch, tmp_path):
    pytest.importorskip("spacy")
    from maskviz.text import pipelines, shelf

    monkeypatch.setenv("MASKVIZ_HOME", str(tmp_path))
    texts = [f"{text} Bob left {i} times." for i, text in enumerate(TEXTS)]
    for masking in (MaskingSpec("sentence"), MaskingSpec("pos", parameters={"tags": ["NOUN"]})):
        first = _masker(model, masking, texts).rows(range(4))
        assert shelf.shelf_path().is_file()
        pipelines._kept.clear()
        with monkeypatch.context() as patch:
            patch.setattr(pipelines, "load_pipeline", None)  # whoever asks for it fails
            assert _masker(model, masking, texts).rows(range(4)) == first
    assert b"Bob left" not in shelf.shelf_path().read_bytes()


def test_a_broken_file_of_annotations_is_no_error(model, monkeypatch, tmp_path):
    pytest.importorskip("spacy")
    from maskviz.text import shelf

    monkeypatch.setenv("MASKVIZ_HOME", str(tmp_path))
    shelf.shelf_path().write_bytes(b"no database at all" * 100)
    rows = _masker(model, MaskingSpec("sentence")).rows(range(4))
    assert rows == _masker(model, MaskingSpec("sentence")).rows(range(4))
    assert shelf.shelf_path().read_bytes().startswith(b"SQLite")


def test_static_masks_stay_the_same(model):
    masker = _masker(model, MaskingSpec("random", ratio=0.5, dynamic=False))
    assert [masker.row(i, 0) for i in range(4)] == [masker.row(i, 5) for i in range(4)]


def test_a_row_that_cannot_be_masked_stays_plain_and_is_counted(model):
    masker = _masker(model, MaskingSpec("random"), texts=["!!! ...", "two words"])
    assert masker.row(0).input_ids == masker.plain[0].input_ids
    assert masker.left_plain == {0}


def test_draw_seeds_differ_for_near_arguments():
    seeds = {draw_seed(s, e, r) for s in range(5) for e in range(5) for r in range(40)}
    assert len(seeds) == 1000


def test_the_collator_pads_and_counts_real_tokens(model):
    masker = _masker(model, MaskingSpec("none"))
    rows = MaskedRows(masker, [0, 1, 1, 0])
    collator = Collator(model.tokenizer.pad_token_id)
    batch = collator([rows[i] for i in range(4)])
    assert batch["input_ids"].shape == (4, max(masker.lengths))
    assert batch["attention_mask"].sum() == sum(masker.lengths) == batch["real_tokens"]
    assert batch["labels"].tolist() == [0, 1, 1, 0]
    padding = batch["attention_mask"] == 0
    assert (batch["input_ids"][padding] == model.tokenizer.pad_token_id).all()


def test_mlm_labels_are_the_hidden_ids_at_hidden_places(model):
    rows = MaskedRows(_masker(model, MaskingSpec("random", ratio=0.5)), [0] * 4)
    batch = Collator(model.tokenizer.pad_token_id, "mlm")([rows[i] for i in range(4)])
    hidden = batch["labels"] != -100
    assert hidden.any()
    assert (batch["input_ids"][hidden] == model.tokenizer.mask_token_id).all()


def test_buckets_give_each_row_once_in_an_order_of_seed_and_epoch():
    lengths = [(i * 37) % 100 + 1 for i in range(1003)]
    buckets = LengthBuckets(lengths, 16, seed=0)
    first = list(buckets)
    assert len(first) == len(buckets)
    assert sorted(i for batch in first for i in batch) == list(range(1003))
    assert list(buckets) == first
    buckets.epoch = 1
    assert list(buckets) != first
    padding = sum(max(lengths[i] for i in b) * len(b) for b in first) / sum(lengths) - 1
    assert padding < 0.05


def test_evaluation_runs_from_long_to_short():
    batches = list(SortedBatches([3, 9, 5, 1], 3))
    assert batches == [[1, 2, 0], [3]]


def test_a_sample_of_sorted_rows_has_every_label():
    part = Part(tuple(map(str, range(400))), (0,) * 200 + (1,) * 200)
    assert set(part.sample(40).labels) == {0, 1}
    assert part.sample(40) == part.sample(40)
    assert part.sample(1000) is part


def test_metrics_against_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics")

    rng = np.random.default_rng(0)
    labels, predicted = rng.integers(0, 4, 200), rng.integers(0, 4, 200)

    class Prediction:
        predictions, label_ids = predicted, labels

    found = compute_metrics(Prediction)
    assert found["accuracy"] == pytest.approx(sklearn.accuracy_score(labels, predicted))
    theirs = sklearn.f1_score(labels, predicted, average="macro")
    assert found["macro_f1"] == pytest.approx(theirs)
    hits = round(200 * found["accuracy"])
    low, high = sure([1] * hits + [0] * (200 - hits))["ci95_low"], found["ci95_high"]
    assert found["ci95_low"] == low < found["accuracy"] < high
    assert found["ci95"] == pytest.approx((high - low) / 2)


def test_macro_f1_counts_a_class_that_is_answered_and_never_right():
    from sklearn.metrics import f1_score

    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 0])
    theirs = f1_score(labels, predicted, average="macro", zero_division=0)
    assert macro_f1(predicted, labels) == pytest.approx(theirs)


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_several_labels_against_scikit_learn(average):
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(1)
    labels, predicted = (rng.integers(0, 2, (40, 5)) for _ in range(2))
    labels[:, 4] = predicted[:, 4] = 0  # never there, never given
    found = multi_label_metrics(SimpleNamespace(predictions=predicted, label_ids=labels))
    theirs = f1_score(labels, predicted, average=average, zero_division=0)
    assert found[f"{average}_f1"] == pytest.approx(theirs)


def test_errors_of_a_regression_against_scikit_learn():
    from sklearn.metrics import mean_absolute_error, root_mean_squared_error

    rng = np.random.default_rng(1)
    labels, predicted = (rng.normal(size=30) for _ in range(2))
    found = regression_metrics(SimpleNamespace(predictions=predicted, label_ids=labels))
    assert found["mae"] == pytest.approx(mean_absolute_error(labels, predicted))
    assert found["rmse"] == pytest.approx(root_mean_squared_error(labels, predicted))


def test_metrics_leave_out_places_without_a_label():
    class Prediction:
        predictions = np.array([[1, 2], [3, 4]])
        label_ids = np.array([[1, -100], [-100, 5]])

    assert compute_metrics(Prediction)["accuracy"] == 0.5
