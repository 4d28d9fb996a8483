"""What a server loads before its first visitor, and how it steps aside for them."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from maskviz import launch, warm
from maskviz.errors import MissingDependencyError

ROOT = Path(__file__).resolve().parents[2]
OURS = ("_library", "_ours", "_torch", "_transformers", "_first_finding")  # of the first page
STAGES = (*OURS, "_tables", "_pipeline", "_charts")


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The stages of a process that has begun nothing, each of which only says its name."""
    said: list[str] = []
    for name in STAGES:
        monkeypatch.setattr(warm, name, lambda name=name: said.append(name))
    monkeypatch.setattr(warm, "_begun", [])
    monkeypatch.setattr(warm, "_painted", threading.Event())
    monkeypatch.setattr(warm, "_shown", threading.Event())
    monkeypatch.setattr(warm, "_PARTS", ())
    monkeypatch.delenv(warm.LAZY, raising=False)
    monkeypatch.setitem(sys.modules, "maskviz.ui", None)  # what a test puts there goes with it
    monkeypatch.delitem(sys.modules, "maskviz.ui")
    yield said
    for thread in warm._begun:
        thread.join(30)
        assert not thread.is_alive()


def test_a_server_that_listens_loads_everything_once(loaded: list[str]) -> None:
    first, again = warm.begin(), warm.begin()
    assert first is again
    assert first is not None
    first.join(30)
    assert loaded == list(STAGES)


def test_nothing_is_loaded_before_the_server_listens(loaded: list[str]) -> None:
    listens, asked = threading.Event(), threading.Event()

    def listening() -> bool:
        asked.set()
        return listens.is_set()

    thread = warm.begin(listening)
    assert thread is not None
    assert asked.wait(30)
    assert loaded == []
    listens.set()
    thread.join(30)
    assert loaded == list(STAGES)


@pytest.mark.parametrize(
    ("said", "lazy"),
    [("1", True), ("true", True), (" yes ", True), ("", False), ("0", False), ("No", False)],
)
def test_a_lazy_server_loads_nothing(
    said: str, lazy: bool, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(warm.LAZY, said)
    thread = warm.begin()
    assert (thread is None) == lazy
    if thread is not None:
        thread.join(30)
    assert loaded == ([] if lazy else list(STAGES))


def test_what_other_pages_need_waits_for_the_first_visitors_page(
    loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "_LONGEST_WAIT", 60)
    came = threading.Event()

    def find() -> None:
        loaded.append("_first_finding")
        sys.modules["maskviz.ui"] = ModuleType("maskviz.ui")
        came.set()

    monkeypatch.setattr(warm, "_first_finding", find)
    thread = warm.begin()
    assert thread is not None
    assert came.wait(30)
    assert loaded == list(OURS)
    warm.painted()
    warm.shown()
    thread.join(30)
    assert loaded == list(STAGES)


def test_a_page_that_never_ends_is_waited_for_once(
    loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "_LONGEST_WAIT", 0.01)
    monkeypatch.setitem(sys.modules, "maskviz.ui", ModuleType("maskviz.ui"))
    thread = warm.begin()
    assert thread is not None
    thread.join(30)
    assert loaded == list(STAGES)
    assert warm._shown.is_set()


@pytest.mark.parametrize("error", [MissingDependencyError("No spaCy."), ImportError("no torch")])
def test_what_is_missing_is_left_to_the_page_that_needs_it(
    error: Exception, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(warm, "_pipeline", fail)
    before = state_of_python()
    thread = warm.begin()
    assert thread is not None
    thread.join(30)
    assert loaded == list(STAGES[:6])
    assert state_of_python() == before


def state_of_python() -> tuple[object, ...]:
    """Return what the thread changes of the whole process while it loads."""
    return gc.isenabled(), round(sys.getswitchinterval(), 6)


def test_while_it_loads_others_go_on_at_once_and_nothing_collects(
    loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, seen = state_of_python(), []
    monkeypatch.setattr(warm, "_torch", lambda: seen.append(state_of_python()))
    thread = warm.begin()
    assert thread is not None
    thread.join(30)
    assert seen == [(False, warm._SWITCH)]
    assert state_of_python() == before


@pytest.mark.parametrize("busy", ["the server answers", "a page is painted"])
def test_what_is_next_waits_for_the_server_and_for_the_first_paint(
    busy: str, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[str] = []
    monkeypatch.setattr(warm, "_LOOK", 1e-6)
    monkeypatch.setattr(warm, "_wait", lambda done: waits.append("paint"))
    monkeypatch.setattr(warm.time, "sleep", lambda seconds: waits.append("served"))
    used = iter([0.0, 1e3, 1e3] if busy == "the server answers" else [0.0] * 2)
    monkeypatch.setattr(warm, "_served", lambda: next(used))
    warm._Manners().step_aside()
    assert waits == (["served", "paint"] if busy == "the server answers" else ["paint"])


def test_a_server_that_is_never_idle_is_waited_for_so_long(
    loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(warm.time, "sleep", waits.append)
    monkeypatch.setattr(warm._Manners, "_busy", lambda manners: True)
    manners = warm._Manners()
    manners.step_aside()
    manners.step_aside()
    assert sum(waits) == pytest.approx(warm._LONGEST_WAIT)


def test_the_parts_of_a_network_come_one_by_one_and_one_that_is_not_there_is_passed_over(
    loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "_PARTS", ("maskviz.not_there", "colorsys"))
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    thread = warm.begin()
    assert thread is not None
    thread.join(30)
    assert "colorsys" in sys.modules
    assert loaded == list(STAGES)


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_serving_begins_it_with_what_tells_whether_the_server_listens(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    asked: list[Callable[[], bool]] = []
    port = launch._free_port()

    def run(arguments: list[str], **more: object) -> None:
        seen.append(asked[0]())
        with socket.create_server((address, port)):
            seen.append(asked[0]())

    monkeypatch.setattr(launch, "_streamlit", lambda: run)
    launch.serve(port, browser=False, address=address, beside=asked.append)
    assert seen == [False, True]


@pytest.mark.slow
def test_the_first_finding_loads_what_it_needs_alone() -> None:
    code = (
        "import sys; from maskviz import warm\n"
        "for load in (warm._torch, warm._transformers, *warm._parts()): load()\n"
        "there = set(sys.modules); warm._first_finding()\n"
        "others = ('streamlit', 'spacy', 'pandas', 'plotly', 'sklearn', 'matplotlib')\n"
        "print([name for name in others if name in sys.modules])\n"
        "large = ('torch.', 'transformers.', 'sympy.', 'scipy.')\n"
        "print([name for name in set(sys.modules) - there if name.startswith(large)])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert answer.stdout.split() == ["[]", "[]"], answer.stderr[-500:]
