"""Every script in a picture: an installed font that has it, else a sentence that names one."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("fontTools")

from maskviz.errors import MissingDependencyError
from maskviz.figures import attention as pictures
from maskviz.figures import fonts
from maskviz.figures.attention import save_attention
from tests.tiny_fonts import write_font
from tests.unit.test_attention_files import attention

SCRIPTS = {
    "Han": ("我们", "Noto Sans CJK", "fonts-noto-cjk"),
    "kana": ("これは", "Noto Sans CJK", "fonts-noto-cjk"),
    "Hangul": ("영화", "Noto Sans CJK", "fonts-noto-cjk"),
    "Devanagari": ("नमस्ते", "Noto Sans", "fonts-noto-core"),
    "Thai": ("หนัง", "Noto Sans", "fonts-noto-core"),
    "emoji": ("🥝🦖", "Symbola", "fonts-symbola"),
}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return what makes fonts the only ones that are installed."""

    def install(**characters: str) -> list[str]:
        # matplotlib keeps the fonts it has met: those of another test must not answer to a name
        own = f"{tmp_path.name.replace('_', '')} "
        files = [write_font(tmp_path / f"{n}.ttf", own + n, c) for n, c in characters.items()]
        monkeypatch.setattr(fonts, "font_files", lambda: files)
        return files

    return install


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_drawn_by_an_installed_font(tmp_path, installed, recwarn, script, suffix):
    text = SCRIPTS[script][0]
    installed(Wrong="ÅÄÖ", Right=text)
    path = save_attention(attention((text, "film", "Фильм")), tmp_path / f"a{suffix}", head=(0, 0))
    assert not [str(w.message) for w in recwarn if "Glyph" in str(w.message)]
    if suffix == ".pdf":
        assert re.search(rb"/FontName /\S*Right", path.read_bytes())


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_where_no_font_has_it_one_sentence_names_what_to_install(
    tmp_path, installed, script, suffix
):
    text, font, package = SCRIPTS[script]
    installed(Wrong="ÅÄÖ")
    with pytest.raises(MissingDependencyError) as missing:
        save_attention(attention((text, "film")), tmp_path / f"a{suffix}", head=(0, 0))
    said = str(missing.value)
    assert f"install {font} (on Debian: apt install {package})" in said
    assert "write .html" in said
    assert not (tmp_path / f"a{suffix}").exists()


def test_several_scripts_take_several_fonts_the_fewest_first(installed):
    installed(Han="我们", Both="我们नम", Hindi="नम")
    assert _last_words(fonts.families("我们 film नम")) == ["Sans", "Both"]
    installed(Han="我们", Hindi="नम")
    assert sorted(_last_words(fonts.families("我们 नम"))) == ["Han", "Hindi", "Sans"]
    installed(Wrong="Å")
    with pytest.raises(MissingDependencyError, match="install Noto Sans and Noto Sans CJK "):
        fonts.families("我 न")


def _last_words(families: tuple[str, ...]) -> list[str]:
    return [name.split()[-1] for name in families]


@pytest.mark.parametrize(
    "text",
    ["A film", "Фильм", "שלום", "مرحبا", "naïve – “café” …", "␣\t", "e\u0301", "a\u200db\ufe0f"],
)
def test_the_usual_font_is_enough_where_it_has_all(installed, text):
    installed(Wrong="我")
    assert fonts.families(text) == ("DejaVu Sans",)


def test_a_file_that_is_no_font_is_passed_over(tmp_path, monkeypatch, installed):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    files = [str(broken), *installed(Right="我")]
    monkeypatch.setattr(fonts, "font_files", lambda: files)
    assert _last_words(fonts.families("我")) == ["Sans", "Right"]


def test_a_mosaic_draws_no_tokens_and_needs_no_font_for_them(tmp_path, installed):
    installed(Wrong="Å")
    assert save_attention(attention(("我们", "film")), tmp_path / "a.png").is_file()


def test_a_character_that_no_font_can_have_is_marked(tmp_path):
    assert pictures._label("a\ue000b\U000e0fff") == "a\ufffdb\ufffd"
    assert save_attention(attention(("\ue000", "x")), tmp_path / "a.png", head=(0, 0)).is_file()
