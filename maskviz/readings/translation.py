"""Translation with an encoder–decoder, sentence by sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import TextError
from ..models.locate import BUNDLED_TRANSLATOR
from ..models.model import Model, load_model
from .written import Generation, generate


@dataclass(frozen=True)
class Sentence:
    """One sentence `source[start:end]` and what the model wrote for it.

    cut: why the translation is not all of it, or empty.
    """

    start: int
    end: int
    text: str
    cut: str = ""


@dataclass(frozen=True)
class Translation:
    """A translated text; `text` keeps the source's space between sentences."""

    source: str
    text: str
    model: str
    sentences: tuple[Sentence, ...]

    @property
    def notice(self) -> str:
        """One line where a part of the text is not translated, else empty."""
        cuts = [f"Sentence {n}: {s.cut}" for n, s in enumerate(self.sentences, 1) if s.cut]
        return " ".join(cuts)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return {**asdict(self), "sentences": [asdict(s) for s in self.sentences],
                "notice": self.notice}  # fmt: skip


def translate(
    text: str,
    model: Model | str = BUNDLED_TRANSLATOR,
    *,
    num_beams: int = 4,
    max_new_tokens: int | None = None,
    prefix: str | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Translation:
    """Translate a text; `mini-translate` turns English into French, other models as they were made.

    Models of this kind learn from single sentences, so each sentence goes in alone. prefix: words
    that the model wants before its input; None takes what its own configuration says for
    translation. progress: called with how many different sentences are done and how many there
    are. Raises TextError for an empty text, CapabilityError where the model is no encoder–decoder.

    >>> translate("I am happy. Are you?").sentences[1].start
    12
    """
    return translate_many(
        [text], model, num_beams=num_beams, max_new_tokens=max_new_tokens, prefix=prefix,
        progress=progress,
    )[0]  # fmt: skip


def translate_many(
    texts: Sequence[str],
    model: Model | str = BUNDLED_TRANSLATOR,
    *,
    num_beams: int = 4,
    max_new_tokens: int | None = None,
    prefix: str | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> list[Translation]:
    """Translate several texts as `translate` does; sentences of similar length share a pass."""
    loaded = load_model(model)
    loaded.require("translate")
    if not all(text.strip() for text in texts):
        raise TextError("The text is empty: enter at least one sentence.")
    words = task_prefix(loaded, "translation") if prefix is None else prefix
    spans = [sentence_spans(text) for text in texts]
    pieces = [
        words + text[start:end]
        for text, own in zip(texts, spans, strict=True)
        for start, end in own
    ]
    different = list(dict.fromkeys(pieces))
    written = generate(
        different, loaded, num_beams=num_beams, max_new_tokens=max_new_tokens, progress=progress
    )
    known = dict(zip(different, written, strict=True))
    answers = (known[piece] for piece in pieces)
    found = []
    for text, own in zip(texts, spans, strict=True):
        sentences = tuple(
            Sentence(start, end, answer.text, cut_of(answer, words + text[start:end], len(words)))
            for (start, end), answer in zip(own, answers, strict=False)
        )
        found.append(Translation(text, _joined(text, sentences), loaded.name, sentences))
    return found


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of each sentence of the text, without the space around them."""
    from ..text import Document

    return [(span.start, span.end) for span in Document(text).sentences]


def task_prefix(model: Model, task: str) -> str:
    """Return the words a model's configuration puts before the input of a task, such as T5's."""
    tasks = getattr(model.config, "task_specific_params", None) or {}
    names = sorted(name for name in tasks if name.startswith(task))
    preferred = [name for name in names if name.endswith("en_to_fr")] or names
    return str(tasks[preferred[0]].get("prefix") or "") if preferred else ""


def cut_of(answer: Generation, source: str, skipped: int = 0) -> str:
    """Say in one sentence what of a source is missing in the answer, else nothing."""
    if answer.truncated_at is not None:
        left, whole = len(source) - answer.truncated_at, len(source) - skipped
        return f"the model does not read the last {left:,} of {whole:,} characters."
    if answer.unfinished:
        count = len(answer.tokens)
        return f"the answer was stopped after {count:,} tokens: allow more new tokens."
    return ""


def _joined(text: str, sentences: tuple[Sentence, ...]) -> str:
    parts, end = [], 0
    for sentence in sentences:
        parts += [text[end : sentence.start], sentence.text]
        end = sentence.end
    return "".join([*parts, text[end:]])
