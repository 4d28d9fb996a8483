"""Every operator on every architecture family: the mask lands on exactly the right tokens."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest

from maskviz.attention import attend, difference
from maskviz.errors import CapabilityError, MaskError, UnknownNameError
from maskviz.masks import OPERATORS, Mask, MaskSpan, apply, mask
from maskviz.masks.operators import apply_many, hidden_runs
from maskviz.models import load_model
from maskviz.readings import fill
from maskviz.readings.question import asked

TEXT = "Anna didn't like this truly dull film, 我们 🙂 though."
MASK = mask(TEXT, "pattern", words="truly,Anna,我们,🙂")


@pytest.mark.parametrize("operator", sorted(set(OPERATORS) - {"infill"}))
def test_visible_tokens_keep_their_ids_and_hidden_ones_are_the_overlapping(
    classifier: str, operator: str
) -> None:
    model = load_model(classifier)
    if operator in ("mask", "corrupt") and model.tokenizer.mask_token_id is None:
        with pytest.raises(CapabilityError, match="use the operator delete"):
            apply(MASK, operator, model)
        return
    plain, masked = apply(TEXT, "mask", model), apply(MASK, operator, model)
    for j, source in enumerate(masked.source):
        if not masked.hidden[j]:
            assert masked.input_ids[j] == plain.input_ids[source]
            assert masked.attention_mask[j] == 1
    overlapping = {
        i
        for i, offset in enumerate(plain.offsets)
        if offset and MASK.characters & set(range(*offset))
    }
    kept = {s for s, hidden in zip(masked.source, masked.hidden, strict=True) if not hidden}
    assert kept == set(range(len(plain))) - overlapping
    if operator in ("mask", "corrupt", "unk", "pad", "attention"):
        assert len(masked) == len(plain)
        assert {i for i, h in enumerate(masked.hidden) if h} == overlapping


@pytest.mark.parametrize("operator", ["attention", "pad"])
def test_hidden_tokens_receive_no_attention(classifier: str, operator: str) -> None:
    attention = attend(MASK, classifier, operator)
    hidden = np.array(attention.encoding.hidden)
    rows = ~hidden
    assert float(attention.weights[:, :, rows][..., hidden].max()) == 0.0
    sums = attention.weights.astype(np.float32).sum(-1)
    assert np.allclose(sums[:, :, rows], 1, atol=2e-3)


def test_padding_in_a_hidden_place_is_as_padding_at_the_end(tiny) -> None:
    """The README's words: its padding token, attended to by none."""
    model = load_model(tiny("bert"))
    text = "Anna liked this film"
    last = Mask(text, (MaskSpan(16, 20),))
    padded, skipped = apply(last, "pad", model), apply(last, "attention", model)
    place = padded.hidden.index(True)
    assert padded.input_ids[place] == model.tokenizer.pad_token_id
    assert padded.attention_mask == skipped.attention_mask
    assert padded.attention_mask[place] == 0
    question = asked(model)
    answers = question.probabilities(question.logits([padded, skipped]))
    assert np.allclose(answers[0], answers[1], atol=1e-6)


def test_what_nobody_attends_to_does_not_change_the_answer(tiny) -> None:
    """Whatever stands at places that attention skips, the answer is the same."""
    model = load_model(tiny("bert"))
    a, b = "Anna liked this film", "Paris liked this film"
    hide_a = Mask(a, (MaskSpan(0, 4),))
    hide_b = Mask(b, (MaskSpan(0, 5),))
    first, second = apply(hide_a, "attention", model), apply(hide_b, "attention", model)
    assert len(first) == len(second)
    assert first.input_ids != second.input_ids
    question = asked(model)
    answers = question.probabilities(question.logits([first, second]))
    assert np.allclose(answers[0], answers[1], atol=1e-6)


def test_difference_is_aligned_on_the_plain_tokens(classifier: str) -> None:
    plain = attend(TEXT, classifier)
    same = difference(plain, attend(TEXT, classifier))
    assert np.abs(same).max() < 1e-3
    gone = difference(plain, attend(MASK, classifier, "delete"))
    hidden = [
        i for i, o in enumerate(plain.encoding.offsets) if o and MASK.characters & set(range(*o))
    ]
    assert gone.shape == plain.weights.shape
    kept = [i for i in range(len(plain.tokens)) if i not in hidden]
    assert np.all(gone[..., hidden, :] == 0)
    assert np.all(gone[:, :, kept][..., hidden] <= 0)


