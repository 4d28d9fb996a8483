"""Any tokenizer: a mask over characters lands on exactly the tokens that overlap them."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskviz.masks import Mask, MaskSpan
from maskviz.masks.operators import overlapping
from maskviz.text.alignment import tokenise
from tests.tiny_models import CORPUS, tokenizer

TEXTS = [
    *CORPUS,
    "didn't  stop, well-known\n\n(2003)",
    "e\u0301te\u0301 ﬁlm № 5",
    "<b>bold</b> & 100 %",
    "🙂 👩‍👩‍👧 我们 שלום",
    "zzqqxx Paris ΩΩΩ of",
]
SLOW = [
    "slow-wordpiece",
    "slow-unigram",
    "slow-bpe",
    "slow-byte-fallback",
    "bytes-t5",
    "characters",
]


def _sentencepiece(folder: Path, kind: str, **options: object) -> str:
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 5), model_writer=model, model_type=kind,
        hard_vocab_limit=False, minloglevel=2, **{"vocab_size": 160, **options},
    )  # fmt: skip
    path = folder / "sentencepiece.model"
    path.write_bytes(model.getvalue())
    return str(path)


def _slow_wordpiece(folder: Path):
    from transformers import ProphetNetTokenizer

    vocabulary = tokenizer("wordpiece").get_vocab()
    path = folder / "prophetnet.tokenizer"
    path.write_text("\n".join(sorted(vocabulary, key=vocabulary.get)), encoding="utf-8")
    return ProphetNetTokenizer(str(path))


def _byte_fallback(folder: Path):
    import sentencepiece
    from transformers import MarianTokenizer

    path = _sentencepiece(folder, "unigram", byte_fallback=True, vocab_size=420)
    pieces = sentencepiece.SentencePieceProcessor(path)
    vocabulary = {pieces.id_to_piece(i): i for i in range(len(pieces))} | {"<pad>": len(pieces)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it recommends a package for punctuation
        return MarianTokenizer(source_spm=path, target_spm=path, vocab=str(folder / "vocab.json"))


def _built(kind: str, folder: Path):
    import transformers

    return {
        "slow-wordpiece": _slow_wordpiece,
        "slow-unigram": lambda f: transformers.SpeechT5Tokenizer(_sentencepiece(f, "unigram")),
        "slow-bpe": lambda f: transformers.SpeechT5Tokenizer(_sentencepiece(f, "bpe")),
        "slow-byte-fallback": _byte_fallback,
        "bytes-t5": lambda f: transformers.ByT5Tokenizer(),
        "characters": lambda f: transformers.CanineTokenizer(),
    }.get(kind, lambda f: tokenizer(kind))(folder)


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """One small tokenizer of each kind, fast and slow."""
    pytest.importorskip("sentencepiece", reason="SentencePiece is an extra")
    kinds = ["wordpiece", "bytes", "unigram", *SLOW]
    made = {kind: _built(kind, tmp_path_factory.mktemp(kind)) for kind in kinds}
    assert [kind for kind in kinds if not made[kind].is_fast] == SLOW
    return made


def check_lands_exactly(made, text: str, start: int, end: int) -> None:
    """The hidden tokens are those with a hidden character, and no visible one has any."""
    plain = tokenise(made, text, 512)
    chosen = Mask(text, (MaskSpan(start, end),))
    for owner, offset in zip(overlapping(plain, chosen), plain.offsets, strict=True):
        touched = bool(offset) and any(c in chosen.characters for c in range(*offset))
        assert (owner is not None) == touched


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(["wordpiece", "bytes", "unigram", *SLOW]),
    text=st.sampled_from(TEXTS) | st.text(min_size=1, max_size=40),
    data=st.data(),
)
def test_offsets_lie_in_the_text_in_order_and_masks_land_on_them(
    tokenizers: dict, kind: str, text: str, data: st.DataObject
) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    plain = tokenise(tokenizers[kind], text, 512)
    real = [offset for offset in plain.offsets if offset and offset[0] < offset[1]]
    assert all(0 <= start < end <= len(text) for start, end in real)
    assert real == sorted(real, key=lambda offset: offset[0])
    assert all(text[start:end].strip() == text[start:end] for start, end in real)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    check_lands_exactly(tokenizers[kind], text, start, end)


@pytest.mark.parametrize("kind", ["bytes", *SLOW])
@pytest.mark.parametrize("text", TEXTS)
def test_every_character_belongs_to_a_token(tokenizers: dict, kind: str, text: str) -> None:
    plain = tokenise(tokenizers[kind], text, 512)
    covered = {c for offset in plain.offsets if offset for c in range(*offset)}
    assert {i for i, c in enumerate(text) if not c.isspace()} <= covered


@pytest.mark.parametrize("text", [t for t in TEXTS if "\u0301" not in t])
def test_a_slow_wordpiece_has_the_offsets_of_the_fast_one(tokenizers: dict, text: str) -> None:
    from tokenizers.normalizers import BertNormalizer

    fast, slow = tokenizer("wordpiece"), tokenizers["slow-wordpiece"]
    fast.backend_tokenizer.normalizer = BertNormalizer(lowercase=True)
    ours, reference = tokenise(slow, text, 512), tokenise(fast, text, 512)
    special = {"[CLS]", "[SEP]", "[UNK]"}
    named = [t for t in slow.convert_ids_to_tokens(list(ours.input_ids)) if t not in special]
    expected = fast.convert_ids_to_tokens(list(reference.input_ids))
    assert named == [t for t in expected if t not in special]
    found = [o for o in ours.offsets if o]
    assert found == [o for o in reference.offsets if o]


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
@pytest.mark.parametrize("text", ["the  quick, brown fox", "didn't (2003)!", "Naïve café élan"])
def test_sentencepiece_has_the_offsets_the_library_gives(
    tokenizers: dict, kind: str, text: str
) -> None:
    slow = tokenizers[f"slow-{kind}"]
    reference = slow.sp_model.encode(text, return_type="proto").pieces
    expected = [text.encode()[p.begin : p.end].decode().strip() for p in reference]
    plain = tokenise(slow, text, 512)
    assert [text[slice(*o)] for o in plain.offsets if o] == expected


def test_unknown_words_and_bytes_are_found(tokenizers: dict) -> None:
    text = "zzqqxx Paris ΩΩ of"
    plain = tokenise(tokenizers["slow-wordpiece"], text, 64)
    pieces = [text[slice(*o)] for o in plain.offsets if o]
    assert [pieces[0], pieces[-2], pieces[-1]] == ["zzqqxx", "ΩΩ", "of"]
    plain = tokenise(tokenizers["slow-byte-fallback"], "a Ωβ", 64)
    assert [plain.text[slice(*o)] for o in plain.offsets if o][-4:] == ["Ω", "Ω", "β", "β"]


def test_a_slow_tokenizer_is_cut_where_the_model_ends(tokenizers: dict) -> None:
    for kind in SLOW:
        plain = tokenise(tokenizers[kind], "the quick brown fox jumps " * 20, 16)
        assert len(plain.input_ids) == len(plain.offsets) == 16
        assert plain.truncated_at is not None
