"""Read the HTML, CSS and JavaScript that pages and exported files share."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "static"


def read_static(name: str) -> str:
    """Return the text of one file in `static/`.

    >>> read_static("common.css")[:2]
    '/*'
    """
    return (_FOLDER / name).read_text(encoding="utf-8")
