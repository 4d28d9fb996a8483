"""What prompts begin with alike is read once; no number changes by it."""

from __future__ import annotations

import random

import numpy as np
import pytest

from maskviz.evidence import explain
from maskviz.evidence.chance.reference import reference_set
from maskviz.masks import apply, mask
from maskviz.models import load_model
from maskviz.readings.batches import Ids
from maskviz.readings.language import scoring, sharing
from maskviz.readings.language.branches import Costs, best_plan, tree_of
from maskviz.readings.question import asked, in_batches
from tests.tiny_decoders import DECODERS

TEXT = "She loved every minute of this great, funny and warm picture."
PROMPT = "Review: {text}\nSentiment:"
QUESTIONS = {
    "choices": {"prompt": PROMPT, "choices": ("warm film", "dull", "story of Paris")},
    "next": {"target": "a"},
    "answer": {"answer": "warm picture"},
}
CHEAP = Costs(tail=0, each=0, rows=8, tokens=1000, kept=10_000)


@pytest.fixture(autouse=True)
def cheap_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a pass of a tiny network cost no more than one of a large one, beside its tokens."""
    monkeypatch.setattr(sharing, "_pass_in_tokens", lambda network: 1)


@pytest.fixture
def begins(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return behind how many tokens each pass began, filled as they run."""
    found: list[int] = []
    begun = sharing.begun

    def watched(layers, start, keeps=False):
        found.append(start)
        return begun(layers, start, keeps)

    monkeypatch.setattr(sharing, "begun", watched)
    return found


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("family", DECODERS)
def test_shared_is_as_one_by_one(decoder, family: str, name: str, begins: list[int]) -> None:
    put = asked(decoder(family), {"name": name, **QUESTIONS[name]})
    masks = [mask(TEXT, "random", ratio=0.2, seed=i) for i in range(8)]
    plain = family != "phi"  # one family is asked without the plain text
    reads = [apply(TEXT, "attention", put.model)] if plain else []
    reads += [apply(m, o, put.model) for m in masks for o in ("delete", "attention", "unk")]
    random.Random(0).shuffle(reads)
    alone = np.concatenate([in_batches(put, [one], 1) for one in reads])
    assert put.logits(reads) == pytest.approx(alone, abs=1e-4)
    assert max(begins) > 10
    assert put.logits(reads[::-2]) == pytest.approx(alone[::-2], abs=1e-4)  # behind what was read
    assert put.logits(reads, batch_size=4) == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize("family", DECODERS)
def test_choices_read_a_prompt_once(decoder, family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put = asked(decoder(family), {"name": "choices", **QUESTIONS["choices"]})
    masks = [mask(TEXT, "random", ratio=0.3, seed=i) for i in range(3)]
    reads = [apply(m, o, put.model) for m in masks for o in ("delete", "attention", "unk")]
    read: list[int] = []
    watching = put.network.register_forward_pre_hook(
        lambda _, args, given: read.append(given["input_ids"].numel()), with_kwargs=True
    )
    found, tokens = {}, {}
    for name, worth in (("whole", 10**9), ("once", 1)):
        monkeypatch.setattr(scoring, "_WORTH", worth)
        read.clear()
        found[name] = [in_batches(put, reads, size) for size in (None, 1, 4)]
        tokens[name] = sum(read)
    watching.remove()
    for whole, once in zip(found["whole"], found["once"], strict=True):
        assert once == pytest.approx(whole, abs=1e-4)
    assert tokens["once"] < 0.75 * tokens["whole"]


def test_texts_that_have_nothing_in_common_share_nothing(decoder, begins: list[int]) -> None:
    put = asked(decoder("llama"), QUESTIONS["answer"] | {"name": "answer"})
    texts = [f"{chr(97 + i)} {TEXT}" for i in range(4)]
    reads = [apply(text, "attention", put.model) for text in texts]
    alone = np.concatenate([in_batches(put, [one], 1) for one in reads])
    assert put.logits(reads) == pytest.approx(alone, abs=1e-4)
    assert not begins


def test_files_of_texts_with_their_masks_are_families(decoder, begins: list[int]) -> None:
    put = asked(decoder("llama"), QUESTIONS["answer"] | {"name": "answer"})
    texts = [f"{chr(97 + i)} {TEXT}" for i in range(3)]
    reads = [
        apply(mask(text, "random", ratio=0.1, seed=seed), "delete", put.model)
        for seed in range(6)
        for text in texts
    ]
    alone = np.concatenate([in_batches(put, [one], 1) for one in reads])
    for held in (10**9, 0):  # all families side by side, and one after the other
        begins.clear()
        put.model.bare.memos.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sharing, "_BYTES", held)
            assert put.logits(reads) == pytest.approx(alone, abs=1e-4)
        assert begins


