"""Attention as files: every format, with tokens that try to break it."""

import base64
import html
import json
import re
import struct
from dataclasses import replace

import numpy as np
import pytest

from maskviz.attention.capture import Attention
from maskviz.attention.view import view
from maskviz.errors import ParameterError
from maskviz.figures import page
from maskviz.figures.attention import FORMATS, render, save_attention
from maskviz.figures.page import attention_page
from maskviz.inside.target import Target
from maskviz.masks.encoding import Encoding
from tests.tiny_fonts import write_font

NASTY = (
    "[CLS]",
    "</script>",
    "<img src=x onerror=alert(1)>",
    "$x^2$",
    "שלום",
    "🙂",
    "a" * 90,
    "\n",
)


def attention(tokens=NASTY, layers=2, heads=3):
    n = len(tokens)
    encoding = Encoding(
        text=" ".join(tokens),
        operator="mask",
        input_ids=(1,) * n,
        attention_mask=(1,) * n,
        tokens=tuple(tokens),
        offsets=(None, *((i, i + 1) for i in range(n - 1))),
        source=tuple(range(n)),
        hidden=tuple(i == 3 for i in range(n)),
        special=tuple(i == 0 for i in range(n)),
    )
    weights = np.random.default_rng(0).dirichlet(np.ones(n), size=(layers, heads, n))
    return Attention(weights.astype(np.float16), encoding, "tiny")


@pytest.fixture(autouse=True)
def a_font_with_emoji(tmp_path_factory, monkeypatch):
    """A machine that has a font for the emoji, which matplotlib's own lacks."""
    from maskviz.figures import fonts

    file = write_font(tmp_path_factory.mktemp("font") / "emoji.ttf", "Tiny Emoji", "🙂")
    monkeypatch.setattr(fonts, "font_files", lambda: [file])


def needs_matplotlib(suffix):
    if suffix in (".png", ".svg", ".pdf"):
        pytest.importorskip("matplotlib")


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("head", [None, (1, 2)])
def test_every_format_is_written_whole(suffix, head, tmp_path):
    needs_matplotlib(suffix)
    path = save_attention(attention(), tmp_path / f"out{suffix}", head=head)
    content = path.read_bytes()
    starts = {".npz": b"PK", ".png": b"\x89PNG", ".pdf": b"%PDF", ".html": b"<!doctype html>"}
    assert content.startswith(starts.get(suffix, b""))
    assert len(content) > 500
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_npz_gives_weights_and_tokens_back_without_pickle(tmp_path):
    captured = attention()
    with np.load(save_attention(captured, tmp_path / "a.npz"), allow_pickle=False) as stored:
        assert (stored["weights"] == captured.weights).all()
        assert tuple(stored["tokens"]) == NASTY


def test_json_keeps_four_decimals(tmp_path):
    captured = attention()
    document = json.loads(save_attention(captured, tmp_path / "a.json").read_text("utf-8"))
    assert np.abs(np.array(document["weights"]) - captured.weights).max() < 6e-5
    assert tuple(document["tokens"]) == NASTY


def test_html_holds_no_markup_of_the_users_and_asks_no_other_host():
    title = "</title><script>alert(1)</script>"
    text = render(view(attention()), ".html", title=title).decode()
    assert "<img src=x" not in text
    assert "alert(1)" not in text.replace("&lt;script&gt;alert(1)&lt;/script&gt;", "")
    assert text.count("<script") == text.count("</script>") == 2
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", text)


def test_html_carries_the_tokens_and_weights_it_shows():
    captured = attention()
    text = render(view(captured), ".html", title="t").decode()
    message = base64.b64decode(re.search(r'data-opened="1">([^<]+)<', text)[1])
    (length,) = struct.unpack("<I", message[:4])
    header = json.loads(message[4 : 4 + length])
    assert tuple(header["tokens"]) == NASTY
    cells = np.frombuffer(message[4 + length + 1536 :], "<u2").reshape(captured.weights.shape)
    assert np.abs(cells / 65535 * header["peak"] - captured.weights).max() < 1e-4


@pytest.mark.parametrize("head", [(0, 1), (1, 2)])
def test_html_opens_at_the_head_that_was_chosen(head):
    text = render(view(attention()), ".html", title="t", head=head).decode()
    message = base64.b64decode(re.search(r'data-opened="1">([^<]+)<', text)[1])
    (length,) = struct.unpack("<I", message[:4])
    assert json.loads(message[4 : 4 + length])["selected"] == list(head)


def test_a_page_too_large_to_open_is_refused_with_the_next_step():
    with pytest.raises(ParameterError, match=r"MB: write \.npz, or shorten"):
        render(view(attention(tuple(f"t{i}" for i in range(700)), 8, 8)), ".html", title="t")


