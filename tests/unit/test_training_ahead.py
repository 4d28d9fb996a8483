"""Batches made in a thread come in order, with their errors, and the thread ends."""

from __future__ import annotations

import threading
import time

import pytest

from maskviz.training.ahead import Ahead
from maskviz.training.batches import LengthBuckets
from maskviz.training.spec import MaskingSpec


def test_the_items_come_in_order_and_end():
    ahead = Ahead(range(100))
    assert list(ahead) == list(range(100))
    assert list(ahead) == []


def test_an_error_is_raised_where_its_item_is_asked_for():
    def source():
        yield 1
        raise ValueError("no second one")

    ahead = Ahead(source())
    assert next(ahead) == 1
    for _ in range(2):
        with pytest.raises(ValueError, match="no second one"):
            next(ahead)


def test_it_runs_ahead_by_a_few_items_and_close_ends_its_thread():
    made, enough = [], threading.Event()

    def source():
        while True:
            made.append(len(made))
            if len(made) == 4:
                enough.set()
            yield made[-1]

    ahead = Ahead(source())
    assert enough.wait(10)
    assert next(ahead) == 0
    ahead.close()
    assert not ahead._thread.is_alive()
    assert len(made) < 12
    assert next(ahead, None) is None


def test_the_clocks_go_on_from_those_of_the_epoch_before():
    first = Ahead(range(3))
    list(first)
    second = Ahead(range(3), first)
    list(second)
    assert second.waited >= first.waited > 0
    assert second.worked >= first.worked


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_share_the_batches_of_an_epoch(processes):
    lengths = list(range(1, 96))
    whole = list(LengthBuckets(lengths, 8, seed=1))
    shares = [list(LengthBuckets(lengths, 8, 1, i, processes)) for i in range(processes)]
    assert len({len(share) for share in shares}) == 1
    assert [shares[i % processes][i // processes] for i in range(len(whole))] == whole
    assert len(shares[0]) == len(LengthBuckets(lengths, 8, 1, 0, processes))


def test_with_no_depth_all_is_made_without_being_asked_for():
    made = []
    ahead = Ahead((made.append(i) for i in range(50)), depth=0)
    ahead._thread.join(30)
    assert made == list(range(50))


def test_two_threads_that_ask_for_the_same_rows_annotate_them_once(monkeypatch):
    from maskviz.training import masking

    read: list[str] = []

    def slowly(documents):
        began.set()
        time.sleep(0.05)
        read.extend(d.text for d in documents)

    began = threading.Event()
    monkeypatch.setattr(masking, "annotate_once", slowly)
    masker = masking.Masker(None, ["a b", "c d"], MaskingSpec("entity"), 0, 8)
    first = Ahead(map(masker.prepare, [[0, 1]]))
    assert began.wait(30)
    masker.prepare([1, 0])
    first.close()
    assert read == ["a b", "c d"]
