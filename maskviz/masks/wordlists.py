"""Word lists: the bundled ones in `lexicons/`, each replaced by a user's file of the same name."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ..errors import DataError
from ..paths import home


def list_path(name: str, language: str = "en") -> Path:
    """Return the user's own file `MASKVIZ_HOME/lexicons/name` where there is one, else ours.

    Those of other languages than English stand in folders of their own: `lexicons/de/name`.
    """
    own, bundled = _places(home(), name, language)
    return own if own.is_file() else bundled


@lru_cache(maxsize=512)
def _places(folder: Path, name: str, language: str) -> tuple[Path, Path]:
    beside = Path("lexicons", name) if language == "en" else Path("lexicons", language, name)
    return folder / beside, Path(__file__).parent / beside


def list_lines(path: Path) -> list[str]:
    """Return the lines that are neither empty nor comments. Raises DataError naming the file."""
    try:
        written = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise DataError(
            f"The word list {path.name!r} cannot be read: save it as UTF-8 text, "
            "or take it away to have the bundled list back."
        ) from None
    lines = (line.strip() for line in written.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def wrong_line(path: Path, line: str, wanted: str) -> DataError:
    """Return the error that names a line which cannot be used, and what stands there rightly."""
    return DataError(f"The word list {path.name!r} has the line {line[:60]!r}: write {wanted}.")


def own_lists() -> tuple[tuple[str, int], ...]:
    """Return name and time of change of each of the user's files: what a cached mask rests on."""
    folder = home() / "lexicons"
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return tuple((file.relative_to(folder).as_posix(), file.stat().st_mtime_ns) for file in files)
