"""Names by a token-classification model: offsets, windows, types, and what is refused."""

from __future__ import annotations

import pytest

from maskviz.errors import CapabilityError, LanguageError, UnknownNameError
from maskviz.masks import mask
from maskviz.masks.tagging import _by_word, _names, _tokens, load_tagger, tagged

LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
# Each character or word of the vocabulary with the label that the network is made to give it.
TOLD = {"张": 1, "伟": 2, "北": 3, "京": 4, "Anna": 1, "Müller": 2, "Rome": 3, "##s": 0}


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny BERT whose head reads the label off the token's own embedding."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *TOLD, *"住在，。去了和我", "met", "in"]
    core = Tokenizer(models.WordPiece({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=False)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    folder = tmp_path_factory.mktemp("tagger")
    PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]", model_max_length=32,
    ).save_pretrained(folder)  # fmt: skip
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=32,
        id2label=dict(enumerate(LABELS)), label2id={n: i for i, n in enumerate(LABELS)},
    )  # fmt: skip
    network = BertForTokenClassification(config).eval()
    with torch.no_grad():  # the residual stream carries the embedding past the layer
        for name, weight in network.bert.named_parameters():
            if "LayerNorm.weight" not in name:
                weight.zero_()
        for token, label in TOLD.items():
            network.bert.embeddings.word_embeddings.weight[words.index(token), label] = 9.0
        network.classifier.weight.zero_()
        network.classifier.weight[range(5), range(5)] = 1.0
        network.classifier.bias.copy_(torch.tensor([0.5, 0, 0, 0, 0]))
    network.save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("张伟住在北京。", [("张伟", "PER"), ("北京", "LOC")]),
        ("张伟张伟去了北京", [("张伟", "PER"), ("张伟", "PER"), ("北京", "LOC")]),
        (
            "Anna Müller met Annas in Rome",
            [("Anna Müller", "PER"), ("Annas", "PER"), ("Rome", "LOC")],
        ),
        ("我和Anna去了北京。", [("Anna", "PER"), ("北京", "LOC")]),
        ("我去了。", []),
    ],
)
def test_names_stand_at_the_characters_of_the_text(
    tagger: str, text: str, names: list[tuple[str, str]]
) -> None:
    assert [(text[a:b], kind) for a, b, kind, _ in tagged(text, tagger)] == names
    chosen = mask(text, "entity", tagger=tagger)
    assert [(text[s.start : s.end], s.label) for s in chosen.spans] == names
    people = mask(text, "entity", tagger=tagger, types=["PERSON"])
    assert [s.label for s in people.spans] == [k for _, k in names if k == "PER"]


def test_tokens_have_the_labels_that_transformers_gives_them(tagger: str) -> None:
    from transformers import pipeline

    text = "张伟和Anna住在北京，Müller去了Rome。"
    theirs = pipeline("token-classification", model=tagger, aggregation_strategy="none")(text)
    ours = [one for one in _tokens(text, load_tagger(tagger)) if one[2] != "O"]
    assert [(a, b, label) for a, b, label, _ in ours] == [
        (one["start"], one["end"], one["entity"]) for one in theirs
    ]
    assert [p for *_, p in ours] == pytest.approx([float(one["score"]) for one in theirs], abs=1e-5)


def test_a_text_longer_than_the_model_is_read_in_windows(tagger: str) -> None:
    text = "张伟去了北京，我和Anna住在Rome。" * 12  # seven times the model's 32 tokens
    found = tagged(text, tagger)
    assert [text[a:b] for a, b, *_ in found] == ["张伟", "北京", "Anna", "Rome"] * 12
    whole = list(_tokens(text, load_tagger(tagger)))
    assert sorted({(a, b) for a, b, *_ in whole}) == [(a, b) for a, b, *_ in whole]


def test_labels_without_begin_and_inside_make_names_too() -> None:
    tokens = [(0, 1, "PER", 0.9), (1, 2, "PER", 0.7), (2, 3, "O", 1.0), (3, 4, "LOC", 0.8)]
    found = list(_names("张伟在京", _by_word("张伟在京", tokens)))
    assert found == [(0, 2, "PER", pytest.approx(0.8)), (3, 4, "LOC", 0.8)]


def test_what_labels_no_tokens_is_refused(tagger: str) -> None:
    with pytest.raises(CapabilityError, match="labels no tokens"):
        mask("张伟住在北京。", "entity", tagger="mini")
    with pytest.raises(UnknownNameError, match="entity type 'ORG'"):
        mask("张伟住在北京。", "entity", tagger=tagger, types=["ORG"])


def test_attribute_takes_the_people_of_a_tagger(tagger: str) -> None:
    text = "张伟和Müller去了北京，Anna住在Rome。"
    chosen = mask(text, "attribute", types=["names"], tagger=tagger)
    assert {text[s.start : s.end] for s in chosen.spans} >= {"张伟", "Anna"}
    assert "北京" not in {text[s.start : s.end] for s in chosen.spans}
    russian = "Anna met Müller, и мы там были."
    with pytest.raises(LanguageError):
        mask(russian, "attribute", types=["names"], language="ru")
    chosen = mask(russian, "attribute", types=["names"], language="ru", tagger=tagger)
    (name, *_) = chosen.spans
    assert (russian[name.start : name.end], name.label) == ("Anna", "names")
    with pytest.raises(LanguageError):  # a tagger knows of no ages
        mask(russian, "attribute", types=["age"], language="ru", tagger=tagger)
