"""A model's tokenizer reads as it was saved, whatever transformers makes of its architecture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import transformers
from tokenizers import Tokenizer

from maskviz.masks import apply, mask
from maskviz.models import load_model
from maskviz.models.saved import LINES, as_saved
from tests.tiny_models import CORPUS, build_any, tokenizer

_QWEN = {"num_key_value_heads": 1}
TEXTS = [*CORPUS, *LINES, "a [MASK] b", "[CLS]"]


def _loaded(folder: Path):
    return as_saved(transformers.AutoTokenizer.from_pretrained(folder), str(folder))


@pytest.mark.parametrize("kind", ["bytes", "wordpiece"])
def test_a_class_that_cuts_texts_its_own_way_gives_way_to_the_file(
    kind: str, tmp_path: Path, run
) -> None:
    folder = build_any("qwen2", tmp_path / "plain", "CausalLM", kind, **_QWEN)
    model, saved = load_model(folder), Tokenizer.from_file(str(folder / "tokenizer.json"))
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    assert any(theirs(t)["input_ids"] != saved.encode(t).ids for t in TEXTS)  # or it is mended
    for text in TEXTS:
        assert model.tokenizer(text)["input_ids"] == saved.encode(text).ids
    word = apply(mask("A slow film", "pattern", words="slow"), "delete", model)
    assert [o for o in word.offsets if o] == [(0, 1), (7, 11)] or kind == "bytes"
    assert "Qwen2Tokenizer of transformers reads" in model.notice
    assert json.loads(run("models", "info", str(folder), "--json")[1])["notice"] == model.notice
    assert model.notice in run("models", "info", str(folder))[1]


def test_it_is_saved_again_as_it_reads(tmp_path: Path) -> None:
    folder = build_any("qwen2", tmp_path / "plain", "CausalLM", **_QWEN)
    first = load_model(folder).tokenizer
    first.save_pretrained(tmp_path / "again")
    (tmp_path / "again" / "config.json").write_text((folder / "config.json").read_text())
    second, _ = _loaded(tmp_path / "again")
    assert [second(t)["input_ids"] for t in TEXTS] == [first(t)["input_ids"] for t in TEXTS]
    assert first.pad_token == second.pad_token == "[PAD]"
    assert len(first) == len(second) == load_model(folder).config.vocab_size


def test_tokens_that_a_class_alone_names_are_none_of_the_model(tmp_path: Path) -> None:
    folder = build_any("qwen2", tmp_path, "CausalLM", **_QWEN)
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    assert theirs.eos_token_id >= load_model(folder).config.vocab_size
    assert load_model(folder).tokenizer.eos_token is None


@pytest.mark.parametrize(
    ("said", "lowers", "notice"),
    [(True, True, False), (False, False, False), (None, False, True)],
)
def test_what_the_configuration_says_is_heeded_and_what_a_class_assumes_is_not(
    said: bool | None, lowers: bool, notice: bool, tmp_path: Path
) -> None:
    vocabulary = dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Anna", "anna", "."])
    vocabulary = {token: i for i, token in enumerate(vocabulary)}
    transformers.BertTokenizer(vocabulary, do_lower_case=False).save_pretrained(tmp_path)
    transformers.BertConfig().save_pretrained(tmp_path)
    file = tmp_path / "tokenizer_config.json"
    config = {**json.loads(file.read_text()), "do_lower_case": said}
    if said is None:
        del config["do_lower_case"]
    file.write_text(json.dumps(config))
    found, sentence = _loaded(tmp_path)
    assert found.tokenize("Anna.") == ["anna" if lowers else "Anna", "."]
    assert bool(sentence) == notice


def test_what_takes_the_file_as_it_is_stays_as_it_is(tiny) -> None:
    for family in ("bert", "llama", "t5"):
        assert load_model(tiny(family, "SequenceClassification")).notice == ""
    assert load_model("mini").notice == load_model("mini-translate").notice == ""


@pytest.fixture
def merges(tmp_path: Path):
    """Write `vocab.json` and `merges.txt` alone, as RoBERTa was published."""

    def write(family: str, mask: str = "<mask>", **config) -> Path:
        state = json.loads(tokenizer("bytes").backend_tokenizer.to_str())["model"]
        names = {"[PAD]": "<pad>", "[UNK]": "<unk>", "[CLS]": "<s>", "[SEP]": "</s>"}
        names |= {"[MASK]": mask}
        vocabulary = {names.get(token, token): i for token, i in state["vocab"].items()}
        (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
        lines = [one if isinstance(one, str) else " ".join(one) for one in state["merges"]]
        (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *lines]))
        transformers.AutoConfig.for_model(family).save_pretrained(tmp_path)
        if config:
            (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("family", "mask"),
    [("roberta", "<mask>"), ("bart", "<mask>"), ("longformer", "<mask>"), ("deberta", "[MASK]")],
)
def test_the_mask_token_takes_the_space_before_it(family: str, mask: str, merges) -> None:
    found, sentence = _loaded(merges(family, mask))
    ids = found(f"a {mask} b", add_special_tokens=False)["input_ids"]
    assert found.convert_ids_to_tokens(ids) == ["a", mask, "Ġ", "b"]
    assert (
        sentence == f"Its mask token {mask} takes the space before it, which its files do not say."
    )
    assert found.mask_token == mask


def test_what_the_files_say_of_the_mask_token_stays(merges) -> None:
    content = {"content": "<mask>", "lstrip": False, "rstrip": False, "single_word": False}
    said = {**content, "normalized": False, "special": True, "__type": "AddedToken"}
    found, sentence = _loaded(merges("roberta", mask_token=said))
    ids = found("a <mask> b", add_special_tokens=False)["input_ids"]
    assert found.convert_ids_to_tokens(ids) == ["a", "Ġ", "<mask>", "Ġ", "b"]
    assert sentence == ""
    assert _loaded(merges("gpt2"))[1] == ""  # knows no mask token