def headers(page):
    """Return the header of each view of a page, and whether the page opens at it."""
    found = []
    for opened, text in re.findall(r'data-opened="(\d)">([^<]+)<', page):
        message = base64.b64decode(text)
        (length,) = struct.unpack("<I", message[:4])
        found.append((json.loads(message[4 : 4 + length]), opened == "1"))
    return found


def test_a_page_holds_plain_masked_and_difference_and_opens_at_the_masked(tmp_path):
    path = save_attention(attention(), tmp_path / "a.html", plain=attention())
    found = headers(path.read_text("utf-8"))
    assert [h["name"] for h, _ in found] == ["plain", "masked", "difference"]
    assert [opened for _, opened in found] == [False, True, False]
    assert [h["signed"] for h, _ in found] == [False, False, True]
    assert found[2][0]["sentence"] == "Masking moves no attention: plain and masked are the same."
    one = save_attention(attention(), tmp_path / "b.npz", plain=attention())
    assert one.read_bytes() == save_attention(attention(), tmp_path / "c.npz").read_bytes()


@pytest.mark.parametrize(
    ("room", "kept"),
    [(3, ["plain", "masked", "difference"]), (2, ["plain", "difference"]), (1, ["difference"])],
)
def test_views_that_are_too_large_together_are_left_out_and_named(room, kept, monkeypatch):
    shown = {name: view(attention()) for name in ("plain", "masked", "difference")}
    monkeypatch.setattr(page, "LARGEST", 2 * room * shown["plain"].weights.size)
    text = attention_page(shown, "t", first="difference")
    assert [h["name"] for h, _ in headers(text)] == kept
    for name in shown:
        assert (f"“{name}”" in text) is (name not in kept)
    assert ("Left out, since the page would be too large" in text) is (len(kept) < 3)


@pytest.mark.parametrize("name", ["a.gif", "a", "a.npz.exe"])
def test_an_unknown_ending_names_the_known_ones(name, tmp_path):
    with pytest.raises(ParameterError, match=r"\.npz, \.json, \.html, \.png, \.svg, \.pdf"):
        save_attention(attention(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_head_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ParameterError, match=r"no layer 3, head 1 \(2 and 0 counted from 0\)"):
        save_attention(attention(), tmp_path / "a.png", head=(2, 0))


@pytest.mark.parametrize("head", [None, (1, 2)])
def test_pictures_are_as_wide_as_asked_and_carry_their_fonts(head):
    pytest.importorskip("matplotlib")
    pdf, svg, png = (
        render(view(attention()), suffix, title="t", head=head, inches=3.5)
        for suffix in (".pdf", ".svg", ".png")
    )
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ", pdf)
    assert float(box[1]) == pytest.approx(3.5 * 72)
    assert b"/FontFile2" in pdf  # TrueType, embedded
    assert b"/Type3" not in pdf
    assert re.search(rb'<svg [^>]*width="252pt"', svg)
    assert b"<text" not in svg  # letters are outlines: no font is asked for
    assert struct.unpack(">I", png[16:20])[0] == 1050  # 300 dots per inch


def test_a_width_that_fits_no_paper_is_refused():
    with pytest.raises(ParameterError, match="400 inches and must lie between 1 and 40"):
        render(view(attention()), ".pdf", title="t", inches=400)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("head", [None, (0, 1)])
def test_cross_attention_and_pairs_are_written_too(suffix, head):
    needs_matplotlib(suffix)
    captured = attention()
    target = Target((0, 5, 6), ("<s>", "</script>", "b"), (True, False, False), (0, 1, 2))
    cross = replace(captured, weights=captured.weights[:, :, :3], part="cross", target=target)
    pair = replace(captured, segments=(0, 0, 0, 0, 1, 1, 1, 1))
    for one in (cross, pair):
        assert len(render(view(one), suffix, title="t", head=head)) > 500
    if suffix == ".json":
        document = json.loads(render(view(cross), suffix, title="t"))
        assert document["tokens"] == ["<s>", "</script>", "b"]
        assert tuple(document["keys"]) == NASTY


def test_a_notebook_shows_the_page_in_a_frame_without_a_way_out():
    shown = attention()._repr_html_()
    assert shown.startswith('<iframe sandbox="allow-scripts"')
    inside = shown.split('srcdoc="')[1]
    assert inside.count('"') == 1  # the page ends with its attribute
    assert "<script" not in inside
    page = html.unescape(inside[: inside.index('"')])
    assert page == attention_page(view(attention()), "Attention of tiny")
    large = attention(tuple(f"t{i}" for i in range(700)), 8, 8)._repr_html_()
    assert large.startswith("<p>The page would hold")


def test_large_maps_shrink_to_the_strongest_cell_of_each_block():
    pytest.importorskip("matplotlib")
    from maskviz.figures.attention import _pooled

    weights = np.zeros((300, 300))
    weights[299, 5] = -0.9
    small = _pooled(weights)
    assert small.shape == (75, 75)
    assert small.min() == pytest.approx(-0.9)
    assert np.count_nonzero(small) == 1
