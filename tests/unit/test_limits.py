"""A model's limit is its own: every token it says it takes has a position, and no other has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from maskviz.attention import attend
from maskviz.attention.scores import word_scores
from maskviz.errors import ParameterError
from maskviz.evidence import compare, compare_file, explain
from maskviz.evidence.words.occlusion import occlude
from maskviz.evidence.words.worth import worth
from maskviz.inside.beginning import LONGEST
from maskviz.masks import apply, mask
from maskviz.models import limits, load_model, size
from maskviz.readings import fill, generate, predict
from maskviz.readings.question import asked
from tests.tiny_models import build, tokenizer

SMALL = {"num_hidden_layers": 1, "num_attention_heads": 2, "hidden_size": 8}
LEARNED = {  # architectures with learned positions, and what they call the size of the MLP
    "bert": "intermediate_size", "roberta": "intermediate_size", "electra": "intermediate_size",
    "xlm-roberta": "intermediate_size", "camembert": "intermediate_size",
    "mpnet": "intermediate_size", "data2vec-text": "intermediate_size",
    "roberta-prelayernorm": "intermediate_size", "xlm-roberta-xl": "intermediate_size",
    "ibert": "intermediate_size", "distilbert": "hidden_dim",
    "gpt2": "n_inner", "opt": "ffn_dim", "albert": "intermediate_size", "luke": "intermediate_size",
    "nystromformer": "intermediate_size", "layoutlmv3": "intermediate_size",
}  # fmt: skip


def made(family: str, pad: int, positions: int = 40):
    """Return a tiny network of a family that is written nowhere, and its configuration."""
    from transformers import CONFIG_MAPPING, AutoModel

    more = {"word_embed_proj_dim": 8} if family == "opt" else {}
    more |= {"visual_embed": False} if family == "layoutlmv3" else {}
    more |= {"entity_vocab_size": 4, "entity_emb_size": 4} if family == "luke" else {}
    more |= {"coordinate_size": 1, "shape_size": 2} if family == "layoutlmv3" else {}
    config = CONFIG_MAPPING[family](
        vocab_size=60, pad_token_id=pad, max_position_embeddings=positions, **SMALL, **more,
        **{LEARNED[family]: 16},
    )  # fmt: skip
    return AutoModel.from_config(config).eval(), config


@pytest.mark.parametrize("pad", [0, 1, 5])
@pytest.mark.parametrize("family", LEARNED)
def test_the_limit_is_the_last_length_that_has_positions(
    family: str, pad: int, tmp_path: Path
) -> None:
    network, config = made(family, pad)
    network.save_pretrained(tmp_path)
    unlimited = tokenizer("wordpiece")
    unlimited.model_max_length = 10**30
    limit = limits.limit_of(config, unlimited, str(tmp_path), "encode")
    assert limit.by == "positions"
    with torch.inference_mode():
        network(input_ids=torch.full((1, limit.tokens), 7))
        with pytest.raises((IndexError, RuntimeError, ValueError)):
            network(input_ids=torch.full((1, limit.tokens + 1), 7))


@pytest.mark.parametrize(
    ("family", "head", "more"),
    [
        ("llama", "SequenceClassification", {}),
        ("modernbert", "MaskedLM", {}),
        ("deberta-v2", "SequenceClassification", {}),
        ("bart", "Seq2SeqLM", {}),
        ("marian", "Seq2SeqLM", {}),
    ],
)
def test_other_positions_are_all_used(family, head, more, tmp_path: Path) -> None:
    model = load_model(str(build(family, tmp_path, head, **more)))
    model.tokenizer.model_max_length = 10**30
    assert model.limit == limits.Limit(66, "positions")


def test_the_tokenizer_says_where_it_is_less(tiny) -> None:
    assert load_model(tiny("bert")).limit == limits.Limit(64, "tokenizer")
    assert load_model("mini").max_length == 512
    assert load_model("mini-translate").limit == limits.Limit(128, "tokenizer")


@pytest.mark.parametrize(("free", "tokens"), [(64e9, 16_384), (8e9, 4096), (1e6, 1024), (0, 1024)])
def test_without_a_limit_of_its_own_memory_says(
    free: float, tokens: int, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(limits, "free_at_first", lambda: int(free))
    model = load_model(str(build("t5", tmp_path, "Seq2SeqLM")))
    model.tokenizer.model_max_length = 10**30
    assert model.limit == limits.Limit(tokens, "memory")
    assert model.takes == "takes in the memory of this machine"


def test_the_text_part_of_a_composite_counts() -> None:
    from transformers import BertConfig, CLIPConfig, EncoderDecoderConfig, LEDConfig

    parts = BertConfig(max_position_embeddings=77), BertConfig(max_position_embeddings=55)
    both = EncoderDecoderConfig.from_encoder_decoder_configs(*parts)
    read = limits.positions_of(both, limits._READ, "encoder")
    assert (read, limits.written_limit(both)) == (77, 55)
    assert limits.positions_of(CLIPConfig(), limits._READ, "encoder") == 77
    led = LEDConfig(max_encoder_position_embeddings=999, max_decoder_position_embeddings=99)
    assert limits.positions_of(led, limits._READ, "encoder") == 999
    assert limits.written_limit(led) == 99


@pytest.fixture(scope="module")
def long_model(tmp_path_factory: pytest.TempPathFactory):
    """Return a tiny encoder that takes 4,096 tokens and classifies."""
    from transformers import AutoModelForSequenceClassification, ModernBertConfig

    folder, words = tmp_path_factory.mktemp("long"), tokenizer("wordpiece")
    words.model_max_length = 10**30
    config = ModernBertConfig(
        vocab_size=len(words), max_position_embeddings=4096, classifier_pooling="mean",
        initializer_range=0.5, intermediate_size=32, pad_token_id=0, cls_token_id=2, sep_token_id=3,
        bos_token_id=2, eos_token_id=3, **{**SMALL, "num_hidden_layers": 2, "hidden_size": 16},
    )  # fmt: skip
    torch.manual_seed(0)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    words.save_pretrained(folder)
    return load_model(str(folder))


TEXT = "A dull film, and Anna of Paris sees it. " * 190  # about 2,300 tokens


def test_an_answer_reads_as_far_as_the_model_does(long_model) -> None:
    encoding = apply(TEXT, "mask", long_model)
    assert encoding.truncated_at is None
    assert LONGEST < len(encoding) < long_model.max_length == 4096
    ids = torch.tensor([encoding.input_ids])
    with torch.inference_mode():
        own = long_model.network("classify")(input_ids=ids).logits.softmax(-1)[0]
    (found,) = predict(long_model, [encoding])
    assert list(found.probabilities.values()) == pytest.approx(own.tolist(), abs=1e-5)
    assert compare(mask(TEXT, "random"), long_model, long="windows").notice == ""


def test_what_is_longer_is_cut_and_said_by_the_true_number(long_model) -> None:
    text = TEXT * 2
    encoding = apply(text, "mask", long_model)
    assert len(encoding) == 4096
    assert "reads the first 4,096 tokens" in encoding.notice
    cut = compare(mask(text, "random"), long_model)
    assert "4,096" in cut.notice
    windows = compare(mask(text, "random"), long_model, long="windows").notice
    assert "longer than the 4,096 tokens" in windows
    assert "2 windows" in windows
    rows = f'text\n"{text}"\n'.encode()
    given = {"text_column": "text", "model": long_model, "name": "a.csv", "draws": 0}
    result = compare_file(rows, ["random"], **given)
    assert "longer than the 4,096 tokens that" in result.notes[-1]


def test_a_picture_of_all_heads_is_of_the_beginning_and_says_so(long_model) -> None:
    found = attend(TEXT, long_model)
    assert found.weights.shape[-2:] == (LONGEST, LONGEST)
    assert "over the first 1,024 of 2," in found.notice
    assert found.notice.endswith("itself takes 4,096.")
    assert np.allclose(found.weights.astype(float).sum(-1), 1, atol=0.01)
    assert attend("A dull film.", long_model).notice == ""


def test_a_matrix_of_another_size_is_one_sentence(long_model) -> None:
    whole = apply(TEXT, "mask", long_model)
    with pytest.raises(ParameterError, match=r"is of 2,\d+ tokens and 1,024 are read"):
        attend(TEXT, long_model, allowed=np.ones((len(whole), len(whole)), dtype=bool))
    part = apply(TEXT, "mask", long_model, longest=LONGEST)
    allowed = np.tri(len(part), dtype=bool)
    assert float(attend(TEXT, long_model, allowed=allowed).weights[0, 0, 3, 9]) == 0


def test_words_behind_the_attention_that_is_read_have_none_and_it_is_said(long_model) -> None:
    scores = word_scores(TEXT, long_model, "mean")
    end = long_model.tokenise(TEXT, LONGEST).truncated_at
    seen = sum(start < end for start, _ in mask(TEXT).words)
    assert any(scores[:seen])
    assert not any(scores[seen + 1 :])
    found = explain(TEXT, long_model, "attention-mean")
    assert f"behind character {end:,} have the score 0" in found.notice
    by_window = explain(TEXT, long_model, "attention-mean", long="windows")
    assert "Attention is read in 3 windows" in by_window.notice
    assert all(word.score > 0 for word in by_window.words[-5:])


def test_worth_is_measured_on_what_is_looked_at(long_model, monkeypatch) -> None:
    from maskviz.evidence.words import worth as module

    read = []
    monkeypatch.setattr(module, "_worth", lambda model, text, k: read.append((text, k)) or ())
    worth(TEXT, long_model)
    worth("A dull film.", long_model)
    assert read[0][0] == TEXT[: long_model.tokenise(TEXT, LONGEST).truncated_at]
    assert read[1][0] == "A dull film."


def test_occlusion_lays_out_a_variant_only_when_it_is_read(long_model) -> None:
    import tracemalloc

    text = "film " * 1500
    tracemalloc.start()
    (found,) = occlude(asked(long_model), ["dull " + "film " * 30])
    small = found.hidden
    from maskviz.evidence.words import occlusion

    variants = occlusion._Variants.of(long_model, text + " ".join(map(str, range(700))), "cut")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert small.shape == (31, 2)
    assert variants.tokens > 1_000_000
    assert peak < 8 * variants.tokens  # as int64 alone, ids and visibility would take 16
    row = np.asarray(variants.reads[-1].input_ids)
    assert (row == long_model.tokenizer.mask_token_id).any()
    assert (np.asarray(variants.reads[0].input_ids) != long_model.tokenizer.mask_token_id).all()


def test_long_and_short_texts_in_one_call_keep_their_order(long_model) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        texts = ["A dull film.", TEXT, "A warm film.", TEXT[2:], "Anna", *["A film."] * 4]
        encodings = [apply(text, "mask", long_model) for text in texts]
        together = predict(long_model, encodings)
        for encoding, found in zip(encodings, together, strict=True):
            (alone,) = predict(long_model, [encoding])
            assert alone.probabilities == pytest.approx(found.probabilities, abs=1e-5)
    finally:
        torch.set_num_threads(before)


def test_a_step_over_a_file_ends_where_its_masks_are_many_tokens(tiny, monkeypatch) -> None:
    from maskviz.evidence.files import reader

    table = ("text\n" + "A dull film that Anna of Paris sees.\n" * 9).encode()
    given = {"text_column": "text", "model": tiny("bert"), "name": "a.csv"}
    whole = compare_file(table, ["random"], **given)
    monkeypatch.setattr(reader, "_TOKENS_AT_ONCE", 1)
    steps = []
    found = compare_file(
        table, ["random"], **given, progress=lambda done, total: steps.append(done)
    )
    assert steps == list(range(1, 10))
    assert found.strategies["random"].flip_rate == whole.strategies["random"].flip_rate


def test_guesses_of_long_texts_go_in_batches_that_fit(tiny, monkeypatch) -> None:
    from maskviz.readings import fills

    model = load_model(tiny("bert", "MaskedLM"))
    masks = [mask(f"Anna saw {n} quick foxes in Paris.", "random", seed=n) for n in range(9)]
    whole = fills.log_probabilities(masks, model)
    monkeypatch.setattr(fills, "_MOST_LOGITS", 2 * 20 * 300)
    sizes = [len(b) for b in fills._batches(masks, model, 300)]
    assert max(sizes) < 9
    assert sum(sizes) == 9
    assert fills.log_probabilities(masks, model) == pytest.approx(whole, abs=1e-4)
    assert fill(masks[0], model)[0].candidates


def test_a_decoder_writes_no_further_than_its_own_positions(tmp_path: Path) -> None:
    model = load_model(str(build("bart", tmp_path, "Seq2SeqLM")))
    model.tokenizer.model_max_length = 10**30
    assert model.decoder_positions == 66
    target = attend("A dull film.", model, part="decoder", target="film " * 300).target
    assert len(target.ids) <= 66
    (written,) = generate(["A dull film. " * 20], model, num_beams=1)
    assert len(written.tokens) <= 66


def test_headers_tell_the_bytes_a_model_will_take(tiny) -> None:
    model = load_model(tiny("bert"))
    expected = sum(p.numel() for p in model.network("classify").parameters()) * 4
    assert size.bytes_when_loaded(Path(model.path)) == expected
    assert size.bytes_when_loaded(Path("nobody/nothing")) == 0


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"max_position_embeddings": 512}, 512),
        ({"n_positions": 1024}, 1024),
        ({"n_positions": 512, "relative_attention_num_buckets": 32}, 2048),  # T5
        ({"text_config": {"max_position_embeddings": 77}, "max_position_embeddings": 5}, 77),
        ({"encoder": {"max_position_embeddings": 99}}, 99),
        ({"max_encoder_position_embeddings": 1500}, 1500),
        ({"max_position_embeddings": -1}, 2048),  # XLNet
        ({}, 2048),
    ],
)
def test_an_estimate_knows_the_limit_from_the_files(config, expected, tmp_path: Path) -> None:
    import json

    from maskviz.training.machine.model_size import _longest

    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    said = json.dumps({"model_max_length": 2048})
    (tmp_path / "tokenizer_config.json").write_text(said, encoding="utf-8")
    assert _longest(tmp_path) == expected


@pytest.mark.parametrize("family", ["bert", "gpt2", "modernbert"])
def test_placeholders_longer_than_what_they_hide_are_cut_at_the_limit(family: str, tiny) -> None:
    model = load_model(tiny(family))
    text = " ".join(f"Anna {i}" for i in range(40))
    hidden = mask(text, "pattern", pattern="Anna")
    plain, read = apply(text, "attention", model), apply(hidden, "placeholder", model)
    assert len(read) == len(plain) == model.max_length
    assert read.truncated_at < plain.truncated_at
    assert read.special[-1] == plain.special[-1]
    assert compare(hidden, model, "placeholder").notice
