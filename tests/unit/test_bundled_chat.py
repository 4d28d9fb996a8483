"""The bundled chat model: its size, its template, and the figures that its card prints."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from maskviz.checksums import verify
from maskviz.masks import apply, mask
from maskviz.models import load_model
from maskviz.paths import assets
from maskviz.readings.question import asked

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
FEW = 40  # questions that the card tells the figures of
FOLDER = assets() / "mini-chat"


@pytest.fixture
def scores(monkeypatch: pytest.MonkeyPatch):
    """Return the module that prints its figures."""
    monkeypatch.syspath_prepend(str(RECIPES))
    before = set(sys.modules)
    yield __import__("score_chat")
    for name in set(sys.modules) - before:
        if name.startswith(("chat_", "mini_", "score_", "kneser_ney")):
            del sys.modules[name]


def test_it_is_small_and_whole() -> None:
    verify(FOLDER)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 12e6
    assert (load_model("mini-chat").config.model_type, load_model("mini-chat").name) == (
        "llama",
        "mini-chat",
    )


def test_its_tokenizer_gives_back_every_text_and_has_a_template() -> None:
    tokenizer = load_model("mini-chat").tokenizer
    for text in (" two  spaces ", "don’t", "12,5 % 🙂", "我们", "a\n\nb\t"):
        assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True) == text
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Yes."}],
        add_generation_prompt=True,
        tokenize=False,
    )
    assert rendered == (
        "<|begin|><|user|>\nHi.<|end|>\n<|assistant|>\nYes.<|end|>\n<|assistant|>\n"
    )


PROMPT = "Review: {text}\nSentiment:"
TEXTS = ("A slow and lovely film.", "The jokes fall flat, and nobody in it is worth an hour of it.")


def log_probabilities(prompt: str, continuation: str) -> torch.Tensor:
    """Return ln p of each token of a continuation, from a plain pass of transformers."""
    model = load_model("mini-chat")
    ids = model.tokenizer(prompt + continuation).input_ids
    start = len(model.tokenizer(prompt).input_ids)
    with torch.inference_mode():
        logits = model.network("generate")(torch.tensor([ids])).logits[0].double()
    said = logits.log_softmax(-1)[start - 1 : -1]
    return said.gather(1, torch.tensor(ids[start:])[:, None])[:, 0]


def test_choices_and_answers_are_those_of_a_plain_pass() -> None:
    choices = ("positive", "negative", "a slow one")
    put = asked("mini-chat", {"name": "choices", "prompt": PROMPT, "choices": choices})
    reads = [apply(text, "attention", put.model) for text in TEXTS]
    for text, logits in zip(TEXTS, put.logits(reads), strict=True):
        sums = [log_probabilities(PROMPT.format(text=text), f" {c}").sum() for c in choices]
        assert logits == pytest.approx(torch.stack(sums).numpy(), abs=1e-4)
    given = {"name": "answer", "prompt": PROMPT, "answer": "a slow and lovely one"}
    answer = asked("mini-chat", given)
    hidden = mask(TEXTS[1], "pattern", words=["jokes", "nobody"])
    (logits,) = answer.logits([apply(hidden, "delete", answer.model)])
    kept = "The fall flat, and in it is worth an hour of it."
    own = log_probabilities(PROMPT.format(text=kept), " a slow and lovely one")
    assert logits[1:] == pytest.approx(own.tolist(), abs=1e-4)


def test_it_writes_what_transformers_writes() -> None:
    put = asked("mini-chat", {"name": "answer", "longest": 12}).about("The film is")
    ids = torch.tensor([put.model.tokenizer("The film is").input_ids])
    with torch.inference_mode():
        found = put.model.network("generate").generate(ids, max_new_tokens=12, do_sample=False)
    written = found[0, ids.shape[1] :].tolist()
    end = put.model.tokenizer.eos_token_id
    assert list(put.given["tokens"]) == written[: written.index(end) if end in written else None]


def test_the_card_prints_what_the_evaluation_does_on_few_questions(scores) -> None:
    torch.manual_seed(0)
    found = scores.question_figures(*scores.loaded(FOLDER), FEW)
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for figure in found:
        assert figure.as_line() in card
    plain, irrelevant = found[0].value, found[1].value
    assert plain >= 0.7
    assert irrelevant <= plain - 0.15
