"""A Space and a Community Cloud app: their files, the page about them, and what is installed."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from maskviz import launch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.share import PLACES, share  # noqa: E402

PAGE = (ROOT / "docs" / "sharing.md").read_text("utf-8")
SPACE, CLOUD = ROOT / "deploy" / "space", ROOT / "deploy" / "streamlit"
NAME = re.compile(r"[\w-]+")


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Return (instruction, its argument) of a Dockerfile, lines put together."""
    lines = dockerfile.read_text("utf-8").replace("\\\n", " ").splitlines()
    said = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return [(name, " ".join(argument.split())) for name, _, argument in said]


def of(dockerfile: Path, name: str) -> list[str]:
    """Return the arguments of every instruction of a name."""
    return [argument for found, argument in instructions(dockerfile) if found == name]


def front_matter() -> dict[str, object]:
    """Return the YAML at the head of the Space's README."""
    _, head, _ = (SPACE / "README.md").read_text("utf-8").split("---\n", 2)
    return yaml.safe_load(head)


def command() -> list[str]:
    """Return what the Space's last line runs, without the shell around it."""
    (last,) = of(SPACE / "Dockerfile", "CMD")
    shell, flag, written = yaml.safe_load(last)
    assert (shell, flag) == ("sh", "-c")
    return shlex.split(written.removeprefix("exec "))


def option(words: list[str], name: str) -> str:
    """Return the word behind an option."""
    return words[words.index(name) + 1]


def test_the_space_is_made_as_the_image_for_a_team() -> None:
    ours, team = SPACE / "Dockerfile", ROOT / "Dockerfile"
    assert of(ours, "FROM") == of(team, "FROM")
    assert of(ours, "COPY") == of(team, "COPY")
    (index,) = of(team, "ARG")
    install = next(said for said in of(team, "RUN") if "pip install" in said)
    install = install.replace('"$TORCH_INDEX"', index.partition("=")[2])
    assert of(ours, "RUN")[0] == install.replace(' "streamlit[auth]"', "")


def test_the_hub_finds_the_port_and_the_user_it_asks_for() -> None:
    head, port = front_matter(), option(command(), "--port")
    assert head["sdk"] == "docker"
    assert str(head["app_port"]) == port
    assert of(SPACE / "Dockerfile", "EXPOSE") == [port]
    license_ = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["license"]
    assert head["license"] == license_.lower()
    assert len(str(head["short_description"])) <= 60
    assert any("--uid 1000 user" in said for said in of(SPACE / "Dockerfile", "RUN"))
    names = [name for name, _ in instructions(SPACE / "Dockerfile")]
    assert names.index("USER") < names.index("CMD")


def test_only_the_image_listens_on_every_interface() -> None:
    assert option(command(), "--address") == "0.0.0.0"
    assert option(command(), "--host") == "${SPACE_HOST:-localhost}"
    assert launch.ADDRESS == "127.0.0.1"


def test_the_page_runs_what_the_image_runs() -> None:
    settings = dict(said.split("=") for said in of(SPACE / "Dockerfile", "ENV")[0].split())
    written = next(line for line in PAGE.splitlines() if "--address 0.0.0.0" in line)
    words = [word for word in shlex.split(written) if not re.match(r"[A-Z_]+=", word)]
    assert words == [*command()[:-1], "localhost"]
    assert f"MASKVIZ_MODELS={settings['MASKVIZ_MODELS']}" in written
    assert f"app_port: {option(words, '--port')}" in PAGE
    for place in PLACES:
        assert f"python scripts/share.py {place} ../maskviz-{place}" in PAGE


def test_the_cloud_installs_what_is_tried() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["gguf"]]
    pins = dict(
        line.lower().split("==")
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if not line.startswith("#")
    )
    lines = (CLOUD / "requirements.txt").read_text("utf-8").splitlines()
    named = [line for line in lines if line[0] not in "-#"]
    own = {"torch": f"torch=={pins['torch']}+cpu"}
    own |= {"numpy": next(said for said in asked if said.startswith("numpy"))}
    wanted = {NAME.match(said)[0] for said in asked}  # type: ignore[index]
    assert sorted(named) == sorted(own.get(name, f"{name}=={pins[name]}") for name in wanted)


def test_the_clouds_configuration_is_the_repositorys_but_for_where_it_listens() -> None:
    own, ours = (
        tomllib.loads(file.read_text("utf-8"))
        for file in (ROOT / ".streamlit" / "config.toml", CLOUD / "config.toml")
    )
    for name in ("address", "port", "allowedHosts"):
        del own["server"][name]
    assert ours == own


@pytest.mark.parametrize("place", PLACES)
def test_a_folder_has_all_that_its_place_runs(place: str, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "gone.py").write_text("a page of an earlier version")
    there = share(place, tmp_path)
    assert {"app.py", "pages", "maskviz", "LICENSE", ".streamlit", ".git"} <= set(there)
    assert not (tmp_path / "pages" / "gone.py").exists()
    assert not list(tmp_path.rglob("__pycache__"))
    weights = Path("maskviz") / "assets" / "mini" / "model.safetensors"
    assert (tmp_path / weights).read_bytes() == (ROOT / weights).read_bytes()
    config = (tmp_path / ".streamlit" / "config.toml").read_text("utf-8")
    assert ("127.0.0.1" in config) == (place == "space")
    if place == "space":
        copied = " ".join(of(tmp_path / "Dockerfile", "COPY")).split()
        assert all((tmp_path / name).exists() for name in copied if name != "./")
        assert (tmp_path / "README.md").read_text("utf-8").startswith("---\n")
    else:
        assert "requirements.txt" in there


def test_a_folder_inside_the_checkout_is_refused() -> None:
    for folder in (ROOT, ROOT / "maskviz" / "space"):
        with pytest.raises(SystemExit, match="name a folder beside it"):
            share("space", folder)
