"""The recipe of `mini-chat` on texts of our own, from vocabulary to folder and figures."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
PARTS = ("chat_", "mini_", "score_", "kneser_ney", "checksums")


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch):
    """Return a function that imports a module of the recipe."""
    monkeypatch.syspath_prepend(str(RECIPES))
    before = set(sys.modules)
    yield __import__
    for name in set(sys.modules) - before:
        if name.startswith(PARTS):
            del sys.modules[name]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Write the files that the recipe reads, a few rows each."""
    folder = tmp_path / "data"
    folder.mkdir()
    reviews = [f"I saw film {n} in town. It was {'good' if n % 2 else 'bad'}." for n in range(60)]
    tables = {
        "reviews_unlabelled": {"text": reviews},
        "sentiment_train": {
            "text": [f"a {w} film, take {n}" for n in range(20) for w in ("good", "bad")],
            "label": [1, 0] * 20,
            "source": ["sst"] * 40,
        },
        "sentiment_dev": {
            "text": ["good film", "bad film", "it rained"],
            "label": [1, 0, 0],
            "source": ["sst", "sst", "imdb"],
        },
        "translation_train": {"en": [f"Tom has {n} cats." for n in range(30)], "fr": ["x"] * 30},
        "translation_dev": {"en": ["Tom has 3 cats."], "fr": ["x"]},
        "rationales_dev": {"tokens": [["no", "row"]]},
        "summaries_dev": {"source": [["no row"]]},
    }
    for name, columns in tables.items():
        pd.DataFrame(columns).to_parquet(folder / f"{name}.parquet")
    return folder


def _tokenizer(recipe, size: int = 330):
    texts = ["Where does Anna live? Anna lives in Rome.", "It was good, not bad."] * 3
    return recipe("chat_data").train_tokenizer(texts, size)


def test_dev_rows_and_validation_are_in_no_training_text(recipe, data: Path) -> None:
    texts = recipe("chat_data").read(data, 0, reviews=40)
    held = {"Tom has 3 cats.", *texts.validation, *texts.verdicts_validation["text"]}
    assert not held & {*texts.plain, *texts.verdicts["text"]}
    assert texts.validation
    assert len([t for t in texts.plain if t.startswith("I saw")]) == 40


@pytest.mark.parametrize(
    ("review", "letters", "wanted"),
    [
        ("I saw it. It was good. Go.", 8, "It was good. Go."),
        ("Short.", 80, "Short."),
        ("One. " + "very long " * 10 + "end.", 8, ""),
    ],
)
def test_reviews_are_cut_to_their_last_sentences(recipe, review, letters, wanted) -> None:
    assert recipe("chat_data").closing(review, letters) == wanted


@pytest.mark.parametrize(
    "text", [" two  spaces ", "don’t don't", "12,5 % 🙂", "我们", "a\n\nb\t", ""]
)
def test_decoding_gives_back_the_text(recipe, text: str) -> None:
    tokenizer = _tokenizer(recipe)
    ids = tokenizer.encode(text).ids
    assert ids[0] == recipe("chat_data").BEGIN
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_every_question_is_answered_by_its_text_alone(recipe) -> None:
    module = recipe("chat_questions")
    for held_out in (False, True):
        for item in module.items(400, 3, held_out):
            assert re.search(rf"\b{item.answer}\b", item.text)
            assert not re.search(rf"\b{item.answer}\b", item.question)
            assert "{" not in item.text + item.question
            assert not re.search(r"\ba [aeiou]", item.text)


def test_irrelevant_sentences_leave_the_question_as_it_is(recipe) -> None:
    module = recipe("chat_questions")
    plain, longer = (module.items(200, 5, True, irrelevant=n) for n in (0, 4))
    for short, long in zip(plain, longer, strict=True):
        assert (short.question, short.answer) == (long.question, long.answer)
        told = set(re.split(r"(?<=\.) ", short.text))
        assert told < set(re.split(r"(?<=\.) ", long.text))
        assert len(re.findall(rf"\b{short.answer}\b", long.text)) == 1


def test_words_held_out_are_in_no_question_to_learn_from(recipe) -> None:
    module = recipe("chat_questions")
    learnt, held = module.words(False), module.words(True)
    assert learnt.keys() == held.keys()
    for kind, words in learnt.items():
        assert len(words) > len(held[kind]) > 2
        assert not set(words) & set(held[kind])


