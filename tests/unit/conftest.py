"""Tiny random models, built once for all unit tests."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tests.tiny_decoders import DECODERS
from tests.tiny_models import FAMILIES, build, build_any


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory):
    """Return a function (family, head) → folder of a tiny model, each built once."""
    built: dict[tuple[str, str], Path] = {}

    def folder(family: str, head: str = "SequenceClassification") -> str:
        if (family, head) not in built:
            path = tmp_path_factory.mktemp(f"{family}-{head}")
            # BERT's initial weights are so small that hiding a word changes nothing to be seen.
            more = {} if family in ("gpt2", "t5", "modernbert") else {"initializer_range": 0.5}
            built[family, head] = build(family, path, head, **more)
        return str(built[family, head])

    return folder


@pytest.fixture(scope="session")
def decoder(tmp_path_factory: pytest.TempPathFactory):
    """Return a function family → a tiny decoder, loaded, each built once."""
    from maskviz.models import load_model

    built: dict[str, str] = {}

    def load(family: str):
        if family not in built:
            path = tmp_path_factory.mktemp(family)
            built[family] = str(build_any(family, path, "CausalLM", "bytes", **DECODERS[family]))
        return load_model(built[family])

    return load


@pytest.fixture(scope="session", params=FAMILIES)
def classifier(request: pytest.FixtureRequest, tiny) -> str:
    """One tiny classifier of each architecture family."""
    return tiny(request.param)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Return a function that runs a command and gives (exit status, stdout, stderr)."""

    from maskviz import cli

    def call(*arguments: str, stdin: str | bytes = "") -> tuple[int, str, str]:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "argv", ["maskviz", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return call
