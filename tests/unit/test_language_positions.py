"""Where hiding matters, token by token, and what each token of an answer rests on."""

from __future__ import annotations

import json
import math
import shlex
import threading

import numpy as np
import pytest
import torch

from maskviz.errors import CapabilityError, ParameterError, TextError
from maskviz.evidence import Comparison, Control, compare, compare_masks, explain
from maskviz.evidence.text.compare import operators_left_out, put_again
from maskviz.evidence.text.scale import Scale, visible
from maskviz.evidence.text.sentence import comparison_sentence, times
from maskviz.evidence.words.answer import answer_matrix
from maskviz.figures import answers as figures
from maskviz.masks import apply, mask
from maskviz.models import load_model
from maskviz.readings import side_by_side
from maskviz.readings.language import positions
from maskviz.readings.language.asking import askable, opening_question
from maskviz.readings.language.positions import kl_by_position
from maskviz.readings.question import asked
from maskviz.report import render, text_report
from tests.tiny_models import build_any

TEXT = "She loved every minute of this great, funny and warm picture."
PROMPT = "Review: {text}\nSentiment:"
FAMILIES = {
    "llama": {"num_key_value_heads": 1},
    "gemma2": {"num_key_value_heads": 1, "head_dim": 8, "sliding_window": 6,
               "final_logit_softcapping": 2.0},
    "gpt2": {"n_positions": 66, "n_embd": 16, "n_layer": 2, "n_head": 2},
    "cohere": {"num_key_value_heads": 2, "logit_scale": 0.25},
}  # fmt: skip


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    """Return a function family → a tiny decoder, each built once."""
    built = {}

    def load(family: str = "llama"):
        if family not in built:
            path = tmp_path_factory.mktemp(family)
            built[family] = str(build_any(family, path, "CausalLM", "bytes", **FAMILIES[family]))
        return load_model(built[family])

    return load


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("operator", "cells"), [("delete", 2**22), ("delete", 900), ("mask", 0)])
def test_kl_by_position_is_that_of_two_plain_passes(
    family: str, operator: str, cells: int, decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = decoder(family)
    operator = "placeholder" if operator == "mask" else operator
    monkeypatch.setattr(positions, "_CELLS", cells or 2**22)
    framed = asked(model, {"name": "next", "prompt": PROMPT}).model
    chosen = mask(TEXT, "pattern", pattern="minute|great")
    found = kl_by_position(chosen, framed, operator)
    plain, masked = apply(TEXT, "attention", framed), apply(chosen, operator, framed)
    with torch.inference_mode():
        p, q = (
            model.network("generate")(torch.tensor([e.input_ids])).logits[0].double().log_softmax(1)
            for e in (plain, masked)
        )
    expected = [None] * len(plain)
    for j, i in enumerate(masked.source):
        if i is not None and not masked.hidden[j]:
            expected[i] = float((p[i].exp() * (p[i] - q[j])).sum())
    assert [one.kl is None for one in found] == [kl is None for kl in expected]
    known = [(a.kl, b) for a, b in zip(found, expected, strict=True) if b is not None]
    assert [a for a, _ in known] == pytest.approx([b for _, b in known], abs=1e-4)
    hidden = [TEXT[o.start : o.end] for o in found if o.kl is None and o.start is not None]
    assert "".join(hidden).replace(" ", "") == "minutegreat"
    assert found[-1].kl == pytest.approx(
        compare(chosen, model, operator, question={"name": "next", "prompt": PROMPT}).kl, abs=1e-4
    )


def test_a_word_out_of_sight_is_lined_up_as_well(decoder) -> None:
    model = decoder()
    chosen = mask(TEXT, "pattern", pattern="every|picture")
    found = kl_by_position(chosen, model, "attention")
    hidden = [TEXT[o.start : o.end] for o in found if o.kl is None and o.start is not None]
    assert "".join(hidden).replace(" ", "") == "everypicture"
    assert all(o.kl == 0 for o in found[:3])  # nothing is hidden before them
    assert max(o.kl or 0 for o in found) > 0.01


def test_only_a_decoder_writes_on_behind_every_token() -> None:
    with pytest.raises(CapabilityError, match="decoder"):
        kl_by_position(mask(TEXT, "random"), load_model("mini"), "mask")


@pytest.mark.parametrize("given", [{"answer": "warm picture of Paris"}, {"longest": 5}])
def test_a_matrix_of_an_answer_adds_up_to_the_whole(decoder, given) -> None:
    model = decoder()
    question = {"name": "answer", "prompt": PROMPT, **given}
    found = answer_matrix(TEXT, model, question=question)
    whole = explain(TEXT, model, question=question)
    assert found.sums == pytest.approx([w.score for w in whole.words], abs=1e-4)
    assert np.shape(found.scores) == (len(whole.words), len(found.tokens))
    assert sum(found.log_probabilities) == pytest.approx(whole.probability, abs=1e-4)
    third = explain(TEXT, model, label=f"3: {found.tokens[2]}", question=question)
    column = [row[2] for row in found.scores]
    assert column == pytest.approx([w.score for w in third.words], abs=1e-6)
    put = asked(model, question).about(TEXT)
    start = TEXT.index("funny")
    places = put.model.tokenise(TEXT).offsets
    unseen = [int(o is None or o[1] <= start or o[0] >= start + len("funny")) for o in places]
    ids = [*put.model.tokenise(TEXT).input_ids, *put.model.tails[0].ids]
    seen = torch.tensor([[*unseen, *[1] * len(put.model.tails[0].ids)]])
    with torch.inference_mode():
        said = model.network("generate")(torch.tensor([ids]), attention_mask=seen).logits[0]
    own = put.model.tails[0].own
    said = said[-len(own) - 1 : -1].double().log_softmax(-1)
    hidden = [float(said[k, token]) for k, token in enumerate(own)]
    row = next(i for i, (s, e) in enumerate(found.words) if TEXT[s:e] == "funny")
    assert found.scores[row] == pytest.approx(
        np.subtract(found.log_probabilities, hidden), abs=1e-4
    )


def test_a_matrix_is_of_an_answer_alone(decoder) -> None:
    with pytest.raises(ParameterError, match="ask the question answer"):
        answer_matrix(TEXT, decoder(), question="next")
    with pytest.raises(TextError):
        answer_matrix("…", decoder(), question={"name": "answer", "answer": "warm"})


def test_a_contrast_is_explained_and_shown_in_nats(decoder) -> None:
    model = decoder()
    question = {"name": "next", "target": " fox", "against": " dog"}
    chosen = mask(TEXT, "pattern", pattern="great")
    (effect,) = compare_masks([("mine", chosen)], model, "delete", question=question)
    found = explain(TEXT, model, question=question)
    scale = Scale.of(effect.comparison)
    assert found.unit == "contrast"
    assert scale.name == "ln p(␣fox) − ln p(␣dog)"
    assert scale.value(effect.comparison.original) == pytest.approx(
        effect.comparison.detail["contrast"][0], abs=1e-5
    )
    odds = [math.log(p) - math.log1p(-p) for p in effect.control.probabilities]
    assert scale.band(effect.control) == pytest.approx(
        (*np.quantile(odds, [0.025, 0.975]), np.mean(odds))
    )
    seen = explain(TEXT, model, "occlusion", " dog", question=question)
    assert [w.score for w in seen.words] == pytest.approx([-w.score for w in found.words])


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"name": "next", "target": " fox", "against": " dog"}, "as probable as “dog”"),
        ({"name": "next"}, "as the next token"),
        ({"name": "answer", "answer": "warm and\nfunny"}, "the answer “warm and funny”"),
        ({"name": "choices", "choices": ["warm", "dull"]}, "“"),
    ],
)
def test_a_sentence_says_it_in_words(decoder, question, said: str) -> None:
    chosen = mask(TEXT, "pattern", pattern="great|warm")
    (effect,) = compare_masks([("mine", chosen)], decoder(), "delete", question=question)
    sentence = comparison_sentence(effect.comparison, effect.control)
    assert sentence.startswith("Hiding 2 of 11 words (pattern) ")
    assert said in sentence or "leaves" in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


