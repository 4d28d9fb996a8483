"""What a language model is asked, at the doors: command line, docs, long prompts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from maskviz.errors import CapabilityError
from maskviz.evidence import explain
from maskviz.masks import Mask, apply, mask
from maskviz.masks.spans import MaskSpan
from maskviz.models import load_model
from maskviz.models.checks import CHECKS, finding, refusal
from maskviz.readings.language import answering, usual_question
from maskviz.readings.question import asked, in_batches
from tests.tiny_models import build_any

TEXT = "She loved every minute of this great, funny and warm picture."
PROMPT = "Review: {text}\nSentiment:"


def test_what_is_asked_where_nothing_is_said(decoder, tiny) -> None:
    assert usual_question(load_model("mini")) == "labels"
    assert usual_question(decoder("llama")) == "next"
    assert usual_question(load_model(tiny("llama"))) == "labels"
    with pytest.raises(CapabilityError):
        asked(load_model(tiny("bert")), {"name": "choices", "choices": ["a", "b"]})


def test_the_command_line_asks_them(decoder, run) -> None:
    folder = decoder("llama").path
    status, out, _ = run(
        "compare", TEXT, "--model", folder, "--prompt", r"Review: {text}\nSentiment:",
        "--choice", "warm", "--choice", "dull", "--strategy", "random,span", "--json",
    )  # fmt: skip
    found = json.loads(out)
    assert status == 0
    assert found["question"]["prompt"] == PROMPT
    assert found["outputs"] == ["warm", "dull"]
    assert found["operator"] == "delete"
    assert set(found["reference"]) >= {"unit", "size", "exhaustive", "p", "rank", "low", "mean"}
    for own in (["--answer", "warm"], ["--answer", ""], ["--next"], []):
        status, out, err = run("compare", TEXT, "--model", folder, *own, "--json")
        assert status == 0, err
        assert json.loads(out)["kl"] >= 0
    status, _, err = run("compare", TEXT, "--model", folder, "--next", "--answer", "a")
    assert status == 2
    assert "one at a time" in err
    status, out, _ = run("explain", TEXT, "--model", folder, "--answer", "warm film")
    assert status == 0
    assert "ln p" in out or "great" in out


@pytest.mark.parametrize("family", ["mamba", "qwen3_next", "jamba", "falcon_h1"])
def test_what_keeps_a_state_is_read_whole(family: str, tmp_path) -> None:
    recurrent = build_any(family, tmp_path, "CausalLM", "bytes", intermediate_size=None)
    model = load_model(str(recurrent))
    found = finding(model, "shared beginnings")
    assert not found.passed
    assert "Error" not in found.said
    assert "every variant is read whole" in refusal(model, "shared beginnings", found)


def test_answers_of_a_recurrent_network_are_those_of_single_passes(tmp_path) -> None:
    recurrent = build_any("mamba", tmp_path, "CausalLM", "bytes", intermediate_size=None)
    put = asked(load_model(str(recurrent)), {"name": "answer", "answer": "warm"})
    reads = [apply(m, "delete", put.model) for m in (TEXT, mask(TEXT, "random"))]
    assert put.logits(reads) == pytest.approx(in_batches(put, reads, 1), abs=1e-4)


@pytest.mark.parametrize("family", ["mistral", "gemma3_text", "opt"])
def test_checks_are_the_same_once_a_model_was_asked(family: str, decoder) -> None:
    model = load_model(decoder(family).path)
    put = asked(model, {"name": "answer", "answer": "warm film"})
    in_batches(put, [apply(TEXT, "attention", put.model)], 1)  # its head is watched from here on
    copies = [CHECKS[name].function(model) for name in ("shared beginnings", "padding")]
    assert [found.said for found in copies] == ["beginnings are shared", "padding is ignored"]


def test_an_answer_is_written_within_what_the_model_takes(decoder) -> None:
    model = decoder("llama")
    put = asked(model, {"name": "answer"})
    ids = answering.written(put.model, apply(" ".join([TEXT] * 3), "attention", put.model), 200)
    read_ = apply(" ".join([TEXT] * 3), "attention", put.model)
    assert len(ids) + len(read_) <= model.max_length


def test_a_long_prompt_is_scored_by_sentences_first(tmp_path, monkeypatch) -> None:
    from maskviz.evidence.words import staged

    path = build_any(
        "llama", tmp_path, "CausalLM", "bytes", num_key_value_heads=1, max_position_embeddings=4096
    )
    settings = json.loads((path / "tokenizer_config.json").read_text())
    (path / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": 4096}))
    model = load_model(str(path))
    text = " ".join(f"Anna saw film number {i}. She loved it." for i in range(12))
    put = asked(model, {"name": "answer", "answer": "warm"})
    monkeypatch.setattr(staged, "TELLING", 12)
    monkeypatch.setattr(staged, "ONE_BY_ONE", 50)
    found = explain(text, put)
    assert "hidden first" in found.notice
    plain, *_ = put.logits([apply(text, "attention", put.model)])
    best = max(found.words, key=lambda w: abs(w.score))
    hidden = apply(Mask(text, (MaskSpan(best.start, best.end),)), "attention", put.model)
    assert best.score == pytest.approx(float(plain[0] - put.logits([hidden])[0, 0]), abs=1e-4)
    assert len({round(word.score, 9) for word in found.words}) > 12
    assert 12 + 20 <= staged.cost(put, text).passes <= 12 + 24


DOCS = Path(__file__).parents[2] / "docs" / "language-models.md"


@pytest.mark.parametrize(
    ("number", "asked_for"),
    [
        (0, ("--prompt", r"Review: {text}\nSentiment:", "--choice", "warm", "--choice", "dull")),
        (1, ("--target", " a", "--against", " of")),
        (2, ("--answer", "warm")),
    ],
)
def test_the_examples_of_the_docs_have_the_keys_of_the_command(
    decoder, run, number: int, asked_for
) -> None:
    shown = json.loads(re.findall(r"```json\n(.*?)```", DOCS.read_text("utf-8"), re.S)[number])
    status, out, err = run(
        "compare", TEXT, "--model", decoder("llama").path, *asked_for, "--json",
        "--strategy", "pattern", "--words", "great",
    )  # fmt: skip
    assert status == 0, err
    found = json.loads(out)
    assert [key for key in found if key in shown] == list(shown)
    for key in ("choices", "tokens", "next"):
        if key in shown:
            assert list(found[key][0]) == list(shown[key][0])
    assert set(found["reference"]) == set(shown["reference"])
