"""Data sets of the Hub: the right Parquet file is asked for, and what is wrong is one sentence."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest

from maskviz.data.hub import resolve
from maskviz.errors import DataError

FILES = [
    ".gitattributes", "plain_text/test/0000.parquet", "plain_text/train/0000.parquet",
    "plain_text/train/0001.parquet", "other/test/0000.parquet",
]  # fmt: skip


@pytest.fixture
def hub(monkeypatch) -> list[tuple]:
    """Stand in for the Hub; return what was downloaded."""
    asked: list[tuple] = []

    class Api:
        def dataset_info(self, name: str, revision: str, timeout: float) -> SimpleNamespace:
            assert revision == "refs/convert/parquet"
            if name == "nobody/nothing":
                raise OSError("offline")
            return SimpleNamespace(siblings=[SimpleNamespace(rfilename=file) for file in FILES])

    def download(name: str, file: str, **where: str) -> str:
        asked.append((name, file, where["repo_type"], where["revision"]))
        return f"/cache/{file}"

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    return asked


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ("hub:a/b:train", "plain_text/train/0000.parquet"),
        ("hub:a/b:plain_text:test", "plain_text/test/0000.parquet"),
        ("hub:a/b:other", "other/test/0000.parquet"),
        ("hub:a/b", "other/test/0000.parquet"),
    ],
)
def test_a_split_is_one_parquet_file(hub, source, file) -> None:
    assert resolve(source) == Path("/cache") / file
    assert hub == [("a/b", file, "dataset", "refs/convert/parquet")]


def test_a_file_stays_a_file(hub) -> None:
    assert resolve("films.csv") == "films.csv"
    assert hub == []


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("hub:a/b:validation", "no split 'validation'"),
        ("hub:nobody/nothing", "cannot be reached"),
        ("hub:", "write such as"),
        ("hub:a/b:c:d:e", "write such as"),
    ],
)
def test_what_is_wrong_is_one_sentence(hub, source, says) -> None:
    with pytest.raises(DataError, match=says):
        resolve(source)
