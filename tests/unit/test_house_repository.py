"""What the repository may hold, and what its settings promise."""

from __future__ import annotations

import re
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 25 * 1024**2  # bytes
# A path into somebody's own machine; programs under /usr and devices are the same everywhere.
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:home|root|Users|opt|work|mnt|srv)/[A-Za-z]|file:///")


def tracked() -> list[Path]:
    """Return the repository's files; without git, what a source archive would hold."""
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if answer.returncode == 0:
        names = filter(None, answer.stdout.split("\0"))
        return [ROOT / name for name in names if (ROOT / name).is_file()]
    folders = ("maskviz", "pages", "tests", "docs", "scripts", "recipes")
    return [f for folder in folders for f in (ROOT / folder).rglob("*") if f.is_file()]


def settings(path: str) -> dict:
    """Read one of the repository's TOML files."""
    return tomllib.loads((ROOT / path).read_text(encoding="utf-8"))


def test_no_file_is_too_large() -> None:
    assert [f.name for f in tracked() if f.stat().st_size > LARGEST] == []


def test_no_pickled_weights() -> None:
    unsafe = {".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib"}
    # spaCy's tables are msgpack under these names, and numpy's are arrays.
    assert [f for f in tracked() if f.suffix in unsafe and "en_mini" not in f.parts] == []


def test_no_path_of_one_machine() -> None:
    guilty = []
    for file in tracked():
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        if file != Path(__file__):
            guilty += [f"{file.name}: {line[:80]}" for line in lines if MACHINE_PATH.search(line)]
    assert guilty == []


def test_every_module_stays_readable() -> None:
    sources = [f for f in tracked() if f.suffix == ".py"]
    long = {f.name: n for f in sources if (n := len(f.read_text("utf-8").splitlines())) > 400}
    assert long == {}


def test_constraints_are_exact_and_public() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin)] == []
    assert "torch==2.13.0" in pins


def test_every_dependency_is_pinned_within_its_range() -> None:
    from packaging.requirements import Requirement

    project = settings("pyproject.toml")["project"]
    pins = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line
    )
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for requirement in map(Requirement, chain.from_iterable(groups)):
        assert requirement.specifier.contains(pins[requirement.name]), requirement


def test_configuration_is_safe() -> None:
    config = settings(".streamlit/config.toml")
    assert config["server"]["address"] == "127.0.0.1"
    assert set(config["server"]["allowedHosts"]) == {"localhost", "127.0.0.1"}
    assert config["server"]["fileWatcherType"] == "none"
    assert config["server"]["maxUploadSize"] <= 50
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] in {"none", "type"}


def test_no_click_waits_for_all_garbage() -> None:
    # A full collection holds every session for a third of a second once torch is loaded.
    assert settings(".streamlit/config.toml")["runner"]["postScriptGC"] is False


def test_themes_are_readable() -> None:
    theme = settings(".streamlit/config.toml")["theme"]
    for name in ("light", "dark"):
        colours = theme[name]
        grounds = [colours["backgroundColor"], colours["secondaryBackgroundColor"]]
        for ground in grounds:
            assert contrast(colours["textColor"], ground) >= 7
            assert contrast(colours["linkColor"], ground) >= 4.5
        assert contrast(colours["primaryColor"], "#FFFFFF") >= 4.5
        ground = colours["backgroundColor"]
        code = (faded(colours[key], ground) for key in ("codeTextColor", "codeBackgroundColor"))
        assert contrast(*code) >= 4.6  # in a caption


def faded(colour: str, ground: str) -> str:
    """Return a colour as a caption shows it: Streamlit lets it shine through by 0.4."""
    pairs = zip(*(bytes.fromhex(one[1:]) for one in (colour, ground)), strict=True)
    return f"#{bytes(round(0.6 * own + 0.4 * below) for own, below in pairs).hex()}"


def contrast(one: str, other: str) -> float:
    """Return WCAG 2's contrast ratio of two colours, 1 to 21."""
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_ramps_start_at_the_pages_background() -> None:
    from maskviz.figures.ramps import diverging, sequential

    theme = settings(".streamlit/config.toml")["theme"]
    for name in ("light", "dark"):
        ground = bytes.fromhex(theme[name]["backgroundColor"][1:])
        assert bytes(sequential(name)[0]) == ground
        assert bytes(diverging(name)[127]) == ground
