"""A model is loaded at a door and handed on: inside, nobody fetches it by its name again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from maskviz.evidence import compare, compare_file, explain, fairness
from maskviz.evidence.counterfactual.swaps import Pair
from maskviz.evidence.files.masking import masking_job
from maskviz.masks import Choice, choose, mask
from maskviz.masks.audit import audit
from maskviz.models import load_model
from maskviz.training.data.masking import Masker
from maskviz.training.spec.spec import MaskingSpec

ROOT = Path(__file__).resolve().parents[2]
TEXT = "Teh film was truly wonderfull, and Anna of Paris lovd every minute."
ASKING = ["key", "noise", "random-token"]
# Where names come in: the package's functions, commands, processes and pages.
DOORS = {
    "maskviz/attention/capture.py", "maskviz/attention/scores.py",
    "maskviz/evidence/distraction/cell.py", "maskviz/evidence/distractor/cell.py",
    "maskviz/evidence/files/written.py",
    "maskviz/evidence/units/prune.py", "maskviz/inside/pruning.py",  # what was just written
    "maskviz/evidence/text/ratios.py",
    "maskviz/masks/audit.py", "maskviz/masks/choose.py", "maskviz/masks/operators.py",
    "maskviz/readings/fills.py", "maskviz/readings/question.py", "maskviz/readings/summaries.py",
    "maskviz/readings/translation.py", "maskviz/readings/written.py",
    "maskviz/report/conversation.py",
    "maskviz/training/check.py", "maskviz/training/loss_audit.py",
    "maskviz/training/loop/stages.py", "maskviz/training/loop/warm.py",
    "maskviz/training/model/encoder.py", "maskviz/training/loop/script.py",
    "maskviz/warm.py",
    *(
        f"maskviz/commands/{name}.py"
        for name in ("attend", "common", "compare_given", "house", "report", "text")
    ),
}  # fmt: skip


def test_models_are_loaded_at_the_doors_alone() -> None:
    files = [
        file
        for folder in ("maskviz", "pages")
        for file in (ROOT / folder).rglob("*.py")
        if re.search(r"^(?!.*>>>).*(?<![.\w])load_model\(", file.read_text("utf-8"), re.MULTILINE)
    ]
    names = {file.relative_to(ROOT).as_posix() for file in files}
    inside = {n for n in names if not n.startswith(("maskviz/models/", "maskviz/ui/", "pages/"))}
    assert inside == DOORS


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch):
    """A model that its holder alone can find: whoever asks for it by name fails."""

    def refuse(name: object) -> None:
        raise AssertionError(f"{name!r} was fetched by its name")

    held = load_model("mini")
    monkeypatch.setattr(choose, "load_model", refuse)
    return held


@pytest.mark.parametrize(
    ("strategy", "more"),
    [
        *((name, {}) for name in ASKING),
        ("key | noise", {}),
        ("~random-token:0.5 & noise", {}),
        ("random", {"second": Choice("random-token", 0.4, seed=3)}),
        ("noise", {"second": Choice("key", 0.2), "join": "minus"}),
        ("key", {"by": "lexicon"}),
        ("noise", {"surprisal": 0.0}),
    ],
)
def test_a_mask_asks_the_model_that_is_handed_to_it(strategy, more, model, monkeypatch) -> None:
    handed = mask(TEXT, strategy, seed=2, model=model, **more)
    monkeypatch.undo()
    by_name = mask(TEXT, strategy, seed=2, model="mini", **more)
    assert handed.to_dict() == by_name.to_dict()
    assert json.loads(handed.to_json())["parameters"].get("model", "mini") == "mini"


@pytest.mark.parametrize("strategy", ASKING)
def test_without_a_model_the_default_is_asked_and_not_recorded(strategy: str) -> None:
    assert "model" not in mask(TEXT, strategy).parameters
    assert mask(TEXT, strategy) == mask(TEXT, strategy, model="mini")


@pytest.mark.parametrize(("by", "loads"), [("lexicon", False), ("tfidf", False), ("model", True)])
def test_a_model_that_is_not_asked_is_not_loaded(by: str, loads: bool, model) -> None:
    if loads:
        with pytest.raises(AssertionError, match="'another' was fetched"):
            mask(TEXT, "key", by=by, model="another")
    else:
        assert mask(TEXT, "key", by=by, model="another").parameters["model"] == "another"


def test_a_strategys_own_model_goes_before_the_one_that_is_handed_on(model) -> None:
    second = Choice("random-token", 0.4, parameters={"model": "another"})
    with pytest.raises(AssertionError, match="'another' was fetched"):
        mask(TEXT, "random", second=second, model=model)


def test_files_pairs_and_training_hand_their_model_on(model) -> None:
    job = masking_job("key | noise", {}, None, model)
    assert job(TEXT, 1).parameters == {"model": "mini"}
    table = f'text,label\n"{TEXT}",positive\n'.encode()
    found = compare_file(
        table, ["random-token", "key"], text_column="text", label_column="label", model=model,
        name="a.csv", draws=0,
    )  # fmt: skip
    assert found.rows == 1
    assert fairness([Pair(1, "He lovd it.", "She lovd it.")], ["noise"], model=model).pairs == 1
    masker = Masker(model, [TEXT], MaskingSpec("noise"), 0, 64)
    assert masker.mask(0).parameters["model"] == "mini"
    assert audit([TEXT], ["random"], model=model).strategies["random"].split == {"mask": 1.0}
    assert compare(mask(TEXT, "random"), model).model == explain(TEXT, model).model == "mini"
