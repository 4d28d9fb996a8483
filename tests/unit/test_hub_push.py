"""A tuned model pushed over HTTP to a stand-in for the Hub; wrong logins and no network."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from maskviz.errors import RunError
from maskviz.runs.export import push
from maskviz.runs.store import Store
from maskviz.training.folder import new_folder
from tests.tiny_runs import tiny_spec

TOKEN = "hf_right"


class Hub(ThreadingHTTPServer):
    """Takes what `create_repo` and `upload_folder` send, of those who have the token."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.private: bool | None = None
        self.files: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._say({"error": "there is nothing"}, 404)

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            return self._say({"error": "Invalid username or password."}, 401)
        if self.path.endswith("/repos/create"):
            asked = json.loads(sent)  # the way to say it differs by version
            self.server.private = asked.get("private") or asked.get("visibility") == "private"
            return self._say({"url": f"{self.server.url}/me/tuned"})
        if "/preupload/" in self.path:
            files = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                     for file in json.loads(sent)["files"]]  # fmt: skip
            return self._say({"files": files})
        if self.path.endswith("/validate-yaml"):
            return self._say({"errors": [], "warnings": []})
        lines = [json.loads(line) for line in sent.decode().splitlines()]
        for line in lines:
            if line["key"] == "file":
                name, content = line["value"]["path"], line["value"]["content"]
                self.server.files[name] = base64.b64decode(content)
        return self._say({"commitUrl": f"{self.server.url}/me/tuned/commit/1", "commitOid": "1"})

    def _say(self, answer: dict, status: int = 200) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def hub(monkeypatch) -> Iterator[Hub]:
    server = Hub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def done(tmp_path, maskviz_home) -> str:
    spec = tiny_spec(tmp_path)
    folder = new_folder(spec)
    shutil.copytree(spec.model, folder / "model")
    (folder / "model" / "README.md").write_text("# A card\n")
    Store().add(folder, state="done", reason="Accuracy 90.0 % plain.")
    return folder.name


def test_the_hub_gets_the_whole_folder_in_a_private_repository(hub, done):
    assert push(done, "me/tuned") == f"{hub.url}/me/tuned"
    assert hub.private
    assert {"model.safetensors", "config.json", "tokenizer.json", "README.md"} <= set(hub.files)
    assert hub.files["README.md"] == b"# A card\n"


def test_a_wrong_login_and_no_network_are_one_sentence_each(hub, done, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(RunError, match=r"does not accept this machine's login: run"):
        push(done, "me/tuned")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", nobody)
    with pytest.raises(RunError, match=r"cannot be reached \(\w+\): check the network\.$"):
        push(done, "me/tuned")