def test_examples_are_written_as_the_chat_template_writes_them(recipe, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = _tokenizer(recipe)
    recipe("chat_model").save_tokenizer(tokenizer, tmp_path)
    fast = AutoTokenizer.from_pretrained(tmp_path)
    examples = recipe("chat_batches").Examples(tokenizer, ["so  so"], [1], 0)
    prompt, answer = examples.conversation("Where is\nAnna?", "Rome")
    said = [{"role": "user", "content": "Where is\nAnna?"}]
    whole = [*said, {"role": "assistant", "content": "Rome"}]
    assert recipe("score_chat").said(fast, "Where is\nAnna?") == prompt
    rendered = fast.apply_chat_template(whole, tokenize=False)
    assert rendered == fast.decode([*prompt, *answer]) + "\n"
    assert examples.prompt("Where?", " Rome")[0] == fast("Where?").input_ids


def test_a_row_of_documents_is_read_as_each_alone(recipe) -> None:
    model, batches = recipe("chat_model"), recipe("chat_batches")
    torch.manual_seed(0)
    size = model.Size(2, 16, 2, 1, 24)
    network = model.Chat(model.build_config(40, size)).eval()
    parts = [[7, 8, 9, 2], [1, 10, 11, 12, 2], [1, 13, 2]]
    row = np.concatenate(parts)[None]
    batch = batches._batch(row, np.ones((1, 11), dtype=bool), 11, 0)
    losses = network.losses(
        batch.input_ids, batch.position_ids, model.visible(batch), batch.places, batch.labels
    )
    alone = []
    for part in parts:
        logits = network.llama(torch.tensor([part])).logits[0, :-1]
        wanted = torch.tensor(part[1:])
        alone += torch.nn.functional.cross_entropy(logits, wanted, reduction="none").tolist()
    assert losses[batch.labels >= 0].tolist() == pytest.approx(alone, abs=1e-5)
    assert (losses[batch.labels < 0] == 0).all()
    assert (batch.labels < 0).sum() == 2  # what begins a document is not predicted


def test_each_epoch_reads_every_piece_once_whatever_its_length(recipe) -> None:
    examples = recipe("chat_batches").Examples(_tokenizer(recipe), ["x"], [1], 0)
    rows = recipe("chat_batches").Rows(np.arange(1000), examples, 0)
    starts = [int(rows.piece(10)[0]) for _ in range(98)]
    assert sorted(starts) == list(range(0, 980, 10))
    assert rows.pieces_drawn == 1.0
    later = [rows.piece(50) for _ in range(18)]
    assert all(len(piece) == 51 for piece in later)
    assert len({int(piece[0]) for piece in later}) == 18
    assert rows.pieces_drawn == 2.0


def _trainer(recipe, data: Path, steps: int, work: Path):
    batches, model = recipe("chat_batches"), recipe("chat_model")
    train, cache = recipe("chat_train"), work / "cache"
    tokenizer = recipe("chat_data").build_cache(data, cache, 330, 0, 40)
    verdicts = pd.read_parquet(cache / "verdicts.parquet")
    examples = batches.Examples(tokenizer, list(verdicts["text"]), list(verdicts["label"]), 0)
    rows = batches.Rows(np.load(cache / "stream.npy"), examples, 0)
    torch.manual_seed(0)
    size = model.Size(1, 16, 2, 1, 24)
    network = model.Chat(model.build_config(tokenizer.get_vocab_size(), size))
    plan = train.Plan(
        max_steps=steps, warmup_steps=2, decay=0.5, tokens_per_step=512, length=64, long=128
    )
    return train.Trainer(network, rows, plan, work, compiled=False), tokenizer


def test_a_resumed_run_ends_where_an_unbroken_one_does(recipe, data: Path, tmp_path: Path) -> None:
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    whole, tokenizer = _trainer(recipe, data, 8, tmp_path / "whole")
    whole.run()
    broken, _ = _trainer(recipe, data, 8, tmp_path / "broken")
    for _ in range(5):
        broken.step(broken.factor(broken.share()))
        broken.progress.step += 1
    broken.save()
    again, _ = _trainer(recipe, data, 8, tmp_path / "broken")
    assert again.load()
    assert again.progress.step == 5
    again.run()
    assert again.progress.decay_from == whole.progress.decay_from == 0.5
    weights = zip(whole.optimizers.parameters, again.optimizers.parameters, strict=True)
    assert all(torch.equal(a, b) for a, b in weights)
    _check_folder(recipe, whole, tokenizer, data, tmp_path / "model")


def _check_folder(recipe, trainer, tokenizer, data: Path, folder: Path) -> None:
    from maskviz.checksums import verify

    recipe("chat_model").save_folder(trainer.model.llama, tokenizer, folder)
    verify(folder)
    model, fast = recipe("score_chat").loaded(folder)
    assert fast.is_fast
    assert fast.chat_template
    own = trainer.model.llama.model.embed_tokens.weight
    assert torch.allclose(model.model.embed_tokens.weight, own, atol=2e-3)
    assert model.lm_head.weight.data_ptr() == model.model.embed_tokens.weight.data_ptr()
    figures = recipe("score_chat").chat_figures(folder, data, rows=2, reviews=40)
    assert [figure.units for figure in figures[3:]] == [2] * 6
    own, counted, below = (figure.value for figure in figures[:3])
    assert below == pytest.approx(1 - own / counted)


def test_a_file_named_finish_begins_the_decay(recipe, data: Path, tmp_path: Path) -> None:
    trainer, _ = _trainer(recipe, data, 100, tmp_path)
    trainer.progress.step = 20
    assert trainer.factor(0.2) == 1.0
    (tmp_path / "finish").touch()
    assert trainer.factor(0.2) == 1.0
    assert trainer.factor(0.45) == pytest.approx(0.5)
    assert trainer.factor(0.7) == trainer.factor(0.8) == 0.0
    assert trainer.progress.decay_from == 0.2


def _network(recipe, vocab_size: int):
    module = recipe("chat_model")
    torch.manual_seed(1)
    return module.Chat(module.build_config(vocab_size, module.Size(2, 16, 2, 1, 24))).llama.eval()


@pytest.mark.parametrize("size", [2, 7, 8, 9, 12, 13, 30])
def test_bits_of_windows_are_those_of_the_tokens_in_them(recipe, size: int) -> None:
    model, window = _network(recipe, 40), 8
    ids = np.random.default_rng(0).integers(3, 40, size)
    found = recipe("score_chat").token_bits(model, ids, window)
    wanted = []
    for place in range(1, size):
        # the window in which this token is new: each begins half a window after the last
        start = 0 if place < window else ((place - window) // 4 + 1) * 4
        logits = model(torch.tensor(ids[start:place])[None]).logits[0, -1].detach()
        wanted.append(-float(logits.log_softmax(-1)[ids[place]]) / np.log(2))
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_a_choice_is_as_probable_as_a_plain_forward_says(recipe, tmp_path: Path) -> None:
    tokenizer = _tokenizer(recipe)
    recipe("chat_model").save_tokenizer(tokenizer, tmp_path)
    from transformers import AutoTokenizer

    fast = AutoTokenizer.from_pretrained(tmp_path)
    model = _network(recipe, len(fast))
    prompts = [fast(text).input_ids for text in ("It was", "Where does Anna live?", "R", "x y z")]
    choices = (" good", " bad", "🙂 of several tokens")
    found = recipe("score_chat").chosen(model, fast, prompts, choices)
    wanted = []
    for prompt in prompts:
        sums = []
        for choice in choices:
            end = fast(choice, add_special_tokens=False).input_ids
            logs = model(torch.tensor([[*prompt, *end]])).logits[0].detach().log_softmax(-1)
            places = range(len(prompt) - 1, len(prompt) + len(end) - 1)
            sums.append(sum(float(logs[p, t]) for p, t in zip(places, end, strict=True)))
        wanted.append(int(np.argmax(sums)))
    assert found.tolist() == wanted


def test_answers_are_greedy_and_padding_changes_none(recipe, tmp_path: Path) -> None:
    tokenizer = _tokenizer(recipe)
    recipe("chat_model").save_tokenizer(tokenizer, tmp_path)
    from transformers import AutoTokenizer

    fast = AutoTokenizer.from_pretrained(tmp_path)
    model = _network(recipe, len(fast))
    prompts = [
        recipe("score_chat").said(fast, text) for text in ("Where?", "Where does Anna live?")
    ]
    together = recipe("score_chat").answers(model, fast, prompts)
    assert together == [recipe("score_chat").answers(model, fast, [p])[0] for p in prompts]
