"""Read the HTML, CSS and JavaScript that lie beside the components."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "static"


def read_asset(name: str) -> str:
    """Return the text of one file in `static/`.

    >>> read_asset("token_strip.html")[:4]
    '<div'
    """
    return (_FOLDER / name).read_text(encoding="utf-8")
