"""Models and data sets of the Hub over HTTP, against a stand-in: what works, and what is said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hub_stand_in import hub

ROOT = Path(__file__).resolve().parents[2]
TEXT = "A great and funny film."
FILE = ["compare", "--text-column", "text", "--label-column", "label", "--model", "me/good"]
CALLS = {
    "model": ["compare", TEXT, "--model", "me/good"],
    "info": ["models", "info", "me/good"],
    "data": [*FILE, "--file", "hub:me/films:test"],
    "split": [*FILE, "--file", "hub:me/films:later"],
    "unknown model": ["explain", TEXT, "--model", "me/none"],
    "unknown data": [*FILE, "--file", "hub:me/none:test"],
    "gated model": ["explain", TEXT, "--model", "me/gated"],
    "gated data": [*FILE, "--file", "hub:me/closed:test"],
    "no safetensors": ["explain", TEXT, "--model", "me/pickled"],
    "own code": ["explain", TEXT, "--model", "me/code"],
}
# One process for all commands: importing the libraries takes longer than what they do.
CHILD = """
import contextlib, io, json, sys
from maskviz import cli
answers = {}
for name, arguments in json.load(sys.stdin).items():
    sys.argv, out, err = ["maskviz", *arguments, "--json"], io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as end:
            answers[name] = [int(end.code or 0), out.getvalue(), err.getvalue()]
print(json.dumps(answers))
"""


def ask(calls: dict[str, list[str]], address: str, home: Path) -> dict[str, list]:
    """Run commands where the Hub is at `address`; return status, output and errors of each."""
    environment = {
        **os.environ, "HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0",
        "PYTHONPATH": str(ROOT), "MASKVIZ_HOME": str(home / "maskviz"),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=json.dumps(calls), env=environment, text=True,
        capture_output=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def repositories(tmp_path_factory, tiny) -> dict[str, dict[str, Path]]:
    """Return the folders that the stand-in serves."""
    import pandas as pd

    root = tmp_path_factory.mktemp("hub")
    good = Path(tiny("bert"))
    for name in ("pickled", "code"):
        shutil.copytree(good, root / name)
    (root / "pickled" / "model.safetensors").rename(root / "pickled" / "pytorch_model.bin")
    config = json.loads((good / "config.json").read_text())
    own = {"model_type": "strange", "auto_map": {"AutoConfig": "code.Strange"}}
    (root / "code" / "config.json").write_text(json.dumps({**config, **own}))
    (root / "code" / "code.py").write_text("raise SystemExit('run')\n")
    split = root / "films" / "default" / "test"
    split.mkdir(parents=True)
    rows = [{"text": f"film {i} was great", "label": i % 2} for i in range(6)]
    pd.DataFrame(rows).to_parquet(split / "0000.parquet")
    models = {"me/good": good, "me/gated": good}
    models |= {"me/pickled": root / "pickled", "me/code": root / "code"}
    data = {"me/films": root / "films", "me/closed": root / "films"}
    return {"models": models, "datasets": data}


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """Return the folder in which what is fetched stays."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def answers(repositories, home) -> dict[str, list]:
    """Return what each command says while the stand-in is up."""
    with hub(**repositories, gated={"me/gated", "me/closed"}) as address:
        return ask(CALLS, address, home)


def test_a_model_and_a_data_set_are_fetched_by_name(answers) -> None:
    for name in ("model", "info", "data"):
        assert answers[name][0] == 0, answers[name]
    assert json.loads(answers["model"][1])["model"] == "me/good"
    assert json.loads(answers["data"][1])["rows"] == 6


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("split", "has no split 'later': choose one of default:test"),
        ("unknown model", "There is no model 'me/none' on the Hub"),
        ("unknown data", "There is no data set 'me/none' on the Hub"),
        ("gated model", "'me/gated' on the Hub is gated: accept its terms"),
        ("gated data", "'me/closed' on the Hub is gated: accept its terms"),
        ("no safetensors", "has no *.safetensors weights"),
        ("own code", "needs code of its own, which maskviz never runs"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_the_next_step(answers, call, says) -> None:
    status, out, err = answers[call]
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_without_a_network_what_was_fetched_works_and_the_rest_is_said(answers, home) -> None:
    names = ("model", "data", "no safetensors", "unknown data")
    found = ask({name: CALLS[name] for name in names}, "http://127.0.0.1:9", home)
    for name in ("model", "data"):
        assert found[name] == answers[name]
    for name in ("no safetensors", "unknown data"):
        assert found[name][0] == 2
        assert "cannot be reached" in found[name][2]
        assert found[name][2].count("\n") == 1
