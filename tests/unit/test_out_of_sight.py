"""The operator `attention`: a hidden word is out of sight of all that reads it, or refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskviz.attention import attend
from maskviz.errors import CapabilityError
from maskviz.masks import apply, mask
from maskviz.models import load_model
from maskviz.models.checks import finding
from maskviz.readings import predict
from tests.tiny_models import build

TEXT = "Anna loved this great film but Paris was a dull story"
FAMILIES = ("bert", "modernbert", "deberta-v2", "gpt2", "llama", "mistral", "t5", "bart")


@pytest.fixture(scope="module")
def model_of(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("sight")

    def load(family: str):
        folder = root / family
        wide = {} if family in ("t5", "bart") else {"initializer_range": 0.3}
        return load_model(folder if folder.exists() else build(family, folder, **wide))

    return load


def with_other_words(encoding, model):
    """Return the encoding with other tokens in the hidden places."""
    ids = list(encoding.input_ids)
    shown = [i for i, v in enumerate(encoding.attention_mask) if v and not encoding.special[i]]
    for i, visible in enumerate(encoding.attention_mask):
        if not visible:
            ids[i] = next(ids[j] for j in shown if ids[j] != ids[i])
    return replace(encoding, input_ids=tuple(ids))


@pytest.mark.parametrize("words", ["Anna", "film,dull", "story", "a dull story"])
@pytest.mark.parametrize("family", FAMILIES)
def test_another_word_in_the_hidden_place_changes_nothing(family, words, model_of) -> None:
    model = model_of(family)
    hidden = apply(mask(TEXT, "pattern", words=words), "attention", model)
    plain = apply(TEXT, "attention", model)
    found = predict(model, [hidden, with_other_words(hidden, model), plain])
    first, second, whole = (np.array(list(p.probabilities.values())) for p in found)
    assert np.abs(first - second).max() < 1e-5
    if family != "mistral":  # in two layers with windows of four its answer reads the end alone
        assert np.abs(first - whole).max() > 1e-7, "hiding the words changed nothing at all"


@pytest.mark.parametrize("family", ["fnet", "convbert"])
def test_what_mixes_tokens_otherwise_is_refused(family, model_of) -> None:
    model = model_of(family)
    hidden = apply(mask(TEXT, "pattern", words="film"), "attention", model)
    with pytest.raises(CapabilityError, match=f"'{family}' does not hide words .*delete"):
        predict(model, [hidden])
    assert predict(model, [apply(TEXT, "attention", model)])[0].probabilities
    padded = apply(mask(TEXT, "pattern", words="film"), "pad", model)  # says nothing of the word
    assert predict(model, [padded])[0].probabilities


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_decoder_without_its_last_words_answers_as_if_they_were_deleted(family, model_of) -> None:
    """No token looks ahead: of a decoder the two operators are the same at the end of a text."""
    model = load_model(without_end(model_of(family).path))
    gone = mask(TEXT, "pattern", words="dull,story")
    answers = predict(model, [apply(gone, operator, model) for operator in ("attention", "delete")])
    values = [list(answer.probabilities.values()) for answer in answers]
    assert values[0] == pytest.approx(values[1], abs=1e-6)
    with pytest.raises(CapabilityError, match="read at the last token"):
        attend(gone, model, "attention", method="relevance")


def without_end(folder: str) -> Path:
    """Return a copy of a model whose tokenizer puts nothing behind a text."""
    import shutil

    from tokenizers import Tokenizer, processors

    copy = Path(folder).with_name(Path(folder).name + "-open")
    if not copy.exists():
        shutil.copytree(folder, copy)
        file = str(copy / "tokenizer.json")
        core = Tokenizer.from_file(file)
        core.post_processor = processors.TemplateProcessing(
            single="[CLS] $A", special_tokens=[("[CLS]", core.token_to_id("[CLS]"))]
        )
        core.save(file)
    return copy


@pytest.mark.parametrize(("family", "begins"), [("t5", "start"), ("bart", "start"), ("bert", None)])
def test_what_a_decoder_reads_again_is_found_by_trying(family, begins, model_of) -> None:
    found = finding(model_of(family), "out of sight")
    assert found.passed
    assert found.value == {"begins": begins, "last": True}


@pytest.mark.parametrize(
    ("family", "head", "passed"),
    [
        ("bart", "Seq2SeqLM", True),
        ("bert", "MaskedLM", True),
        ("llama", "CausalLM", True),
        ("convbert", "MaskedLM", False),
    ],
)
def test_without_labels_nothing_else_that_is_read_moves(
    family: str, head: str, passed: bool, tmp_path: Path
) -> None:
    found = finding(load_model(build(family, tmp_path / "model", head)), "out of sight")
    assert found.passed is passed
    assert ("14 of 14" in found.said) is not passed
