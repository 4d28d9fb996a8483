"""Record anew what every command answers, and say which keys changed.

    python -m tests.record_outputs               # all topics
    python -m tests.record_outputs fill mask     # some

The recording is compared by `tests/unit/test_recorded_outputs.py`: a change that is meant is one
diff to read.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from tests import recorded
from tests.recorded_cases import CASES


def main(topics: list[str]) -> None:
    """Record the topics, by default all of them."""
    with tempfile.TemporaryDirectory(prefix="maskviz-") as name:
        folder = Path(name)
        os.environ["MASKVIZ_HOME"] = str(folder / "home")
        files = recorded.make_files(folder)
        for topic in topics or [*CASES, "surface"]:
            os.environ["MASKVIZ_HOME"] = str(folder / f"home-{topic}")
            os.environ["HF_HOME"] = str(folder / "hub")
            found = recorded.surface() if topic == "surface" else recorded.run_topic(topic, files)
            _write(topic, found)


def _write(topic: str, found: Mapping[str, Any]) -> None:
    """Write the topic's file where something changed, a line for each command."""
    changed = recorded.changes(topic, recorded.recorded(topic), found)
    print("\n".join(changed) or f"{topic}: nothing changed")
    if changed:
        recorded.FOLDER.mkdir(exist_ok=True)
        lines = (f"{_json(k)}: {_json(v)}" for k, v in found.items())
        text = "{\n" + ",\n".join(lines) + "\n}\n"
        (recorded.FOLDER / f"{topic}.json").write_text(text, encoding="utf-8")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


if __name__ == "__main__":
    main(sys.argv[1:])
