"""Start the dashboard: find its scripts, pass the safe configuration, say what goes wrong.

The scripts (`app.py`, `pages/`, `.streamlit/config.toml`) lie beside the package in a
checkout and inside it, under `_app/`, in an installed wheel. Streamlit reads the
configuration that lies beside the script it runs, from whatever directory it is started,
and lets it win over a configuration of the user's other projects.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from maskviz.errors import MissingDependencyError, ParameterError

ADDRESS = "127.0.0.1"
PORT = 8501


def app_script() -> Path:
    """Return the path of `app.py`, of this checkout or of the installed wheel.

    Raises MissingDependencyError when neither holds it.

    >>> app_script().name
    'app.py'
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "_app", package.parent):
        if (folder / "app.py").is_file() and (folder / "pages").is_dir():
            return folder / "app.py"
    raise MissingDependencyError(
        "The dashboard's app.py is not in this installation of maskviz: "
        "install it again with `pip install --force-reinstall --no-deps maskviz`."
    )


def serve(
    port: int = PORT,
    *,
    browser: bool = True,
    address: str = ADDRESS,
    hosts: Sequence[str] = (),
    beside: Callable[[Callable[[], bool]], object] | None = None,
) -> None:
    """Serve the dashboard until Ctrl+C.

    `port` is 1 to 65535; `address` is the interface to listen on; `hosts` are further names
    under which browsers may reach it (needed when `address` is not this machine alone);
    `beside` is called before, with a function that tells whether the server listens.
    Raises ParameterError when the port or address cannot be had, MissingDependencyError when
    Streamlit is not installed.
    """
    arguments = streamlit_arguments(port, browser=browser, address=address, hosts=hosts)
    check_port(address, port)
    run_streamlit = _streamlit()
    sys.stdout.write(f"maskviz is at http://{address}:{port} (Ctrl+C stops it)\n")
    sys.stdout.flush()
    if beside is not None:
        beside(partial(listens, address, port))
    run_streamlit(arguments, prog_name="maskviz", standalone_mode=False)


def asked(arguments: Sequence[str]) -> dict[str, Any] | None:
    """Read `app` with its plain options for `serve`; None for all else, which is the full parser's.

    >>> asked(["app", "--port", "8600"])
    {'port': 8600, 'browser': True}
    >>> asked(["app", "--help"]) is None
    True
    """
    form = r"app( --no-browser)?( --port[ =](?P<port>\d{1,5}))?( --no-browser)?"
    found = re.fullmatch(form, " ".join(arguments))
    if found is None:
        return None
    return {"port": int(found["port"] or PORT), "browser": "--no-browser" not in arguments}


def streamlit_arguments(
    port: int = PORT,
    *,
    browser: bool = True,
    address: str = ADDRESS,
    hosts: Sequence[str] = (),
) -> list[str]:
    """Return the arguments that run the dashboard under Streamlit.

    >>> "--server.port=8600" in streamlit_arguments(8600)
    True
    """
    headless = not browser or not _has_screen()
    arguments = [
        "run",
        str(app_script()),
        f"--server.port={port}",
        f"--server.address={address}",
        f"--server.headless={str(headless).lower()}",
        "--server.showEmailPrompt=false",
    ]
    for host in dict.fromkeys(("localhost", ADDRESS, *hosts)) if hosts else ():
        arguments.append(f"--server.allowedHosts={host}")
    return arguments


def listens(address: str, port: int) -> bool:
    """Tell whether a server takes connections there."""
    own = {"0.0.0.0": ADDRESS, "::": "::1"}.get(address, address)  # noqa: S104 - compared only
    try:
        with socket.create_connection((own, port), timeout=1):
            return True
    except OSError:
        return False


def check_port(address: str, port: int) -> None:
    """Raise ParameterError unless a server may listen on this address and port."""
    if not 1 <= port <= 65535:
        raise ParameterError(f"Port {port} is outside 1 to 65535: choose one, such as {PORT}.")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the server itself does: a port that a closed connection still holds is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except PermissionError as error:
            raise ParameterError(
                f"Port {port} needs administrator rights: choose one from 1024 up, such as {PORT}."
            ) from error
        except socket.gaierror as error:
            raise ParameterError(
                f"Address {address!r} is not known here: choose {ADDRESS}, or 0.0.0.0 for all."
            ) from error
        except OSError as error:
            raise ParameterError(_taken(address, port)) from error


def _taken(address: str, port: int) -> str:
    return (
        f"Port {port} on {address} cannot be used (another program listens there, or the address "
        f"is not this machine's): start with `maskviz app --port {_free_port()}`, or open "
        f"http://{address}:{port} if that is maskviz."
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return probe.getsockname()[1]


def _has_screen() -> bool:
    shown = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return shown or not sys.platform.startswith("linux")


def _streamlit() -> Callable[..., object]:
    try:
        from streamlit.web.cli import main
    except ImportError as error:
        raise MissingDependencyError(
            "The dashboard needs Streamlit, which is not installed: `pip install streamlit`."
        ) from error
    return main.main
