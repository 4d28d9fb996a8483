"""`maskviz app` and `maskviz doctor`, without a browser."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from maskviz import doctor, launch
from maskviz.errors import MissingDependencyError, ParameterError
from maskviz.models.locate import BUNDLED_IMAGES, bundled

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port: int, path: str, **headers: str) -> int:
    """Return the HTTP status of a path on this machine, 0 where nothing answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def handshake(port: int, host: str) -> int:
    """Ask for the page's WebSocket under a host name: 101 is yes, 403 no."""
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    return get(
        port,
        "/_stcore/stream",
        Host=host,
        Origin=f"http://{host}",
        **upgrade,
        **{"Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode()},
    )


def test_app_script_is_the_checkouts() -> None:
    assert launch.app_script() == ROOT / "app.py"


def test_app_script_missing_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(launch, "__file__", str(tmp_path / "maskviz" / "launch.py"))
    with pytest.raises(MissingDependencyError, match="install it again"):
        launch.app_script()


def test_busy_port_names_the_port_and_another() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ParameterError, match=rf"Port {port} .*--port \d+"):
            launch.check_port("127.0.0.1", port)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_impossible_port(port: int) -> None:
    with pytest.raises(ParameterError, match="1 to 65535"):
        launch.check_port("127.0.0.1", port)


def test_unknown_address_says_what_to_do() -> None:
    with pytest.raises(ParameterError, match="Address"):
        launch.check_port("no such address", 8600)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("app", {"port": 8501, "browser": True}),
        ("app --port 8600", {"port": 8600, "browser": True}),
        ("app --no-browser --port=8600", {"port": 8600, "browser": False}),
        ("app --port 8600 --no-browser", {"port": 8600, "browser": False}),
        ("app --port", None),
        ("app --port x", None),
        ("app --help", None),
        ("app more", None),
        ("doctor", None),
        ("", None),
    ],
)
def test_the_plain_command_app_is_read_as_by_the_full_parser(
    given: str, read: dict | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from maskviz import commands, warm

    assert launch.asked(given.split()) == read
    served: list[dict] = []
    monkeypatch.setattr(launch, "serve", lambda port, **more: served.append({"port": port, **more}))
    if read is not None:
        commands.app(given.split(), standalone_mode=False)
        assert served == [read | {"address": launch.ADDRESS, "hosts": (), "beside": warm.begin}]


def test_nothing_heavy_is_imported_before_the_first_paint() -> None:
    code = (
        "import sys, maskviz.cli, maskviz.ui.shared.page\n"
        "heavy = ('typer', 'numpy', 'pandas', 'torch', 'transformers', 'spacy')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_hosts_are_added_to_the_local_ones() -> None:
    arguments = launch.streamlit_arguments(browser=False, hosts=["lab.example.org"])
    allowed = [a.split("=")[1] for a in arguments if a.startswith("--server.allowedHosts")]
    assert allowed == ["localhost", "127.0.0.1", "lab.example.org"]
    assert "--server.headless=true" in arguments


def test_the_app_serves_safely_from_any_directory(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / ".streamlit").mkdir()
    # A stranger's project must not loosen the configuration.
    (tmp_path / ".streamlit" / "config.toml").write_text('[server]\nallowedHosts = ["*"]\n')
    command = [sys.executable, "-m", "maskviz", "app", "--port", str(port), "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        deadline = time.monotonic() + 60
        while get(port, "/_stcore/health") != 200 and time.monotonic() < deadline:
            assert server.poll() is None, server.communicate()[0].decode()
            time.sleep(0.2)
        assert handshake(port, "localhost") == 101
        assert handshake(port, "evil.example.org") == 403
    finally:
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=30)
    assert f"http://127.0.0.1:{port}".encode() in output
    assert b"Traceback" not in output


def test_report_is_json_and_names_what_is_here() -> None:
    found = json.loads(json.dumps(doctor.report()))
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["packages"]["torch"]
    assert found["devices"]["cpu"]["usable"] >= 1
    assert found["folders"]["home"]["path"] == os.environ["MASKVIZ_HOME"]
    assert found["ok"] is (found["problems"] == [])


def test_bundled_models_are_complete() -> None:
    states = {m["name"]: m["state"] for m in doctor.report()["models"]}
    assert states == dict.fromkeys((*bundled(), BUNDLED_IMAGES, "en_mini"), "complete")
    assert "mini" in states


def test_unwritable_home_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("MASKVIZ_HOME", str(blocked / "home"))
    found = doctor.report()
    assert found["ok"] is False
    assert any("MASKVIZ_HOME" in line for line in found["problems"])


def test_rows_have_a_line_for_each_package() -> None:
    names = [name for name, _, _ in doctor.rows(doctor.report())]
    assert set(doctor.CORE) <= set(names)
