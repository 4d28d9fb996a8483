"""Read the HTML, CSS and JavaScript that pages and exported files share."""

import base64
import hashlib
from pathlib import Path

_FOLDER = Path(__file__).parent / "static"


def read_static(name: str) -> str:
    """Return the text of one file in `static/`.

    >>> read_static("common.css")[:2]
    '/*'
    """
    return (_FOLDER / name).read_text(encoding="utf-8")


def policy(script: str = "") -> str:
    """Return the Content-Security-Policy of a file with this one script: no other ever runs.

    >>> policy()
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    """
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    runs = f"; script-src 'sha256-{own}'" if script else ""
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'{runs}"
    )