def test_hiding_everything_by_deletion_is_refused(tiny) -> None:
    model = load_model(tiny("gpt2"))
    whole = mask("Anna", "random", ratio=1)
    encoding = apply(whole, "delete", model)
    assert all(encoding.special)
    with pytest.raises(UnknownNameError, match="operator"):
        apply(whole, "blur", model)


def test_a_long_text_is_cut_and_says_so(tiny) -> None:
    model = load_model(tiny("bert"))
    encoding = apply("dull film " * 500, "mask", model)
    assert len(encoding) == model.max_length == 64
    assert encoding.truncated_at is not None
    assert "first 64 tokens" in encoding.notice
    assert apply("dull film", "mask", model).notice == ""


def test_a_mask_beyond_the_cut_changes_nothing_and_does_not_fail(tiny) -> None:
    model = load_model(tiny("bert"))
    text = "dull film " * 500
    late = Mask(text, (MaskSpan(len(text) - 5, len(text) - 1),))
    assert apply(late, "mask", model).input_ids == apply(text, "mask", model).input_ids


def test_every_operator_says_what_it_does() -> None:
    assert all(o.summary.endswith(".") for o in OPERATORS.values())
    assert MaskError.__mro__[1].__name__ == "InputError"


def corrupted(model, text: str, unit: str) -> list[list[tuple[str, int]]]:
    """Return per seed (what became of it, index) for each hidden token."""
    plain, found = model.tokenise(text), []
    for seed in range(300):
        chosen = mask(text, "random", ratio=0.5, seed=seed)
        encoding = apply(chosen, "corrupt", model, unit=unit)
        row = []
        for i, hidden in enumerate(encoding.hidden):
            if hidden:
                same = encoding.input_ids[i] == plain.input_ids[i]
                masked = encoding.input_ids[i] == model.tokenizer.mask_token_id
                row.append(("mask" if masked else "keep" if same else "random", i))
        found.append(row)
    return found


@pytest.mark.parametrize("unit", ["token", "word", "span"])
def test_corrupt_is_80_10_10(tiny, unit: str) -> None:
    model = load_model(tiny("bert"))
    text = "Anna loved every minute of this great funny and warm picture in Paris"
    drawn = [kind for row in corrupted(model, text, unit) for kind, _ in row]
    for kind, share in (("mask", 0.8), ("random", 0.1), ("keep", 0.1)):
        assert drawn.count(kind) / len(drawn) == pytest.approx(share, abs=0.03)


def test_corrupt_per_word_treats_the_tokens_of_a_word_alike(tiny) -> None:
    model = load_model(tiny("bert"))
    text = "jumping foxes overslept lazily"
    starts = [o[0] for o in model.tokenise(text).offsets if o]
    assert len(starts) > len(text.split())
    chosen = mask(text, "random", ratio=1)
    mixed = 0
    for seed in range(60):
        again = Mask(text, chosen.spans, seed=seed)
        encoding = apply(again, "corrupt", model, unit="word")
        for start, end in chosen.words:
            tokens = [i for i, o in enumerate(encoding.offsets) if o and start <= o[0] < end]
            masked = {encoding.input_ids[i] == model.tokenizer.mask_token_id for i in tokens}
            mixed += len(masked) > 1
    assert mixed == 0


def test_corrupt_does_not_depend_on_what_else_is_hidden(tiny) -> None:
    model = load_model(tiny("bert"))
    one = Mask("Anna saw Paris", (MaskSpan(0, 4),), seed=3)
    both = Mask("Anna saw Paris", (MaskSpan(0, 4), MaskSpan(9, 14)), seed=3)
    first, second = apply(one, "corrupt", model), apply(both, "corrupt", model)
    hidden = [i for i, h in enumerate(first.hidden) if h]
    assert [first.input_ids[i] for i in hidden] == [second.input_ids[i] for i in hidden]


