"""A stand-in for the Hugging Face Hub on this machine: the few addresses that loading asks for."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "a" * 40
_API = re.compile(r"/api/(models|datasets)/([^/]+/[^/]+)(/tree/.+|/revision/.+)?")
_FILE = re.compile(r"/(datasets/)?([^/]+/[^/]+)/resolve/(refs/convert/parquet|[^/]+)/(.+)")


@contextmanager
def hub(models: dict[str, Path], datasets: dict[str, Path], gated: set[str]) -> Iterator[str]:
    """Serve folders as repositories by name; yield the address. Others are unknown."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self, body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            if found := _API.fullmatch(path):
                repositories = models if found[1] == "models" else datasets
                self._about(repositories, found[2], found[3] or "", body)
            elif found := _FILE.fullmatch(path):
                self._file(datasets if found[1] else models, found[2], found[4], body)
            else:
                self._refuse(404, "EntryNotFound", body)

        def _about(self, repositories: dict[str, Path], name: str, rest: str, body: bool) -> None:
            if name in gated and rest.startswith("/tree"):
                self._refuse(403, "GatedRepo", body)
            elif name not in repositories:
                self._refuse(401, "RepoNotFound", body)  # as the Hub says to those without a token
            elif rest.startswith("/tree/") and rest.endswith("additional_chat_templates"):
                self._refuse(404, "EntryNotFound", body)
            else:
                files = _files(repositories[name])
                entries = [{"type": "file", "path": f, "size": 1, "oid": COMMIT} for f in files]
                siblings = [{"rfilename": file} for file in files]
                about = {"id": name, "sha": COMMIT, "siblings": siblings}
                about["gated"] = "manual" if name in gated else False
                self._send(json.dumps(entries if rest.startswith("/tree") else about), {}, body)

        def _file(self, repositories: dict[str, Path], name: str, file: str, body: bool) -> None:
            if name not in repositories:
                self._refuse(401, "RepoNotFound", body)
            elif name in gated:
                self._refuse(403, "GatedRepo", body)
            elif file not in _files(repositories[name]):
                self._refuse(404, "EntryNotFound", body)
            else:
                content = (repositories[name] / file).read_bytes()
                digest = hashlib.sha256(content).hexdigest()
                self._send(content, {"X-Repo-Commit": COMMIT, "ETag": f'"{digest}"'}, body)

        def _send(self, content: str | bytes, headers: dict[str, str], body: bool) -> None:
            data = content.encode() if isinstance(content, str) else content
            self.send_response(200)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(data)

        def _refuse(self, status: int, code: str, body: bool) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", f"stand-in: {code}")
            self.send_header("Content-Length", "2" if body else "0")
            self.end_headers()
            if body:
                self.wfile.write(b"{}")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
