"""Sign-in by OpenID Connect, where a server's secrets ask for it: Streamlit's own login.

Who may come in is said by MASKVIZ_USERS: addresses and domains with commas, such as
`anna@example.org,@lab.example.org`. Without it everyone whom the provider knows may. An address
that the provider calls unverified is on no list: anybody may have written it down.
"""

from __future__ import annotations

import os

import streamlit as st

from maskviz.ui.shared.page import escape


def sign_in() -> None:
    """Show the page only to who has signed in and may see it; do nothing where none is asked to."""
    if not asked_for():
        return
    if not st.user.is_logged_in:
        st.markdown("### Sign in to use maskviz")
        st.button("Sign in", on_click=st.login, type="primary", key="sign_in")
        st.stop()
    address = str(st.user.get("email") or "")
    proven = str(st.user.get("email_verified", True)).lower() != "false"
    with st.sidebar:
        st.caption(f"Signed in as {escape(address) or 'a user without an address'}")
        st.button("Sign out", on_click=st.logout, key="sign_out")
    if not may_enter(address if proven else "", os.environ.get("MASKVIZ_USERS", "")):
        st.markdown("### This address may not use maskviz here")
        st.markdown("Ask whoever runs this server to add it, or sign out and take another.")
        st.stop()


def asked_for() -> bool:
    """Tell whether the secrets have a section [auth]."""
    return bool(st.secrets.load_if_toml_exists() and "auth" in st.secrets)


def may_enter(address: str, listed: str) -> bool:
    """Tell whether an address is on the list, by itself or by its domain; no list lets all in.

    >>> may_enter("anna@lab.example.org", "bob@example.org, @lab.example.org")
    True
    """
    users = [user.strip().lower() for user in listed.split(",") if user.strip()]
    name, at, domain = address.strip().lower().rpartition("@")
    return not users or (bool(name) and bool({f"{name}{at}{domain}", f"@{domain}"} & set(users)))
