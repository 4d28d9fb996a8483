"""Whatever the text or the link holds, every page shows a result or one sentence."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

PAGES = ("mask", "attention", "compare", "guide")
TEXTS = {
    "one word": "Great",
    "emoji": "🙂🙂 👩‍👩‍👧 a great film 🎬",
    "right to left": "זה סרט נהדר, באמת. هذا فيلم رائع",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)> a dull film",
    "markdown": "# Title\n\n**bold** [x](javascript:alert(1)) $x$ `code` :red[red]",
    "controls": "a\u202egreat\u0000 film\x07\t\n\r\n done\ufeff",
    "no spaces": "a" * 3000,
    "punctuation": "?!…",
    "unspaced script": "我们喜欢这部电影。它很好看。",
}
LINKS = (
    {"strategy": "no-such"},
    {"ratio": "1.5"},
    {"ratio": "0"},
    {"ratio": "1"},
    {"operator": "delete", "ratio": "1"},
    {"model": "no/such"},
    {"strategy": "pattern"},
    {"second": "[" * 9000, "parameters": "[" * 9000, "seed": "9" * 5000, "hidden": "9" * 5000},
)


def run(page: str, **link: str) -> AppTest:
    app = AppTest.from_file("../../app.py", default_timeout=180)
    for name, value in {"strategy": "random", **link}.items():
        app.query_params[name] = value
    return app.switch_page(f"pages/{page}.py").run()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_text_has_a_page(page: str, text: str) -> None:
    app = run(page, text=text)
    assert not app.exception, (app.exception[0].message, app.exception[0].stack_trace)
    assert len(app.error) <= 2
    assert app.markdown or app.error


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("link", LINKS, ids=lambda link: str(link)[:60])
def test_every_link_has_a_page(page: str, link: dict[str, str]) -> None:
    app = run(page, text="A dull and slow film, Anna said.", **link)
    assert not app.exception, (app.exception[0].message, app.exception[0].stack_trace)
    assert not any("Traceback" in e.value for e in app.error)


def test_an_address_in_a_text_is_no_link() -> None:
    from maskviz.ui.shared.page import escape

    for address in ("http://a.example/b", "HTTPS://a.example", "www.a.example", "a@b.example"):
        shown = escape(f"![x]({address})").replace("\\", "")
        assert address not in shown
        assert shown.replace("\u2060", "") == f"![x]({address})"