def test_infill_puts_the_models_words_in_place(tiny) -> None:
    model = load_model(tiny("bert", "MaskedLM"))
    chosen = mask(TEXT, "pattern", words="truly,film")
    plain, filled = apply(TEXT, "mask", model), apply(chosen, "infill", model)
    assert len(filled) == len(plain)
    special = set(model.tokenizer.all_special_ids)
    for i, hidden in enumerate(filled.hidden):
        if hidden:
            assert filled.input_ids[i] not in special
        else:
            assert filled.input_ids[i] == plain.input_ids[i]
    single = mask(TEXT, "manual", indices=[4])
    best = fill(single, model)[0].candidates[0]
    alone = apply(single, "infill", model)
    ids = [i for i, h in zip(alone.input_ids, alone.hidden, strict=True) if h]
    if len(ids) == 1:
        assert model.tokenizer.decode(ids).strip() == best.token


def test_texts_infilled_together_are_as_one_by_one(tiny, monkeypatch) -> None:
    model = load_model(tiny("bert", "MaskedLM"))
    masks = [mask(TEXT, "random", ratio=ratio, seed=s) for ratio in (0.2, 0.7) for s in range(4)]
    masks += [mask("Anna saw Paris.", "random", ratio=0.5), mask(TEXT, "pattern", words="none")]
    alone = [apply(one, "infill", model) for one in masks]
    passes, network = [], model.network("fill")
    monkeypatch.setattr(
        network, "forward", lambda f=network.forward, **k: passes.append(k["input_ids"]) or f(**k)
    )
    assert apply_many(masks, "infill", model) == alone
    assert max(map(len, passes)) > 1  # texts of one length share a pass
    assert len(passes) <= 2 * 10  # two lengths, ten rounds


def test_infill_by_sentinels(tiny) -> None:
    model = load_model(tiny("t5", "Seq2SeqLM"))
    chosen = mask(TEXT, "pattern", words="truly,Anna")
    filled = apply(chosen, "infill", model)
    visible = [i for i, h in zip(filled.input_ids, filled.hidden, strict=True) if not h]
    assert visible == list(apply(chosen, "delete", model).input_ids)
    many = mask("a b c d e f g h i j k l m n o p", "random", ratio=0.6)
    with pytest.raises(CapabilityError, match="sentinels"):
        apply(many, "infill", model)


def test_a_model_taught_sentinels_writes_a_hidden_sentence_anew(tiny) -> None:
    import torch

    from maskviz.readings.infill import _with_sentinels

    model = load_model(tiny("t5", "Seq2SeqLM"))
    network = copy.deepcopy(model.network("translate")).eval()
    chosen = mask("Anna loved it. A slow picture! He sees Paris.", "pattern", pattern="A slow.*!")
    plain = model.tokenise(chosen.text)
    hidden = [run for span, run in hidden_runs(plain, chosen) if span is not None]
    marks = [model.tokenizer.convert_tokens_to_ids(f"<extra_id_{n}>") for n in range(len(hidden))]
    source = torch.tensor([_with_sentinels(plain, hidden, marks)])
    written = "<extra_id_0> The film is dull. <extra_id_1>"
    ids = model.tokenizer(written, add_special_tokens=False).input_ids
    # T5's targets end so; without it what comes next is chance, and the beams go astray.
    target = torch.tensor([[*ids, network.config.eos_token_id]])
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    for _ in range(500):
        optimiser.zero_grad()
        learnt = network(input_ids=source, labels=target)
        if learnt.loss.item() < 1e-3:
            break
        learnt.loss.backward()
        optimiser.step()
    taught = replace(model, name="taught")
    object.__setattr__(taught, "network", lambda capability: network)
    filled = apply(chosen, "infill", taught)
    new = [i for i, h in zip(filled.input_ids, filled.hidden, strict=True) if h]
    assert new == ids[1:-1]


@pytest.mark.parametrize("operator", ["delete", "placeholder", "attention"])
def test_a_decoder_says_what_to_use_instead_of_mask(tiny, operator: str) -> None:
    model = load_model(tiny("gpt2", "CausalLM"))
    with pytest.raises(CapabilityError, match=rf"no mask token.*\b{operator}\b"):
        apply(MASK, "mask", model)
    assert len(apply(MASK, operator, model))


def test_a_model_that_cannot_fill_says_so(tiny) -> None:
    with pytest.raises(CapabilityError, match="cannot fill"):
        apply(MASK, "infill", tiny("gpt2"))
    with pytest.raises(UnknownNameError, match="unit"):
        apply(MASK, "corrupt", tiny("bert"), unit="line")
