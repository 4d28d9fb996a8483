"""Make a folder that is maskviz as a Hugging Face Space or a Streamlit Community Cloud app.

    python scripts/share.py space ../maskviz-space
    python scripts/share.py streamlit ../maskviz-streamlit

docs/sharing.md says what to do with it. The folder holds what `deploy/` has for that place and the
files that the dashboard runs from; what lies in it under other names, such as `.git`, stays.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACES = ("space", "streamlit")
RUN = ("app.py", "pages", ".streamlit/config.toml", "maskviz", "LICENSE")
BUILT = ("pyproject.toml", "constraints.txt", "hatch_build.py")  # what the image installs from
OWN = {"config.toml": ".streamlit/config.toml"}  # name in deploy/ → where the place looks for it
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "_app", "secrets.toml")


def share(place: str, folder: Path) -> list[str]:
    """Write the folder for a place; return the names of what is in it.

    Raises SystemExit where it would be inside this checkout.
    """
    folder = folder.resolve()
    if folder == ROOT or ROOT in folder.parents:
        raise SystemExit(f"{folder} lies in this checkout: name a folder beside it.")
    files = [*RUN, *(BUILT if place == "space" else ())]
    for name in files:
        _copy(ROOT / name, folder / name)
    for file in sorted((ROOT / "deploy" / place).iterdir()):
        _copy(file, folder / OWN.get(file.name, file.name))
    return sorted({path.name for path in folder.iterdir()})


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, ignore=LEFT_OUT)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def main() -> None:
    """Write the folder and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("place", choices=PLACES)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    print(f"{options.folder}: {', '.join(share(options.place, options.folder))}")


if __name__ == "__main__":
    main()
