"""Batches side by side in threads: the same answers, in order, with turns for other users."""

from __future__ import annotations

import ctypes
import multiprocessing
import threading

import numpy as np
import pytest
import torch

from maskviz.masks import apply
from maskviz.models import load_model
from maskviz.readings import side_by_side
from maskviz.readings.batches import _batches
from maskviz.readings.question import asked

TEXTS = ["one fine film " * (1 + i % 7) for i in range(60)]


@pytest.fixture
def two_threads():
    """Give torch two threads, whatever the machine has."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def logits(model, batch_size=None):
    return asked(model).logits([apply(text, "mask", model) for text in TEXTS], batch_size)


def test_threads_give_what_one_gives_and_leave_torch_as_it_was(tiny, two_threads) -> None:
    model = load_model(tiny("bert"))
    together = logits(model, batch_size=2)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
    assert np.array_equal(together, logits(model, batch_size=2))


def test_each_thread_computes_alone_and_in_order(tiny, two_threads) -> None:
    model, used = load_model(tiny("bert")), set()

    def work(number: int) -> int:
        used.add((threading.current_thread().name, torch.get_num_threads()))
        return number

    assert list(side_by_side.answers(model, work, range(200))) == list(range(200))
    assert {count for _, count in used} == {1}
    assert all(name.startswith("maskviz-batch") for name, _ in used)


def test_a_thread_alone_changes_nothing_for_one_that_begins_meanwhile(two_threads) -> None:
    found = {}

    def numbers() -> tuple[int, ...]:
        mkl = getattr(ctypes.CDLL(torch._C.__file__), "MKL_Get_Max_Threads", None)
        return torch.get_num_threads(), *([mkl()] if mkl else [])

    def other() -> None:
        found["other"] = numbers()

    def begin() -> None:
        side_by_side.alone()
        found["alone"] = numbers()
        meanwhile = threading.Thread(target=other)
        meanwhile.start()
        meanwhile.join()

    first = threading.Thread(target=begin)
    first.start()
    first.join()
    assert set(found["alone"]) == {1}
    assert set(found["other"]) == {2}
    assert torch.get_num_threads() == 2


def test_the_lock_is_free_between_groups(tiny, two_threads) -> None:
    model = load_model(tiny("bert"))
    answers = side_by_side.answers(model, lambda number: number, range(100))
    next(answers)
    taken = []

    def take() -> None:
        with model.lock:
            taken.append(True)

    other = threading.Thread(target=take, daemon=True)
    other.start()
    other.join(30)
    assert taken


def test_what_fails_in_a_thread_fails_here(tiny, two_threads) -> None:
    def work(_: int) -> None:
        raise ValueError("too much")

    with pytest.raises(ValueError, match="too much"):
        list(side_by_side.answers(load_model(tiny("bert")), work, range(4)))


class Ended(BaseException):
    """What a page raises where another choice ends its run: no `Exception`."""


@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_long_computation_ends_between_turns_and_leaves_nothing_held(
    after: int, tiny, two_threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, turns = load_model(tiny("bert")), []
    monkeypatch.setattr(side_by_side, "_PATIENCE", -1.0)  # as where every turn takes long

    def ask() -> None:
        turns.append(None)
        if len(turns) > after:
            raise Ended

    plain = logits(model, batch_size=2)
    try:
        side_by_side.between_turns(ask)
        with pytest.raises(Ended):
            list(side_by_side.answers(model, lambda number: number, range(40)))
        assert len(turns) == after + 1
        assert not model.lock._is_owned()  # type: ignore[attr-defined]
    finally:
        side_by_side.between_turns(lambda: None)
    assert np.array_equal(logits(model, batch_size=2), plain)


def test_where_turns_take_long_they_are_short(tiny, two_threads, monkeypatch) -> None:
    model, turns = load_model(tiny("bert")), []
    side_by_side.between_turns(lambda: turns.append(None))
    counts = []
    try:
        for patience in (60.0, -1.0):
            monkeypatch.setattr(side_by_side, "_PATIENCE", patience)
            turns.clear()
            assert list(side_by_side.answers(model, lambda n: n, range(40))) == list(range(40))
            counts.append(len(turns))
    finally:
        side_by_side.between_turns(lambda: None)
    assert counts == [5, 17]  # 8 together; then, after the first 8, 2 together


def _in_a_child(path: str, answer) -> None:
    answer.send(logits(load_model(path), batch_size=2).tolist())


def test_a_forked_process_has_threads_of_its_own(tiny, two_threads) -> None:
    path = tiny("bert")
    here = logits(load_model(path), batch_size=2)  # the threads exist when the child begins
    forked = multiprocessing.get_context("fork")
    mine, theirs = forked.Pipe()
    child = forked.Process(target=_in_a_child, args=(path, theirs))
    child.start()
    assert mine.poll(120)
    assert np.allclose(mine.recv(), here, atol=1e-6)
    child.join()


def test_batches_are_of_like_length_and_few_texts_are_shared_out(two_threads) -> None:
    lengths = [30] * 20 + [20] * 20
    batches = list(_batches(lengths, None))
    assert sorted(i for batch in batches for i in batch) == list(range(40))
    assert [len(batch) for batch in batches] == [16, 8, 16]
    assert all(max(lengths[i] for i in b) - min(lengths[i] for i in b) <= 10 for b in batches)
    assert len(list(_batches([8, 8, 8], None))) == 1  # too little to share out
    assert list(_batches([], None)) == []