def test_words_that_are_deleted_share_what_stands_before(decoder, begins: list[int]) -> None:
    put = asked(decoder("llama"), {"name": "answer", "answer": "warm"})
    chosen = mask(TEXT, "random", ratio=0.2, seed=1)
    reads = [apply(m, "delete", put.model) for m in reference_set(chosen, put.model).masks]
    put.logits(reads)
    assert len(reads) > 20
    assert sum(start > 10 for start in begins) > 1


def test_an_explanation_shares(decoder, begins: list[int]) -> None:
    explain(TEXT, asked(decoder("llama"), {"name": "answer", "answer": "warm"}))
    assert max(begins) > 10


def row(text: str, hidden: str = "") -> Ids:
    return Ids(tuple(map(ord, text)), tuple(int(letter not in hidden) for letter in text))


@pytest.mark.parametrize("seed", range(5))
def test_a_tree_reads_each_beginning_once(seed: int) -> None:
    rng = random.Random(seed)
    texts = sorted({"".join(rng.choices("ab", k=rng.randint(1, 12))) for _ in range(40)})
    rng.shuffle(texts)
    rows = [row(text, rng.choice(["", "b"])) for text in texts]
    tree = tree_of(rows)
    beginnings = {
        tuple(zip(r.input_ids[:n], r.attention_mask[:n], strict=True))
        for r in rows
        for n in range(1, len(r.input_ids) + 1)
    }
    again = sum(  # the last token of what begins another prompt is asked for itself
        any(_begins(r, other) for other in rows if other is not r) for r in rows
    )
    read = sum(len(r.input_ids) - n for r, n in zip(rows, tree.shared, strict=True))
    assert len(beginnings) <= read <= len(beginnings) + again
    assert max(tree.levels) <= np.log2(len(rows))
    for depth in (0, 1, 2):
        capped = tree.no_deeper(depth)
        assert max(capped.levels) <= depth
        for r, parent, shared in zip(rows, capped.parents, capped.shared, strict=True):
            if parent is None:
                assert shared == 0
                continue
            assert 0 < shared < len(r.input_ids)
            assert _same(r, rows[parent], shared)


def _same(one: Ids, other: Ids, count: int) -> bool:
    return (
        one.input_ids[:count] == other.input_ids[:count]
        and one.attention_mask[:count] == other.attention_mask[:count]
    )


def _begins(one: Ids, other: Ids) -> bool:
    return len(one.input_ids) <= len(other.input_ids) and _same(one, other, len(one.input_ids))


def test_no_plan_where_it_would_cost_more() -> None:
    rows = [row(f"one two three four {i}") for i in range(6)]
    assert best_plan(rows, CHEAP) is not None
    dear = Costs(tail=0, each=500, rows=8, tokens=1000, kept=10_000)
    assert best_plan(rows, dear) is None
    assert best_plan(rows[:1], CHEAP) is None
    plan = best_plan([*rows, row("one two three four five")], dear, known=6)
    assert plan is not None
    assert sorted(i for groups in plan.stages for group in groups for i in group) == list(range(6))


def test_what_would_take_too_much_memory_lies_flatter() -> None:
    rows = [row("a" * 30 + "b" * n + "c" * 20) for n in range(0, 40, 2)]
    rows += [row("a" * 30 + "b" * n + "c" * 10 + "d" * 10) for n in range(0, 40, 2)]
    deep = best_plan(rows, CHEAP)
    flat = best_plan(rows, Costs(tail=0, each=0, rows=8, tokens=1000, kept=40))
    assert deep is not None
    assert flat is not None
    assert max(deep.tree.levels) > max(flat.tree.levels) == 1


def test_the_order_of_prompts_changes_nothing(decoder) -> None:
    put = asked(load_model(decoder("mistral").path), {"name": "answer", "answer": "warm"})
    reads = [apply(mask(TEXT, "random", ratio=0.2, seed=i), "delete", put.model) for i in range(9)]
    assert put.logits(reads)[::-1] == pytest.approx(put.logits(reads[::-1]), abs=1e-4)
