"""Scores per word: each method against its definition, Captum or a closed form."""

from __future__ import annotations

import numpy as np
import pytest

from maskviz.errors import CapabilityError
from maskviz.evidence import METHODS, explain, explain_many
from maskviz.evidence.words.gradients import STEPS, baseline_ids, input_embedding
from maskviz.evidence.words.methods import per_word
from maskviz.masks import Mask, MaskSpan, apply
from maskviz.models import load_model
from maskviz.readings import predict
from maskviz.readings.batches import batch
from maskviz.readings.question import Question, asked
from maskviz.readings.windows import read, windows
from tests.tiny_models import build_any

FAMILIES = {"ctrl": {"dff": 32}, "modernbert": {"cls_token_id": 2, "sep_token_id": 3}}
TEXT = "Anna loved this great film, but Paris was a dull story."
LONG = " ".join(f"{TEXT} Part {n}." for n in range(12))


def values(text: str, model: str, method: str, **more) -> list[float]:
    return [word.score for word in explain(text, model, method, **more).words]


def token_sums(model, encoding, per_token) -> list[float]:
    """Sum tokens into words the plain way, for texts where no token spans two words."""
    return [
        sum(v for v, o in zip(per_token, encoding.offsets, strict=True) if o and s <= o[0] < e)
        for s, e in Mask(TEXT).words
    ]


@pytest.mark.parametrize("family", ["bert", "modernbert", "gpt2", "distilbert"])
def test_every_method_scores_every_word_for_a_chosen_label(tiny, family) -> None:
    folder = tiny(family)
    for name, method in METHODS.items():
        found = explain(TEXT, folder, name, label="LABEL_1")
        assert found.label == "LABEL_1"
        assert found.unit == method.unit
        assert len(found.words) == 11
        assert np.isfinite([w.score for w in found.words]).all()
        if not method.baseline:
            assert len({w.score for w in found.words}) > 1


def test_integrated_gradients_are_captums(tiny) -> None:
    from captum.attr import LayerIntegratedGradients

    model = load_model(tiny("modernbert"))
    network, encoding = model.network("classify"), apply(TEXT, "mask", model)
    inputs = batch(model, [encoding])

    def forward(ids, mask):
        return network(input_ids=ids, attention_mask=mask).logits

    theirs, delta = LayerIntegratedGradients(forward, input_embedding(network)).attribute(
        inputs["input_ids"], baseline_ids(model, encoding), target=1, n_steps=STEPS,
        additional_forward_args=(inputs["attention_mask"],), return_convergence_delta=True,
    )  # fmt: skip
    found = explain(TEXT, model, "integrated-gradients", "LABEL_1")
    expected = token_sums(model, encoding, theirs.sum(-1)[0].tolist())
    assert [w.score for w in found.words] == pytest.approx(expected, abs=1e-6)
    assert found.convergence_gap == pytest.approx(abs(float(delta)), abs=1e-5)


@pytest.mark.parametrize("family", ["gpt2", "bert"])
def test_integrated_gradients_sum_to_the_change_of_the_logit(tiny, family) -> None:
    """Completeness holds over all tokens; the gap says by how much it is missed."""
    found = explain(TEXT, tiny(family), "integrated-gradients")
    assert found.convergence_gap < 0.05


@pytest.mark.parametrize("family", ["modernbert", "ctrl"])  # CTRL scales its vectors in place
def test_gradient_times_input_is_the_derivative_along_the_embedding(tmp_path, family) -> None:
    import torch

    model = load_model(build_any(family, tmp_path / family, **FAMILIES.get(family, {})))
    network, encoding = model.network("classify"), apply(TEXT, "mask", model)
    inputs = batch(model, [encoding])
    embedding = network.get_input_embeddings()(inputs["input_ids"]).detach()
    word = Mask(TEXT).words[3]
    tokens = [i for i, o in enumerate(encoding.offsets) if o and word[0] <= o[0] < word[1]]

    def logit(scale: float) -> float:
        changed = embedding.clone()
        changed[0, tokens] *= scale
        with torch.no_grad():
            out = network(inputs_embeds=changed, attention_mask=inputs["attention_mask"])
        return float(out.logits[0, 0])

    slope = (logit(1.01) - logit(0.99)) / 0.02
    assert values(TEXT, model, "gradient-input", label="LABEL_0")[3] == pytest.approx(
        slope, abs=1e-3
    )


_GIVEN = {
    "bert": {},
    "xlnet": {"d_inner": 32, "d_head": 8, "max_position_embeddings": None},
    "electra": {"embedding_size": 8},
    "deberta-v2": {"relative_attention": True, "pos_att_type": "c2p|p2c"},
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2},
    "llama": {"num_key_value_heads": 1},
    "xlm": {"emb_dim": 16, "n_layers": 2, "n_heads": 2},
}


