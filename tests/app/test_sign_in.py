"""Sign-in: only where the secrets ask for it, and only for whom the server's list lets in."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from maskviz.ui.shared.sign_in import may_enter

APP = str(Path(__file__).parents[2] / "app.py")
AUTH = {"auth": {"client_id": "x", "client_secret": "y", "cookie_secret": "z"}}


class User(dict):
    """A visitor as Streamlit shows one."""

    is_logged_in = True


class Stranger(User):
    """Somebody who has not signed in."""

    is_logged_in = False


def _visit(monkeypatch, user, listed="") -> AppTest:
    monkeypatch.setattr("streamlit.user", user)
    monkeypatch.setenv("MASKVIZ_USERS", listed)
    at = AppTest.from_file(APP, default_timeout=300)
    at.secrets = AUTH
    at.switch_page("pages/experiments.py").run()
    assert not at.exception
    return at


def _said(at: AppTest) -> str:
    said = " ".join(m.value for m in [*at.markdown, *at.caption])
    return said.replace("\\", "").replace("\N{WORD JOINER}", "")


def test_a_stranger_sees_the_button_and_nothing_else(monkeypatch):
    at = _visit(monkeypatch, Stranger())
    assert [b.label for b in at.button] == ["Sign in"]
    assert _said(at) == "### Sign in to use maskviz"
    assert not at.tabs


def test_a_stranger_among_first_visitors_sees_no_page(monkeypatch):
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.runtime.scriptrunner import script_runner

    begun = script_runner._mpa_v1

    def while_app_runs_for_another(main_script_path: str) -> None:
        PagesManager.uses_pages_directory = False
        begun(main_script_path)

    monkeypatch.setattr(script_runner, "_mpa_v1", while_app_runs_for_another)
    at = _visit(monkeypatch, Stranger())
    assert [b.label for b in at.button] == ["Sign in"]
    assert _said(at) == "### Sign in to use maskviz"


def test_who_has_signed_in_sees_the_page_and_may_leave(monkeypatch):
    at = _visit(monkeypatch, User(email="anna@lab.example.org"), "@lab.example.org")
    assert "Signed in as anna@lab.example.org" in _said(at)
    assert "Sign out" in [b.label for b in at.button]
    assert at.tabs


def test_who_is_not_on_the_list_sees_no_page(monkeypatch):
    at = _visit(monkeypatch, User(email="<b>eve</b>@elsewhere.org"), "@lab.example.org")
    assert "This address may not use maskviz here" in _said(at)
    assert not at.tabs
    assert not any(m.allow_html for m in at.markdown)


@pytest.mark.parametrize("verified", [False, "false"])
def test_an_address_that_nobody_has_verified_is_on_no_list(monkeypatch, verified):
    eve = User(email="anna@lab.example.org", email_verified=verified)
    assert "This address may not use maskviz here" in _said(
        _visit(monkeypatch, eve, "@lab.example.org")
    )


@pytest.mark.parametrize(
    ("address", "listed", "enters"),
    [
        ("anna@a.org", "", True),
        ("Anna@A.org", " anna@a.org ", True),
        ("anna@a.org", "@a.org,bob@b.org", True),
        ("anna@not-a.org", "@a.org", False),
        ("anna@a.org@evil.org", "@a.org", False),
        ("", "@a.org", False),
        ("@a.org", "@a.org", False),
    ],
)
def test_addresses_and_domains(address, listed, enters):
    assert may_enter(address, listed) is enters
