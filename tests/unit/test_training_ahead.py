"""Batches made in a thread come in order, with their errors, and the thread ends."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from maskviz.errors import MaskError
from maskviz.training.data import masking
from maskviz.training.data.ahead import Ahead
from maskviz.training.data.batches import LengthBuckets
from maskviz.training.spec.spec import MaskingSpec


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


@pytest.fixture
def masker():
    """A Masker of two rows that asks for a pipeline and takes a row at a time."""
    return masking.Masker(
        SimpleNamespace(tokenizer=None), ["a b", "c d"], MaskingSpec("entity", "delete"), 0, 8
    )


def test_two_threads_that_ask_for_the_same_rows_annotate_them_once(monkeypatch, masker):
    read: list[str] = []

    def slowly(documents):
        began.set()
        time.sleep(0.05)
        read.extend(d.text for d in documents)

    began = threading.Event()
    monkeypatch.setattr(masking, "annotate_once", slowly)
    first = Ahead(map(masker.prepare, [[0, 1]]))
    assert began.wait(30)
    masker.prepare([1, 0])
    first.close()
    assert read == ["a b", "c d"]


def test_whoever_waits_for_a_row_waits_for_no_other(monkeypatch, masker):
    began, last = threading.Event(), threading.Event()

    def read(documents):
        began.set()
        if documents[0].text == "c d":
            assert last.wait(30)

    monkeypatch.setattr(masking, "annotate_once", read)
    reader = Ahead(map(masker.prepare, [[0], [1]]))
    assert began.wait(30)
    masker.prepare([0])  # while the second row is being read
    last.set()
    reader.close()


def test_a_row_that_another_thread_failed_to_read_fails_here_too(monkeypatch, masker):
    began = threading.Event()

    def fail(documents):
        began.set()
        time.sleep(0.05)
        raise MaskError("no")

    monkeypatch.setattr(masking, "annotate_once", fail)
    reader = Ahead(map(masker.prepare, [[0]]))
    assert began.wait(30)
    with pytest.raises(MaskError):
        masker.prepare([0])
    with pytest.raises(MaskError):
        next(reader)


def test_the_first_batches_of_a_run_come_from_short_to_long():
    buckets = LengthBuckets(list(range(1, 161)), 8, seed=1)
    first = [sum(batch) for batch in list(buckets)[:8]]
    assert first == sorted(first)
    buckets.epoch = 1
    assert (later := [sum(batch) for batch in list(buckets)[:8]]) != sorted(later)
