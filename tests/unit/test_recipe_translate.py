"""The recipe of `mini-translate` on a hundred pairs of our own, from vocabulary to folder."""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
NAMES = ("Anna", "Tom", "Mary", "Paul", "Eva")
VERBS = (("sees", "voit"), ("likes", "aime"), ("hears", "entend"), ("wants", "veut"))
THINGS = (("the cat", "le chat"), ("the house", "la maison"), ("an apple", "une pomme"),
          ("the sea", "la mer"), ("the bird", "l'oiseau"))  # fmt: skip


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch):
    """Return a function that imports a module of the recipe."""
    monkeypatch.syspath_prepend(str(RECIPES))
    before = set(sys.modules)

    def load(name: str):
        return __import__(name)

    yield load
    for name in set(sys.modules) - before:
        if name.startswith(("translate", "mini_data", "score_", "checksums")):
            del sys.modules[name]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Write a training and a dev file that share one row and one French side."""
    rows = [
        (f"{name} {verb[0]} {thing[0]}.", f"{name} {verb[1]} {thing[1]}.")
        for name, verb, thing in product(NAMES, VERBS, THINGS)
    ]
    pd.DataFrame(rows, columns=["en", "fr"]).to_parquet(tmp_path / "translation_train.parquet")
    dev = [rows[0], ("Something else.", rows[1][1].upper())]
    pd.DataFrame(dev, columns=["en", "fr"]).to_parquet(tmp_path / "translation_dev.parquet")
    return tmp_path


def test_french_is_written_in_one_typography(recipe) -> None:
    french = recipe("translate_data").french
    assert french("Où es-tu ?") == french("Où es-tu?") == "Où es-tu\u202f?"
    assert french("L’été, quoi\u00a0!") == "L'été, quoi\u202f!"
    assert french("« Oui »") == "«\u00a0Oui\u00a0»"
    assert french("Il est 8:30.") == "Il est 8:30."
    assert french("Quoi ?!") == "Quoi\u202f?!"


def test_dev_sentences_are_in_no_training_set(recipe, data: Path) -> None:
    pairs = recipe("translate_data").read_pairs(data, seed=0)
    kept = pd.concat([pairs.train, pairs.validation])
    dev = pd.read_parquet(data / "translation_dev.parquet")
    assert len(kept) == 98
    assert not set(kept["fr"].str.lower()) & set(dev["fr"].str.lower())
    assert not set(pairs.train["en"]) & set(pairs.validation["en"])


@pytest.mark.parametrize(
    "text",
    [
        "L'été, «\u00a0ça\u00a0» va\u202f?",
        "l’œuf",
        "two  spaces ",
        " 12,5\u00a0% 🙂",
        "我们",
        "a\nb",
        "don't",
    ],
)
def test_decoding_gives_back_the_text(recipe, text: str) -> None:
    module = recipe("translate_data")
    tokenizer = module.train_tokenizer(["L'été va.", "don't go", "Où\u202f?"] * 3, 300)
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_translations_start_side_by_side(recipe) -> None:
    joint = recipe("translate_vectors").joint_vectors
    rng = np.random.default_rng(0)
    topics = rng.integers(6, size=200)  # each with its word, its translation, and a company of four
    company = [16 + 4 * k + rng.choice(4, size=3, replace=False) for k in topics]
    sources = [[4 + k, *others[:2]] for k, others in zip(topics, company, strict=True)]
    targets = [[10 + k, others[2]] for k, others in zip(topics, company, strict=True)]
    vectors = joint(sources, targets, vocab_size=40, size=12, seed=0)
    near = vectors / vectors.norm(dim=1, keepdim=True)
    assert (near[4:10] @ near[10:16].T).argmax(1).tolist() == list(range(6))
    assert vectors.square().mean(1)[4:].numpy() == pytest.approx(np.ones(36), abs=1e-3)


def _trainer(recipe, data: Path, steps: int, work: Path):
    batches, model = recipe("translate_batches"), recipe("translate_model")
    train = recipe("translate_train")
    tokenizer, pairs = recipe("translate_data").build_cache(data, work / "cache", 330, 0)
    stream = batches.PairStream(tokenizer, pairs.train, 200, 0)
    torch.manual_seed(0)
    size = model.Size(1, 1, 16, 2, 32)
    network = model.Translator(model.build_config(tokenizer.get_vocab_size(), size))
    plan = train.Plan(minutes=1e6, max_steps=steps, warmup_steps=2)
    trainer = train.Trainer(network, stream, stream, plan, work)
    if not trainer.load():
        trainer.start_from(
            recipe("translate_vectors").joint_vectors(
                stream.sources, stream.targets, tokenizer.get_vocab_size(), 16, 0
            )
        )
    return trainer, tokenizer


def test_a_resumed_run_ends_where_an_unbroken_one_does(recipe, data: Path, tmp_path: Path) -> None:
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    whole, tokenizer = _trainer(recipe, data, 6, tmp_path / "whole")
    before = whole.validate()
    whole.run()
    assert whole.validate() < before
    broken, _ = _trainer(recipe, data, 6, tmp_path / "broken")
    broken.model.train()
    for _ in range(3):
        broken.step(broken.share())
        broken.progress.step += 1
    broken.save()
    again, _ = _trainer(recipe, data, 6, tmp_path / "broken")
    assert again.progress.step == 3
    again.run()
    weights = zip(whole.optimizers.parameters, again.optimizers.parameters, strict=True)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in weights)
    _check_folder(recipe, again, tokenizer, tmp_path / "model")


def _check_folder(recipe, trainer, tokenizer, folder: Path) -> None:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    from maskviz.checksums import verify
    from maskviz.readings import generate

    trainer.use_average()
    recipe("translate_model").save_folder(trainer.model.t5, tokenizer, folder)
    verify(folder)
    loaded = AutoModelForSeq2SeqLM.from_pretrained(folder)
    fast = AutoTokenizer.from_pretrained(folder)
    assert fast.is_fast
    assert fast("Anna <mask> it.").input_ids[-1] == fast.eos_token_id
    assert fast.mask_token_id in fast("Anna <mask> it.").input_ids
    shared = trainer.model.t5.shared.weight
    assert torch.allclose(loaded.shared.weight.float(), shared, atol=2e-2)
    assert loaded.lm_head.weight.data_ptr() == loaded.shared.weight.data_ptr()
    assert generate(["Anna sees the cat."], str(folder), max_new_tokens=4)[0].tokens


def test_scores_are_those_of_sacrebleu_and_rouge(recipe) -> None:
    from sacrebleu.metrics import BLEU

    scores = recipe("score_translate")
    said, wanted = ["le chat dort ici"] * 20, [["le chat dort là"] * 20]
    figure = scores.corpus_figure("x", BLEU(), said, wanted)
    assert 100 * figure.value == pytest.approx(BLEU().corpus_score(said, wanted).score, abs=1e-3)
    assert figure.low <= figure.value <= figure.high
    rouge = recipe("score_summaries")
    scorer = rouge.RougeScorer(["rougeL"], use_stemmer=True)
    assert rouge.rouge_l("a cat sleeps", ["dogs", "cats sleep"], scorer) == pytest.approx(0.8)
