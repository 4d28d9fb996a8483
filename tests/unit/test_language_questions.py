"""What a language model is asked: every number equals a plain forward pass of transformers."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from maskviz.errors import ParameterError, UnknownNameError
from maskviz.evidence import compare, compare_file, compare_masks, explain, fairness
from maskviz.evidence.counterfactual.swaps import Pair
from maskviz.masks import apply, mask
from maskviz.models import load_model
from maskviz.readings.batches import Ids
from maskviz.readings.language import answering
from maskviz.readings.language.scoring import next_logits
from maskviz.readings.question import asked, in_batches
from maskviz.readings.windows import read
from tests.tiny_decoders import DECODERS

TEXT = "She loved every minute of this great, funny and warm picture."
PROMPT = "Review: {text}\nSentiment:"
CHOICES = ("warm film", "dull", "story of Paris")


@pytest.fixture(scope="module", params=DECODERS)
def each(request: pytest.FixtureRequest, decoder):
    """One tiny decoder of each family."""
    return decoder(request.param)


def by_hand(model, prompt: str, continuation: str) -> list[float]:
    """Return ln p of each token of the continuation from a plain pass over the joined text."""
    whole = model.tokenizer(prompt + continuation, return_offsets_mapping=True)
    ids, places = whole["input_ids"], whole["offset_mapping"]
    ids, places = ids[:-1], places[:-1]  # the test tokenizer closes with [SEP]
    first = next(i for i, (_, end) in enumerate(places) if end > len(prompt))
    with torch.inference_mode():
        said = model.network("generate")(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return [float(said[i - 1, ids[i]]) for i in range(first, len(ids))]


def next_by_hand(model, prompt: str) -> torch.Tensor:
    """Return ln p of every next token from a plain pass over the prompt."""
    ids = model.tokenizer(prompt)["input_ids"][:-1]
    with torch.inference_mode():
        return model.network("generate")(torch.tensor([ids])).logits[0, -1].double().log_softmax(-1)


def test_choices_are_scored_as_the_joined_text_is(each) -> None:
    put = asked(each, {"name": "choices", "prompt": PROMPT, "choices": CHOICES})
    sums = [sum(by_hand(each, PROMPT.format(text=TEXT), f" {c}")) for c in CHOICES]
    (logits,) = put.logits([apply(TEXT, "attention", put.model)])
    assert logits == pytest.approx(sums, abs=1e-4)
    assert put.probabilities(logits) == pytest.approx(np.exp(sums) / np.exp(sums).sum(), abs=1e-4)


def test_the_next_token_and_the_contrast(each) -> None:
    said = next_by_hand(each, TEXT.rstrip())
    put = asked(each, "next").about(TEXT)
    (p,) = put.probabilities(put.logits([apply(TEXT, "attention", put.model)]))
    top = said.topk(5)
    assert put.given["tokens"] == tuple(top.indices.tolist())
    assert p[:5] == pytest.approx(top.values.exp().numpy(), abs=1e-5)
    assert p.sum() == pytest.approx(1)
    contrast = asked(each, {"name": "next", "tokens": tuple(top.indices.tolist()[:2])})
    (logits,) = contrast.logits([apply(TEXT, "attention", contrast.model)])
    assert logits[0] - logits[1] == pytest.approx(float(top.values[0] - top.values[1]), abs=1e-4)


def test_an_answer_token_by_token(each) -> None:
    put = asked(each, {"name": "answer", "answer": "warm picture of Paris", "prompt": PROMPT})
    own = by_hand(each, PROMPT.format(text=TEXT), " warm picture of Paris")
    (logits,) = put.logits([apply(TEXT, "attention", put.model)])
    assert logits[1:] == pytest.approx(own, abs=1e-4)
    assert logits[0] == pytest.approx(sum(own), abs=1e-4)
    assert len(put.outputs) == len(own) + 1


def test_the_models_own_answer_is_what_transformers_writes(each) -> None:
    put = asked(each, {"name": "answer", "longest": 6}).about(TEXT)
    ids = torch.tensor([each.tokenizer(TEXT)["input_ids"][:-1]])
    found = (
        each.network("generate")
        .generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=6, do_sample=False)[
            0, ids.shape[1] :
        ]
        .tolist()
    )
    written = found[: found.index(3)] if 3 in found else found  # 3 ends a text
    assert list(put.given["tokens"]) == written


def test_what_is_written_with_words_hidden_from_attention_is_what_is_scored(each) -> None:
    put = asked(each, "answer")
    for seed in range(6):
        read_ = apply(mask(TEXT, "random", ratio=0.3, seed=seed), "attention", put.model)
        ids, seen = list(read_.input_ids), list(read_.attention_mask)
        own: list[int] = []
        for _ in range(4):
            with torch.inference_mode():
                logits = next_logits(put.model, [Ids(tuple(ids), tuple(seen))])[0]
            best = int(logits.argmax())
            if best == 3:  # ends a text
                break
            own.append(best)
            ids, seen = [*ids, best], [*seen, 1]
        assert answering.written(put.model, read_, 4) == tuple(own)


def test_divergence_is_over_the_vocabulary(each) -> None:
    chosen = mask(TEXT, "pattern", pattern="great")
    gone = "She loved every minute of this, funny and warm picture."
    found = compare(chosen, each, "delete", question="next")
    p, q = next_by_hand(each, TEXT), next_by_hand(each, gone)
    masked = apply(chosen, "delete", asked(each, "next").model).input_ids
    assert masked == tuple(each.tokenizer(gone)["input_ids"])[:-1]
    assert found.kl == pytest.approx(float((p.exp() * (p - q)).sum()), abs=1e-4)


def test_another_word_in_a_hidden_place_changes_nothing(each) -> None:
    put = asked(each, {"name": "answer", "answer": "warm"})
    read_ = apply(mask(TEXT, "pattern", pattern="picture"), "attention", put.model)
    assert 0 in read_.attention_mask
    other = list(read_.input_ids)
    for i, seen in enumerate(read_.attention_mask):
        if not seen:
            other[i] = 40
    a = in_batches(put, [read_], 1)
    b = in_batches(put, [Ids(tuple(other), read_.attention_mask)], 1)
    assert a == pytest.approx(b, abs=1e-6)


@pytest.mark.parametrize("method", ["gradient-input", "integrated-gradients"])
@pytest.mark.parametrize(
    "question",
    [
        {"name": "choices", "prompt": PROMPT, "choices": CHOICES},
        {"name": "answer", "answer": "warm picture", "prompt": PROMPT},
    ],
)
def test_gradients_are_those_of_the_embeddings(decoder, method: str, question) -> None:
    model = decoder("llama")
    put = asked(model, question)
    found = explain(TEXT, put, method)
    read_ = put.model.tokenise(TEXT)
    table = model.network("generate").get_input_embeddings().weight
    embedded = table[list(read_.input_ids)].detach().clone().requires_grad_(True)
    index = put.index(found.label)

    def target(embedded):
        sums = []
        for tail in put.model.tails:
            rows = torch.cat([embedded, table[list(tail.ids)]])[None]
            said = model.network("generate")(inputs_embeds=rows).logits[0].log_softmax(-1)
            n = len(embedded)
            sums.append(sum(said[n - 1 + i, t] for i, t in enumerate(tail.ids)))
        values = torch.stack(sums)
        if question["name"] == "answer":
            return values[0]
        others = [i for i in range(len(sums)) if i != index]
        return values[index] - values[others].logsumexp(0)

    if method == "gradient-input":
        (gradient,) = torch.autograd.grad(target(embedded), embedded)
        own = (gradient * embedded).sum(-1).detach().numpy()
        inside = [o is not None for o in read_.offsets]
        assert sum(w.score for w in found.words) == pytest.approx(
            own[inside].sum() - _marks(own, read_), abs=1e-3
        )
    else:
        assert found.convergence_gap is not None
        assert found.convergence_gap < 2


def _marks(values, read_) -> float:
    """Return what belongs to punctuation, which no word holds."""
    pairs = zip(values, read_.offsets, strict=True)
    return sum(v for v, o in pairs if o and TEXT[slice(*o)] in ".,!?;:")


def test_every_kind_of_evidence_takes_them(decoder) -> None:
    model = decoder("llama")
    put = asked(model, {"name": "choices", "prompt": PROMPT, "choices": ["warm", "dull"]})
    effects = compare_masks([("a", mask(TEXT, "random", seed=1))], put, ["delete", "attention"])
    assert [e.conclusion for e in effects]
    data = b"text,label\n" + b"\n".join(
        f"{TEXT} It is number {i}.,{'warm' if i % 2 else 'dull'}".encode() for i in range(6)
    )
    data = data.replace(b"great, funny", b"great funny")
    found = compare_file(
        data, ["random"], text_column="text", label_column="label", model=put,
        operator="delete", name="a.csv",
    )  # fmt: skip
    assert found.rows == 6
    assert found.strategies["random"].accuracy_original is not None
    pairs = [Pair(i, "gender", f"She saw it {i} times.", f"He saw it {i} times.") for i in range(5)]
    assert fairness(pairs, [], model=put).label == "dull"
    valued = asked(model, {"name": "answer", "answer": "warm"})
    done = compare_file(
        data, ["random"], text_column="text", model=valued, operator="delete", name="a.csv"
    )
    assert done.strategies["random"].mean_kl is None


def test_a_long_text_is_cut_and_the_prompt_stays(decoder) -> None:
    put = asked(decoder("llama"), {"name": "choices", "prompt": PROMPT, "choices": CHOICES})
    long = " ".join([TEXT] * 8)
    found = put.model.tokenise(long)
    room = max(len(tail.ids) for tail in put.model.tails)
    assert len(found.input_ids) <= put.model.max_length - room
    assert found.truncated_at is not None
    assert found.truncated_at < len(long)
    assert found.tokens[-3:] == put.model.tokenise(TEXT).tokens[-3:]
    assert "left out" in read(put, [(mask(long, "random"), "delete")]).notices[0]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"name": "choices", "choices": ["good", "good film"]}, "begins"),
        ({"name": "choices", "choices": ["good", "good"]}, "twice"),
        ({"name": "choices", "choices": ["good", "good "]}, "twice"),
        ({"name": "choices", "choices": ["good", " "]}, "empty"),
        ({"name": "choices", "choices": [1, 2]}, "texts in quotes"),
        ({"name": "choices", "choices": None}, "give a list"),
        ({"name": "choices", "choices": 3}, "give a list"),
        ({"name": "choices", "choices": ["a", "b"], "prompt": None}, "prompt is None"),
        ({"name": "choices", "choices": ["a", "b"], "by": 1}, "by is 1"),
        ({"name": "choices", "choices": ["x" * 400, "b"]}, "takes 64 in all: shorten it"),
        ({"name": "next", "target": " "}, "target or answer is empty"),
        ({"name": "next", "target": 5}, "target is 5"),
        ({"name": "next", "top": 2.5}, "a whole number, as 5 is"),
        ({"name": "next", "top": None}, "a whole number"),
        ({"name": "next", "top": True}, "a whole number"),
        ({"name": "next", "tokens": [10**9]}, "give ids from 0 to"),
        ({"name": "next", "tokens": [-1]}, "give ids from 0 to"),
        ({"name": "next", "tokens": ["a"]}, "give ids from 0 to"),
        ({"name": "answer", "answer": "x", "tokens": [10**9]}, "give ids from 0 to"),
        ({"name": "answer", "answer": 3}, "answer is 3"),
        ({"name": "answer", "longest": 2.7}, "a whole number, as 32 is"),
        ({"name": "answer", "answer": "very " * 900}, "in all: shorten it"),
        (["next"], "neither a name"),
        ({"name": "choices", "choices": ["good"]}, "two or more"),
        ({"name": "choices", "choices": ["a", "b"], "prompt": "no place"}, "{text}"),
        ({"name": "choices", "choices": ["a", "b"], "prompt": "{text} {text}"}, "2 times"),
        ({"name": "choices", "choices": ["a", "b"], "by": "luck"}, "luck"),
        ({"name": "next", "target": "wonderful stories"}, "tokens"),
        ({"name": "next", "against": "a"}, "target"),
        ({"name": "next", "top": 0}, "between 1"),
        ({"name": "answer", "longest": 0}, "longest"),
        ({"name": "answer", "answer": "story " * 70}, "takes 64 in all"),
    ],
)
def test_bad_input_is_one_sentence(decoder, question, said: str) -> None:
    with pytest.raises((ParameterError, UnknownNameError), match=re.escape(said)):
        compare(mask(TEXT, "random"), decoder("llama"), "delete", question=question)


@pytest.mark.parametrize("prompt", ["Answer:\n\n{text}\n\n", "{text} ", "Q: {text} A: "])
def test_space_at_the_end_of_a_prompt(decoder, prompt: str) -> None:
    model = decoder("llama")
    put = asked(model, {"name": "choices", "prompt": prompt, "choices": ["warm", "dull"]})
    whole = prompt.format(text=TEXT)
    (logits,) = put.logits([apply(TEXT, "attention", put.model)])
    assert logits == pytest.approx(
        [sum(by_hand(model, whole, c)) for c in ("warm", "dull")], abs=1e-4
    )


def test_choices_by_mean_and_by_gain(decoder) -> None:
    model = decoder("llama")
    given = {"name": "choices", "prompt": PROMPT, "choices": CHOICES}
    own = [by_hand(model, PROMPT.format(text=TEXT), f" {c}") for c in CHOICES]
    empty = [by_hand(model, PROMPT.format(text=""), f" {c}") for c in CHOICES]
    plain = [apply(TEXT, "attention", asked(model, given).model)]
    mean = asked(model, {**given, "by": "mean"}).logits(plain)[0]
    gain = asked(model, {**given, "by": "pmi"}).logits(plain)[0]
    assert mean == pytest.approx([np.mean(o) for o in own], abs=1e-4)
    assert gain == pytest.approx(
        [sum(o) - sum(e) for o, e in zip(own, empty, strict=True)], abs=1e-4
    )


def test_encoder_decoders_and_masked_models_choose_too(tiny, tmp_path) -> None:
    question = {"name": "choices", "prompt": PROMPT, "choices": ["good", "very bad"]}
    for model in (load_model("mini"), load_model("mini-translate")):
        put = asked(model, question)
        p = compare(mask(TEXT, "pattern", pattern="great"), put, "delete").original.probabilities
        assert sum(p.values()) == pytest.approx(1)
    translate = load_model("mini-translate")
    put = asked(translate, {"name": "answer", "answer": "Der Film ist gut."})
    (logits,) = put.logits([apply(TEXT, "attention", put.model)])
    source = translate.tokenizer(TEXT, return_tensors="pt")
    target = translate.tokenizer(text_target="Der Film ist gut.", add_special_tokens=False)
    ids = torch.tensor([target["input_ids"]])
    start = torch.tensor([[translate.config.decoder_start_token_id]])
    with torch.inference_mode():
        said = translate.network("translate")(
            **source, decoder_input_ids=torch.cat([start, ids[:, :-1]], 1)
        ).logits.log_softmax(-1)
    own = said.gather(-1, ids[..., None])[0, :, 0]
    assert logits[1:] == pytest.approx(own.numpy(), abs=1e-4)


def test_a_masked_model_fills_a_choice_token_by_token() -> None:
    model = load_model("mini")
    put = asked(model, {"name": "choices", "prompt": "{text} It was", "choices": ["good", "bad"]})
    (logits,) = put.logits([apply(TEXT, "attention", put.model)])
    tail = put.model.tails[0]
    inputs = model.tokenizer(TEXT + " It was", return_tensors="pt")
    ids = inputs["input_ids"][0].tolist()
    masked = [*ids[:-1], *[model.mask_token_id] * tail.scored, ids[-1]]
    total = 0.0
    for step, token in enumerate(tail.own):
        with torch.inference_mode():
            said = model.network("fill")(torch.tensor([masked])).logits[0].log_softmax(-1)
        at = len(ids) - 1 + step
        total += float(said[at, token])
        masked[at] = token
    assert logits[0] == pytest.approx(total, abs=1e-4)
