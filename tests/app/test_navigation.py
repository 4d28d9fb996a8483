"""The navigation: every file in pages/ is a page, called by what its docstring opens with."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import streamlit as st
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]
TITLES = {
    "mask": "Mask", "attention": "Attention", "compare": "Compare",
    "chat": "Chat", "finetune": "Fine-tune",
    "experiments": "Experiments", "tasks": "Tasks", "images": "Images", "guide": "Guide",
}  # fmt: skip


def test_a_new_file_is_a_page_behind_the_others(tmp_path: Path, monkeypatch) -> None:
    shutil.copy(ROOT / "app.py", tmp_path)
    (tmp_path / "pages").mkdir()
    for name in TITLES:
        shutil.copy(ROOT / "pages" / f"{name}.py", tmp_path / "pages")
    toy = '"""Counts: how many words there are."""\n\nimport streamlit as st\n'
    (tmp_path / "pages" / "counts.py").write_text(toy, encoding="utf-8")
    shown: list[list[str]] = []
    navigation = st.navigation

    def watched(pages, **more):
        shown.append([page.title for page in pages])
        return navigation(pages, **more)

    monkeypatch.setattr(st, "navigation", watched)
    app = AppTest.from_file(str(tmp_path / "app.py"), default_timeout=240).run()
    assert not app.exception
    assert shown[-1] == ["Mask", *TITLES.values(), "Counts"]


def test_a_process_that_is_spawned_from_the_app_reads_its_main_module() -> None:
    """`multiprocessing` runs it anew in each process, where no page is served."""
    assert "page" in runpy.run_path(str(ROOT / "app.py"), run_name="__mp_main__")
