"""A special token that a text spells is never drawn, hidden, scored or counted."""

from __future__ import annotations

import json

import pytest

from maskviz.attention.pairs import join_pair
from maskviz.attention.parts import segments
from maskviz.errors import TextError
from maskviz.evidence import explain
from maskviz.masks import OPERATORS, Mask, MaskSpan, apply, mask
from maskviz.models import load_model
from maskviz.text import Document
from maskviz.text.specials import special_spans, specials_in
from tests.tiny_models import FAMILIES

SPELLED = [
    "[MASK]", "[SEP]", "[CLS]", "[PAD]", "[UNK]", "<s>", "</s>", "<mask>", "<pad>", "<unk>",
    "<eos>", "<bos>", "<|endoftext|>", "<|im_start|>", "<start_of_turn>", "<extra_id_0>",
    "<｜begin▁of▁sentence｜>",
]  # fmt: skip
NONE = ["[MASKED]", "[a list]", "<b>bold</b>", "<script>", "a < s > b", "[mask]", "<|", "s", "<>"]
WAYS = [
    ("random", {"ratio": 1.0}), ("span", {"ratio": 1.0}), ("random-token", {"ratio": 1.0}),
    ("sentence", {"ratio": 1.0}), ("pattern", {"pattern": r"\S+"}), ("collocation", {"ratio": 1.0}),
    ("pos", {"tags": ["NOUN", "PROPN", "PUNCT", "X", "VERB"]}), ("key", {"ratio": 1.0}),
    ("manual", {"indices": [1, 2, 3, 4]}),
]  # fmt: skip


@pytest.mark.parametrize("token", SPELLED)
def test_it_is_no_word(token: str) -> None:
    text = f"A dull{token}film {token} it is."
    assert [text[w.start : w.end] for w in Document(text).words] == [
        "A",
        "dull",
        "film",
        "it",
        "is",
    ]
    assert [text[slice(*place)] for place in special_spans(text)] == [token, token]
    assert token in specials_in(text)


@pytest.mark.parametrize("text", NONE)
def test_what_only_looks_like_one_is_text(text: str) -> None:
    assert special_spans(text) == ()
    assert specials_in(text) == ""


@pytest.mark.parametrize(("strategy", "given"), WAYS, ids=[name for name, _ in WAYS])
def test_no_strategy_hides_one(strategy: str, given: dict) -> None:
    text = "Anna saw [MASK] in Rome. [SEP] It was </s> dull."
    chosen = mask(text, strategy, **given)
    specials = {c for start, end in special_spans(text) for c in range(start, end)}
    assert chosen.spans
    assert not specials & chosen.characters
    assert not specials & (~chosen).characters
    assert not specials & Mask(text, (MaskSpan(0, len(text)),)).characters
    assert Mask.from_json(chosen.to_json()) == chosen
    for token in ("[MASK]", "[SEP]"):
        shown = chosen.masked_text("placeholder")
        assert shown.count(token) == text.count(token)


@pytest.mark.parametrize("operator", sorted(set(OPERATORS) - {"infill", "placeholder"}))
def test_a_model_reads_it_as_it_is(classifier: str, operator: str) -> None:
    """Every special token of every family's own tokenizer, typed in the middle of a text."""
    model = load_model(classifier)
    if operator in ("mask", "corrupt") and model.tokenizer.mask_token_id is None:
        return
    for token in dict.fromkeys(model.tokenizer.all_special_tokens):
        text = f"Anna saw {token} in Rome"
        chosen = mask(text, "random", ratio=0.5, seed=1)
        plain, encoding = apply(text, "mask", model), apply(chosen, operator, model)
        wanted = model.tokenizer.convert_tokens_to_ids(token)
        typed = [i for i, place in enumerate(plain.typed) if place]
        assert [plain.input_ids[i] for i in typed] == [wanted]
        assert all(plain.special[i] and plain.offsets[i] is None for i in typed)
        kept = [s for s, hidden in zip(encoding.source, encoding.hidden, strict=True) if not hidden]
        assert set(typed) <= set(kept)
        assert plain.notices == encoding.notices
        assert token in plain.notices


@pytest.mark.parametrize("where", ["Anna saw Rome {}", "Anna saw Rome{}", "{}Anna saw {} {}"])
def test_it_is_told_at_either_end_of_a_text(classifier: str, where: str) -> None:
    model = load_model(classifier)
    for token in dict.fromkeys(model.tokenizer.all_special_tokens):
        text = where.replace("{}", token)
        assert sum(map(bool, apply(text, model=model).typed)) == text.count(token)
        words = [text[a:b] for a, b in mask(text, "random", ratio=0.5).words]
        assert words == text.replace(token, " ").split()


def test_a_word_that_the_vocabulary_lacks_is_no_special_token(tiny) -> None:
    model = load_model(tiny("bert"))
    encoding = apply("zqx 龘 film", "mask", model)
    assert model.tokenizer.unk_token_id in encoding.input_ids
    assert not any(encoding.typed)
    assert encoding.notices == ""


@pytest.mark.parametrize("family", FAMILIES)
def test_the_separator_of_a_pair_is_never_drawn(family: str, tiny) -> None:
    model = load_model(tiny(family))
    if model.tokenizer.sep_token is None:
        return
    text = join_pair("A boy plays the drum.", "Somebody makes loud music.", model)
    parts = segments(model, apply(text, "mask", model))
    assert set(parts) == {0, 1}
    for seed in range(40):
        chosen = mask(text, "random", ratio=0.3, seed=seed)
        assert len(chosen.words) == 9
        encoding = apply(chosen, "unk", model)
        assert encoding.input_ids.count(model.tokenizer.sep_token_id) >= 2
        assert segments(model, encoding) == parts


def test_it_has_no_score() -> None:
    text = "A boy plays [SEP] the drum [MASK]."
    assert [w.text for w in explain(text).words] == ["A", "boy", "plays", "the", "drum"]


def test_a_text_of_special_tokens_alone_has_no_word() -> None:
    with pytest.raises(TextError, match="no words"):
        mask("[MASK] [SEP]", "random")


def test_a_command_says_so_of_a_token_of_another_model(run) -> None:
    status, _, err = run("mask", "A dull film</s>", "--strategy", "random", "--model", "mini")
    assert status == 0
    assert "</s>: it is never hidden" in err


@pytest.mark.parametrize("command", [["mask"], ["mask", "--model", "mini"], ["fill"], ["attend"]])
def test_a_command_says_that_the_text_holds_one(run, command) -> None:
    name, *more = command
    status, out, err = run(name, "A dull [MASK] film", "--strategy", "random", *more, "--json")
    assert status == 0
    assert "[MASK]: it is never hidden" in err
    if "notice" in json.loads(out):
        assert "[MASK]: it is never hidden" in json.loads(out)["notice"]


def test_infill_keeps_it_in_the_text(run) -> None:
    given = ("--strategy", "pattern", "--words", "dull", "--operator", "infill", "--model", "mini")
    status, out, _ = run("mask", "A dull [SEP] film", *given, "--json")
    assert status == 0
    assert "[SEP]" in json.loads(out)["masked_text"]
