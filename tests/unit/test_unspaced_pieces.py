"""Chinese words in a vocabulary of pieces without spaces, as SentencePiece makes them."""

from __future__ import annotations

import re

import pytest

from maskviz.masks import mask
from maskviz.masks.encoding import Encoding
from maskviz.masks.operators import apply
from maskviz.models import load_model
from maskviz.readings import fill
from tests.tiny_models import build, wrapped

TEXT = "我们在图书馆看电影，他们也喜欢图书馆"
# 图书馆 is of two pieces; 看电影 is one piece over two words; a lone ▁ stands before the text.
PIECES = (
    "▁",
    "我们",
    "在",
    "图书",
    "馆",
    "看电影",
    "电影",
    "他们",
    "也",
    "喜欢",
    "，",
    "▁我们",
    "▁也",
)


@pytest.fixture(scope="module", params=["", "▁我们"], ids=["lone-mark", "marked-piece"])
def pieces(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny masked language model over these pieces, with or without one that begins a text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    own = [p for p in PIECES if p != "▁我们" or request.param]
    letters = [c for c in sorted(set(TEXT)) if c not in own]
    core = Tokenizer(
        models.Unigram([(p, 0.0) for p in special] + [(p, -1.0) for p in own]
                       + [(c, -9.0) for c in letters], unk_id=1)
    )  # fmt: skip
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    core.decoder = decoders.Metaspace()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    folder = tmp_path_factory.mktemp("pieces")
    return str(build("bert", folder, "MaskedLM", wrapped(core)))


def hidden_in(encoding: Encoding) -> set[int]:
    """Return the characters under hidden tokens; a lone ▁ lies over the first one, too."""
    pairs = zip(encoding.offsets, encoding.hidden, strict=True)
    return {i for offsets, hidden in pairs if hidden and offsets for i in range(*offsets)}


@pytest.mark.parametrize(
    ("word", "gone"), [("我们", "我们"), ("图书馆", "图书馆"), ("电影", "看电影"), ("他们", "他们")]
)
def test_a_hidden_word_takes_all_pieces_that_it_shares(pieces: str, word: str, gone: str) -> None:
    model = load_model(pieces)
    plain = apply(TEXT, "mask", model)
    encoding = apply(mask(TEXT, "pattern", pattern=word), "mask", model)
    expected = {i for m in re.finditer(gone, TEXT) for i in range(*m.span())}
    assert hidden_in(encoding) == expected
    for before, now, hidden in zip(
        plain.input_ids, encoding.input_ids, encoding.hidden, strict=True
    ):
        assert now == (model.tokenizer.mask_token_id if hidden else before)


def test_guesses_are_written_together_and_begin_no_word(pieces: str) -> None:
    for found in fill(mask(TEXT, "pattern", pattern="图书馆"), pieces, top_k=4):
        assert found.text == "图书馆"
        for guess in found.candidates:
            assert "▁" not in guess.token
            assert " " not in guess.token.strip()


def test_random_hides_words_whole(pieces: str) -> None:
    model = load_model(pieces)
    for seed in range(10):
        chosen = mask(TEXT, "random", ratio=0.3, seed=seed)
        assert chosen.characters <= hidden_in(apply(chosen, "mask", model))
