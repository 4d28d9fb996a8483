"""The checks of a loaded model: found by trying, once, and kept with what they rest on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maskviz.errors import CapabilityError
from maskviz.models import checks, load_model
from maskviz.models.checks import CHECKS, Check, Finding, demand, finding
from maskviz.paths import home


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch):
    """Return a check that fails for a reason, and the list of the models it ran on."""
    ran: list[str] = []

    def function(model) -> Finding:
        ran.append(model.name)
        return Finding(False, "three of four")

    one = Check("counted", "that it runs", "The {family!r} cannot ({said}): rest.", function, bool)
    CHECKS["direction"]  # the registry is read
    monkeypatch.setitem(CHECKS._known, "counted", one)
    return ran


def test_a_check_runs_once_and_is_kept_on_disk(counted: list[str], tiny) -> None:
    model = load_model(tiny("bert"))
    checks._memory.clear()  # of another home
    for _ in range(3):
        assert finding(model, "counted") == Finding(False, "three of four")
    assert counted == [model.name]
    checks._memory.clear()  # as a new process
    assert finding(model, "counted").said == "three of four"
    assert counted == [model.name]
    files = list((home() / "checks").glob("*.json"))
    assert any("counted" in json.loads(file.read_text()) for file in files)


def test_what_fails_is_refused_in_one_sentence(counted: list[str], tiny) -> None:
    with pytest.raises(CapabilityError, match=r"^The 'bert' cannot \(three of four\): rest\.$"):
        demand(load_model(tiny("bert")), "counted")


def test_a_model_with_other_weights_or_versions_is_checked_anew(
    tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    folder = Path(shutil.copytree(tiny("bert"), tmp_path / "copy"))
    model = load_model(folder)
    first = checks.fingerprint(model)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\x40")
    second = checks.fingerprint(model)
    monkeypatch.setattr(checks, "_ground", lambda: "another torch")
    assert len({first, second, checks.fingerprint(model)}) == 3


@pytest.mark.parametrize("kept", ["", "[]", "{", '{"direction": {"no": 1}}', '{"direction": 3}'])
def test_a_broken_file_of_findings_is_found_anew(kept: str, tiny) -> None:
    model = load_model(tiny("bert"))
    checks._memory.clear()
    file = home() / "checks" / f"{checks.fingerprint(model)}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(kept)
    assert finding(model, "direction").value == "encoder"


def test_what_an_architecture_raises_is_what_was_found(
    tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(model) -> Finding:
        raise NotImplementedError("no 4-D masks\nsecond line")

    CHECKS["direction"]
    one = Check("raises", "", "It cannot ({said}): rest.", fails, bool)
    monkeypatch.setitem(CHECKS._known, "raises", one)
    with pytest.raises(
        CapabilityError, match=r"\(its own code ends in NotImplementedError: no 4-D masks\)"
    ):
        demand(load_model(tiny("bert")), "raises")


@pytest.mark.parametrize(
    ("family", "head", "looks"),
    [
        ("bert", "SequenceClassification", "encoder"),
        ("modernbert", "MaskedLM", "encoder"),
        ("gpt2", "SequenceClassification", "decoder"),
        ("llama", "CausalLM", "decoder"),
    ],
)
def test_direction_is_found_by_trying(family: str, head: str, looks: str, tiny) -> None:
    assert finding(load_model(tiny(family, head)), "direction").value == looks


def test_models_info_shows_every_check(run) -> None:
    code, out, _ = run("models", "info", "mini", "--json")
    shown = {one["name"]: one for one in json.loads(out)["checks"]}
    assert code == 0
    assert shown["direction"] == {
        "name": "direction",
        "proves": CHECKS["direction"].proves,
        "passed": True,
        "said": "tokens look ahead",
        "value": "encoder",
        "refusal": None,
    }
    assert "direction     tokens look ahead" in run("models", "info", "mini")[1]