@pytest.mark.parametrize("family", _GIVEN)
def test_gradient_times_input_is_autograds_by_inputs_embeds(family: str, tmp_path) -> None:
    """Whichever way round a network holds its texts: XLNet's batch comes second."""
    import torch

    model = load_model(build_any(family, tmp_path, **_GIVEN[family]))
    network, encoding = model.network("classify"), apply(TEXT, "mask", model)
    ids = torch.tensor([encoding.input_ids])
    embedded = network.get_input_embeddings()(ids).detach().requires_grad_(True)
    seen = torch.ones_like(ids)
    logit = network(inputs_embeds=embedded, attention_mask=seen).logits[0, 2]
    (gradient,) = torch.autograd.grad(logit, embedded)
    expected = token_sums(model, encoding, (gradient * embedded).sum(-1)[0].tolist())
    found = values(TEXT, model, "gradient-input", label="LABEL_2")
    largest = max(map(abs, expected))
    assert largest > 1e-4  # far above the rounding of a logit of about 1
    assert found == pytest.approx(expected, abs=1e-3 * largest)


def test_input_reduction_takes_out_word_by_word_until_the_answer_changes(tiny) -> None:
    model = load_model(tiny("modernbert"))
    found = explain(TEXT, model, "input-reduction")
    scores = [w.score for w in found.words]
    assert sorted(scores) == pytest.approx([i / 10 for i in range(11)])
    order = sorted(range(11), key=lambda i: scores[i])
    assert set(found.reduced) == set(order[11 - len(found.reduced) :])
    first = explain(TEXT, model, "gradient-input").words
    assert order[0] == min(range(11), key=lambda i: first[i].score)
    gone = [MaskSpan(w.start, w.end) for i, w in enumerate(found.words) if i not in found.reduced]
    (left,) = predict(model, [apply(Mask(TEXT, tuple(gone)), "delete", model)])
    assert left.label == found.label


def test_baselines_know_nothing(tiny) -> None:
    assert values(TEXT, tiny("bert"), "uniform") == pytest.approx([1 / 11] * 11)
    one, same = (values(TEXT, tiny("bert"), "random", seed=3) for _ in range(2))
    assert one == same != values(TEXT, tiny("bert"), "random", seed=4)


def test_a_token_over_two_words_counts_in_parts() -> None:
    assert per_word(((0, 3), (4, 7)), ((0, 7), None, (4, 7)), (1.0, 9.0, 2.0)) == [0.5, 2.5]


def test_many_texts_together_are_the_same_as_one_by_one(tiny) -> None:
    texts = [TEXT, "A dull film.", LONG]
    for family in ("modernbert", "gpt2"):
        for text, found in zip(texts, explain_many(texts, tiny(family)), strict=True):
            alone = explain(text, tiny(family))
            assert found.label == alone.label
            assert [w.score for w in found.words] == pytest.approx(
                [w.score for w in alone.words], abs=1e-6
            )


def test_words_of_one_token_are_read_once(monkeypatch) -> None:
    read = []
    whole = Question.logits_apart
    monkeypatch.setattr(
        Question,
        "logits_apart",
        lambda own, reads, *more: read.extend(reads) or whole(own, reads, *more),
    )
    found = explain("A great film: " + "我们喜欢这部电影" * 20, "mini")
    assert len(found.words) == 103
    assert len({word.score for word in found.words[3:]}) == 1  # the model knows none of them
    assert len(read) == 1 + (1 + 3 + 1)  # for the answer, and for the scores


def test_windows_join_without_a_gap_and_fit_the_model(tiny) -> None:
    for family, text in (("bert", LONG), ("roberta", LONG), ("roberta", "电影" * 90)):
        model = load_model(tiny(family))
        bounds = windows(model, text)
        assert len(bounds) > 1
        assert [b[0] for b in bounds] == [0, *(b[1] for b in bounds[:-1])]
        assert bounds[-1][1] == len(text)
        assert all(model.tokenise(text[s:e]).truncated_at is None for s, e in bounds)
    assert windows(load_model(tiny("bert")), TEXT) == ((0, len(TEXT)),)


def test_windows_read_what_is_cut_otherwise(tiny) -> None:
    model = load_model(tiny("modernbert"))
    cut, whole = (read(asked(model), [(Mask(LONG), "mask")], long) for long in ("cut", "windows"))
    assert "left out" in cut.notices[0]
    assert "windows" in whole.notices[0]
    parts = [
        read(asked(model), [(Mask(LONG[s:e]), "mask")]).logits[0] for s, e in windows(model, LONG)
    ]
    assert whole.logits[0] == pytest.approx(np.mean(parts, 0), abs=1e-6)
    for name in ("occlusion", "gradient-input", "input-reduction", "attention-rollout"):
        assert values(LONG, model, name)[-1] == 0, name
        if name != "input-reduction":  # it reads the beginning alone
            assert values(LONG, model, name, long="windows")[-2] != 0, name
    one = Mask(LONG, (MaskSpan(*Mask(LONG).words[-1]),))
    fall = whole.probabilities[0] - read(asked(model), [(one, "mask")], "windows").probabilities[0]
    index = int(whole.probabilities[0].argmax())
    assert values(LONG, model, "occlusion", long="windows")[-1] == pytest.approx(
        fall[index], abs=1e-6
    )


def test_what_a_method_cannot_it_says(tiny) -> None:
    with pytest.raises(CapabilityError, match="encoder–decoder"):
        explain(TEXT, tiny("t5"), "integrated-gradients")
    assert len(explain(TEXT, tiny("t5"), "gradient-input").words) == 11
