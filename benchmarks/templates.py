"""Places of contents in what real chat templates make of forty conversations, held against truth.

    pip install --no-deps trl==1.16.0
    python benchmarks/templates.py [FOLDER OF .jinja FILES]

Truth is the one-character oracle of tests/chat_templates.py: a character of the conversation is
changed, and one looks which place of the rendering changes. A rendering is wrong where a single
character has another place than that, is placed where nothing changes, or is said to be absent
where something does. Also prints how long 120,000 characters take.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from maskviz.errors import CapabilityError  # noqa: E402
from maskviz.models.chat import render_conversation  # noqa: E402
from maskviz.models.chat.parts import messages_for  # noqa: E402
from maskviz.models.chat.placing import ABSENT, UNKNOWN  # noqa: E402
from maskviz.text.conversation import Conversation, Turn, read_conversation  # noqa: E402
from tests.chat_conversations import CONVERSATIONS  # noqa: E402
from tests.chat_templates import truth  # noqa: E402
from tests.tiny_chat import chat_tokenizer  # noqa: E402

MOST = 16  # characters of each text that are changed


def folder() -> Path:
    """Return where the templates are: the folder that is named, else those of trl."""
    if len(sys.argv) > 1:
        return Path(sys.argv[1])
    if (found := templates_of_trl()) is None:
        sys.exit("trl is not installed: pip install --no-deps trl==1.16.0, or name a folder.")
    return found


def templates_of_trl() -> Path | None:
    """Return the folder of the templates that trl ships, without importing it; None without it."""
    found = importlib.util.find_spec("trl")
    places = found.submodule_search_locations if found else None
    return Path(next(iter(places))) / "chat_templates" if places else None


def judged(tok, name: str, said: Conversation, begin: bool) -> tuple[str, str]:
    """Return (right, unplaced marks, refused …, or WRONG) and what there is to say of it."""
    try:
        found = render_conversation(tok, said, name, begin=begin)
    except CapabilityError as error:
        placing = "cannot be found" in str(error)
        return ("refused by maskviz" if placing else "refused by the template"), str(error)

    def render(texts):
        return tok.apply_chat_template(
            messages_for(tok, tok.chat_template, said, texts),
            tokenize=False,
            add_generation_prompt=begin,
        )

    if found.text != render(said.texts):
        return "WRONG", "another rendering"
    unplaced = 0
    for k, i, place in truth(render, said.texts, MOST):
        own = found.places[k][i]
        if own == UNKNOWN:
            unplaced += 1
        elif own != (ABSENT if place is None else place):
            return "WRONG", f"{said.texts[k]!r}[{i}] at {own}, truth {place}"
    return ("right, a few marks open" if unplaced else "right"), " ".join(found.notices)


def main() -> None:
    """Print the tally, every rendering that is wrong or refused here, and the times."""
    tok = chat_tokenizer()
    tally: Counter[str] = Counter()
    files = sorted(folder().glob("*.jinja"))
    began = time.perf_counter()
    for file in files:
        tok.chat_template = file.read_text(encoding="utf-8")
        for name, messages in CONVERSATIONS.items():
            said = read_conversation(messages)
            for begin in (False, True):
                verdict, told = judged(tok, file.stem, said, begin)
                tally[verdict] += 1
                if verdict in ("WRONG", "refused by maskviz"):
                    print(f"{verdict}: {file.stem}, {name!r}, begin={begin}: {told}")
    print(f"{len(files)} templates, {len(CONVERSATIONS)} conversations:", dict(tally))
    own = sum(tally.values()) - tally["refused by the template"]
    print(f"refused by maskviz: {tally['refused by maskviz'] / own:.2%} of {own:,}")
    print(f"took {time.perf_counter() - began:.0f} s")
    timed(tok, files)


def timed(tok, files: list[Path]) -> None:
    """Print how long a conversation of 120,000 characters takes, the slowest template first."""
    sentence = "The river bends twice before the mill, and nobody knows why. "
    turns = [Turn(("user", "assistant")[i % 2], sentence * 33) for i in range(60)]
    said = Conversation(tuple(turns))
    took = {}
    for file in files:
        tok.chat_template = file.read_text(encoding="utf-8")
        try:
            begun = time.perf_counter()
            render_conversation(tok, said, file.stem)
            took[file.stem] = time.perf_counter() - begun
        except CapabilityError:
            continue
    slowest = sorted(took, key=took.__getitem__, reverse=True)[:3]
    print(
        f"{len(said.text):,} characters, 60 turns: median "
        f"{sorted(took.values())[len(took) // 2]:.2f} s; slowest "
        + ", ".join(f"{name} {took[name]:.2f} s" for name in slowest)
    )


if __name__ == "__main__":
    main()