def test_the_next_token_flips_where_another_one_is_written(decoder) -> None:
    found: list[Comparison] = [
        compare(mask(TEXT, "random", ratio=0.4, seed=i), decoder(), "delete", question="next")
        for i in range(4)
    ]
    for one in found:
        before, after = one.detail["next"]
        assert one.flip == (before["text"] != after["text"])
        top = one.detail["top"]
        assert top[0]["text"].strip() == before["text"].strip()
        assert any(t["probability_masked"] == after["probability"] for t in top)
    assert {one.flip for one in found} == {True, False} or all(one.flip for one in found)


def test_ratios_and_tokens_are_written_for_a_person() -> None:
    assert times(0) == "1.0 times"
    assert times(-20) == "less than a millionth"
    assert visible("a b") == "a b"
    empty = Control(0, "x", (), math.nan, math.nan, math.nan)
    assert all(math.isnan(v) for v in Scale("x").band(empty))


def test_what_a_model_can_be_asked(decoder, tiny) -> None:
    assert askable(decoder()) == ("choices", "next", "answer")
    assert opening_question(decoder()) == "next"
    assert askable(load_model("mini")) == ("labels", "choices")
    assert opening_question(load_model("mini")) == "labels"
    assert askable(load_model(tiny("bert"))) == ("labels",)
    assert askable(load_model("mini-translate")) == ("choices", "answer")
    assert opening_question(load_model("mini-translate")) == "choices"
    with pytest.raises(CapabilityError, match="no question"):
        opening_question(load_model(tiny("bert", "TokenClassification")))


