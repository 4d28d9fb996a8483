"""A file read in blocks elsewhere is what it is here; a work that was stopped goes on."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from maskviz.errors import (
    DataError,
    MissingDependencyError,
    ParameterError,
    RunError,
    TextError,
)
from maskviz.evidence import compare_file, on_ray
from maskviz.evidence.on_ray import OnRay, engine_of, travels
from maskviz.evidence.shortcuts import work as search_work
from maskviz.evidence.shortcuts.candidates import part
from maskviz.evidence.shortcuts.search import shortcuts
from maskviz.models import load_model


class Cluster:
    """Stands for Ray: each block is pickled there and back, and read when its turn comes.

    `asked` counts blocks on their way; `lost` are errors that the cluster itself raises.
    """

    def __init__(self) -> None:
        self.on_their_way: list[int] = []
        self.cancelled, self.lost = 0, []
        self.exceptions = SimpleNamespace(RayTaskError=_TaskError, RayError=_RayError)

    def put(self, plan):
        return pickle.loads(pickle.dumps(plan))

    def cluster_resources(self):
        return {"CPU": 2.0}

    def remote(self, **_):
        def made(read):
            def ask(key, plan, block):
                self.on_their_way.append(len(self.waiting) + 1)
                self.waiting.append(None)
                return lambda: pickle.loads(pickle.dumps(read(key, plan, pickle.loads(block))))

            return SimpleNamespace(remote=lambda k, p, block: ask(k, p, pickle.dumps(block)))

        return made

    waiting: list[None]

    def get(self, asked):
        self.waiting.pop()
        if self.lost:
            raise self.lost.pop()
        try:
            return asked()
        except Exception as error:  # noqa: BLE001  as Ray does
            raise _TaskError(error) from None

    def cancel(self, _):
        self.cancelled += 1


class _RayError(Exception):
    pass


class _TaskError(_RayError):
    def __init__(self, cause: Exception) -> None:
        super().__init__("a task failed")
        self.cause = cause


@pytest.fixture
def cluster(monkeypatch) -> Cluster:
    found = Cluster()
    found.waiting = []
    monkeypatch.setattr(on_ray, "_connected", lambda _: found)
    monkeypatch.setattr(on_ray, "_readers", {})
    return found


@pytest.fixture
def films(tmp_path: Path) -> Path:
    path = tmp_path / "films.csv"
    rows = [
        f"{'a zebra' if i % 3 else 'nobody'} saw film {i},{i % 2},s{i % 25},{'ab'[i % 2]}"
        for i in range(200)
    ]
    path.write_text("text,label,site,who\n" + "\n".join([*rows, ",1,s1,a", "!!,0,s2,b"]))
    return path


@pytest.fixture(autouse=True)
def few(monkeypatch) -> None:
    kinds = [part("pos", "NOUN"), part("attribute", "names")]
    monkeypatch.setattr(search_work, "of_kinds", lambda **_: kinds)


GIVEN = {"text_column": "text", "label_column": "label"}


@pytest.mark.parametrize(
    "more",
    [
        {}, {"group_columns": ["who", "site"]}, {"cluster": "site", "draws": 2}, {"beside": True},
        {"limit": 90, "ratio": 0.5, "seed": 4},
    ],
)  # fmt: skip
def test_a_file_read_in_blocks_is_what_it_is_here(tiny, films, cluster, more) -> None:
    asked = {**GIVEN, **more, "model": tiny("bert")}
    if more.get("beside"):
        asked["beside"] = tiny("roberta")
    here = compare_file(films, ["random"], **asked)
    there = compare_file(films, ["random"], engine=OnRay(), **asked)
    assert there == here
    assert max(cluster.on_their_way) <= 4


def test_a_search_in_blocks_is_what_it_is_here(tiny, films, cluster) -> None:
    asked = {**GIVEN, "model": tiny("bert"), "cluster": "site", "irrelevant": ["zebra"]}
    here = shortcuts(films, **asked)
    assert shortcuts(films, engine=OnRay(), **asked) == here
    assert here.tested > 1


def test_what_is_stopped_leaves_no_block_behind(tiny, films, cluster) -> None:
    asked = {**GIVEN, "model": tiny("bert"), "draws": 0}
    found = compare_file(films, ["random"], engine=OnRay(), stop=lambda: True, **asked)
    assert (found.rows, found.complete) == (64, False)
    assert cluster.cancelled == len(cluster.waiting)


@dataclass(frozen=True)
class Failing:
    error: Exception

    def reader(self):
        def read(block):
            raise self.error

        return read


def test_what_a_block_raises_is_raised_here(cluster) -> None:
    with pytest.raises(TextError, match="no word"):
        list(OnRay().answers(Failing(TextError("no word")), [1]))
    with pytest.raises(_TaskError):
        list(OnRay().answers(Failing(ZeroDivisionError()), [1]))
    cluster.lost = [_RayError("the worker died\n  at …")]
    with pytest.raises(RunError, match=r"given up after 6 tries \(the worker died\)"):
        list(OnRay().answers(Failing(TextError("")), [1]))


def test_what_no_cluster_can_do_is_said(tiny, films, monkeypatch) -> None:
    with pytest.raises(ParameterError, match="'spark' is none of local, ray"):
        engine_of("spark")
    with pytest.raises(ParameterError, match="add --engine ray"):
        engine_of("local", "10.0.0.1:6379")
    with pytest.raises(ParameterError, match="-1 GPUs"):
        engine_of("ray", None, -1)
    assert engine_of("ray", "a:1", 0.5) == OnRay("a:1", 0.5)
    with pytest.raises(ParameterError, match="name it"):
        compare_file(films, ["random"], engine=OnRay(), **GIVEN, model=load_model(tiny("bert")))
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r"maskviz\[ray\]"):
        list(OnRay().answers(Failing(TextError("")), [1]))


def test_a_model_in_a_folder_goes_by_its_whole_path(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("own", "mini"):
        (tmp_path / name).mkdir()
    assert [travels(m) for m in ("own", Path("own"), "mini", "org/on-hub", None)] == [
        str(tmp_path / "own"), str(tmp_path / "own"), "mini", "org/on-hub", None,
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["compare", "shortcuts"])
def test_a_call_that_was_stopped_goes_on_in_its_folder(tiny, films, tmp_path, kind) -> None:
    call = shortcuts if kind == "shortcuts" else compare_file
    first = (films,) if kind == "shortcuts" else (films, ["random"])
    asked = {**GIVEN, "model": tiny("bert")}
    whole, seen = call(*first, **asked), []
    folder = tmp_path / "kept"

    def dies(done: int, total: int) -> None:
        seen.append(done)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(*first, keep=folder, progress=dies, **asked)
    with (folder / "steps.jsonl").open("ab") as file:
        file.write(b'{"done": 2')  # as it is left by what is killed while it writes
    with pytest.raises(DataError, match="another call, with another label_column: ask the same"):
        call(*first, keep=folder, **{**asked, "label_column": None})
    read: list[int] = []
    again = call(*first, keep=folder, progress=lambda done, _: read.append(done), **asked)
    assert again == whole
    assert read[:3] == seen  # counted again, not asked again
    assert list(folder.iterdir()) == []
    films.touch()
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="Nothing can be kept in"):
        call(*first, keep=tmp_path / "file" / "under", **asked)


@dataclass(frozen=True)
class Deadly:
    """A plan whose reader kills its worker at one block, the first two times it gets it."""

    folder: str

    def reader(self):
        def read(block: int) -> int:
            tries = Path(self.folder, str(block))
            tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
            if block == 3 and len(tries.read_text()) < 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return block * block

        return read


@pytest.mark.slow
def test_blocks_of_a_killed_worker_are_done_anew(tmp_path) -> None:
    ray = pytest.importorskip("ray")
    try:
        assert list(OnRay().answers(Deadly(str(tmp_path)), range(9))) == [i * i for i in range(9)]
        assert (tmp_path / "3").read_text() == "xxx"
    finally:
        ray.shutdown()