def test_a_question_is_put_again_with_the_same_answer(decoder) -> None:
    chosen = mask(TEXT, "random")
    own = compare(chosen, decoder(), "delete", question={"name": "answer", "longest": 3})
    again = put_again(own)
    assert again["answer"]
    assert "tokens" not in again
    assert put_again(compare(chosen, "mini")) == "labels"
    left_out = operators_left_out(chosen, decoder(), ["mask", "delete"], question="answer")
    assert left_out[0].startswith("mask is left out")


def test_figures_of_what_is_written(decoder) -> None:
    chosen = mask(TEXT, "pattern", pattern="great")
    following = compare(chosen, decoder(), "delete", question="next")
    drawn = figures.next_tokens(following)
    assert list(drawn.data[0].x) == [
        t["probability_original"] for t in following.detail["top"][:10]
    ]
    answer = compare(chosen, decoder(), "delete", question={"name": "answer", "answer": "<b>a"})
    drawn = figures.answer_tokens(answer)
    assert [len(bar.x) for bar in drawn.data] == [len(answer.detail["tokens"])] * 2
    assert not any("<" in text for text in drawn.layout.yaxis.ticktext)


def test_the_command_line_has_them_too(decoder, run) -> None:
    folder = decoder().path
    status, out, err = run("explain", TEXT, "--model", folder, "--answer", "warm film", "--json")
    assert status == 0, err
    found = json.loads(out)
    assert found["matrix"]["sums"] == pytest.approx([w["score"] for w in found["words"]], abs=1e-4)
    status, out, err = run("compare", TEXT, "--model", folder, "--next", "--json")
    assert status == 0, err
    found = json.loads(out)
    strip = found["kl_by_position"]
    assert strip[-1]["kl"] == pytest.approx(found["kl"], abs=1e-4)
    assert {"text", "start", "end", "kl"} == set(strip[0])


@pytest.mark.parametrize(
    ("question", "asked_for", "unit"),
    [
        ({"name": "next", "target": "fox", "against": "dog"}, "Why it would write “fox”", " nats"),
        ({"name": "next"}, "as the next word", None),
        ({"name": "answer", "answer": "<b>warm"}, "the answer “&lt;b&gt;warm”", " nats"),
        ({"name": "choices", "choices": ["warm", "dull"], "prompt": "Is {text}\n<i>"},
         "Around the text stands: Is … &lt;i&gt;", None),
    ],
)  # fmt: skip
def test_a_report_says_what_was_asked_and_in_which_unit(
    decoder, run, tmp_path, monkeypatch, question, asked_for: str, unit: str | None
) -> None:
    chosen = mask(TEXT, "pattern", pattern="great")
    report = text_report(chosen, decoder(), "delete", question=question)
    titles = {section.title: section.body for section in report.sections}
    assert asked_for in titles["What was the model asked?"]
    assert report.data.get("unit") == unit
    words = explain(TEXT, decoder(), question=question).words
    assert report.data["scores"] == pytest.approx([w.score for w in words], abs=1e-5)
    if unit:
        assert "%" not in titles["What did the model look at?"]
        assert "nats" in titles["What did the model look at?"]
        assert "middle 95 %" in titles["What changed?"]
    assert "<b>warm" not in render(report)
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*shlex.split(report.commands[-1])[1:], "--json")
    assert status == 0, err
    assert json.loads(out)["finding"] == report.finding


@pytest.mark.parametrize("question", ["next", "answer", "choices"])
def test_hidden_words_are_checked_before_threads_share_the_batches(
    tmp_path, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    """A check asks for the lock that is held while batches are computed side by side."""
    model = load_model(str(build_any("llama", tmp_path, "CausalLM", "bytes", **FAMILIES["llama"])))
    monkeypatch.setattr(side_by_side, "threads", lambda: 2)
    given = {"answer": {"answer": "warm"}, "choices": {"choices": ["a", "the"]}}.get(question, {})
    found: list[object] = []

    def work() -> None:
        found.append(explain(TEXT, model, question={"name": question, **given}))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(60)
    assert found
