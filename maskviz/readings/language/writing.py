"""What a language model writes behind several prompts, token by token as it comes.

It is what `answering.written` returns, since transformers writes it in the same way; it only looks
on, and stops where it is told to. The prompts take turns, token by token.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from ...errors import MaskvizError
from ...models.model import Model
from ...models.raised import said_of
from ..batches import Read
from .answering import decoded, generated, keep, until_end

_YIELD = 0.001  # seconds that the lock is free between two tokens, for whoever waits for it


class Writing:
    """Answers as they are written, in threads of their own; one to each of `prompts`.

    A thread ends by itself behind `longest` tokens, at the model's own end, or after `stop`.

    >>> writing = Writing(model, [apply("The capital of France is", "attention", model)], 8)
    >>> writing.wait(); writing.texts                                  # doctest: +SKIP
    (' Paris.',)
    """

    def __init__(self, model: Model, prompts: Sequence[Read], longest: int) -> None:
        self.model = model
        self.error = ""
        self.stopped = False
        self._ids: list[list[int]] = [[] for _ in prompts]
        self._threads = [
            threading.Thread(
                target=self._write, args=(i, prompt, longest), name="maskviz-writing", daemon=True
            )
            for i, prompt in enumerate(prompts)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def running(self) -> bool:
        """Whether any answer is still being written."""
        return any(thread.is_alive() for thread in self._threads)

    @property
    def finished(self) -> bool:
        """Whether every answer came to its end, and none was stopped or failed."""
        return not (self.running or self.stopped or self.error)

    @property
    def tokens(self) -> tuple[tuple[int, ...], ...]:
        """The ids of each answer so far, without the end of its turn."""
        network = self.model.network("generate")
        return tuple(until_end(network, list(ids)) for ids in self._ids)

    @property
    def texts(self) -> tuple[str, ...]:
        """Each answer so far; a character of which bytes are missing waits for them."""
        return tuple(decoded(self.model, ids).rstrip("\ufffd") for ids in self.tokens)

    def stop(self) -> None:
        """Let every answer end behind the token it is at."""
        self.stopped = self.running

    def wait(self, seconds: float | None = None) -> None:
        """Wait until all answers are written, or for so many seconds."""
        end = None if seconds is None else time.monotonic() + seconds
        for thread in self._threads:
            thread.join(None if end is None else max(0.0, end - time.monotonic()))

    def _write(self, which: int, prompt: Read, longest: int) -> None:
        try:
            found = generated(
                self.model,
                prompt,
                longest,
                streamer=_Watch(self, which),
                stopping_criteria=[lambda ids, scores, **_: self._ending(ids)],
            )
            self._ids[which] = list(found)
            if not self.stopped:
                keep(self.model, prompt, found, longest)
        except MaskvizError as error:
            self.error = str(error)
        except Exception as error:
            if (sentence := said_of(error)) is None:
                raise
            self.error = sentence

    def _ending(self, ids: Any) -> Any:
        import torch

        return torch.full((len(ids),), self.stopped, dtype=torch.bool, device=ids.device)


class _Watch:
    """What `generate` hands each token to; the first call holds the prompt."""

    def __init__(self, writing: Writing, which: int) -> None:
        self.writing, self.which, self.begun = writing, which, False

    def put(self, ids: Any) -> None:
        """Keep the tokens, and let another thread have the model for one of its own."""
        if self.begun:
            self.writing._ids[self.which].extend(ids.flatten().tolist())
        self.begun = True
        lock = self.writing.model.lock
        lock.release()
        time.sleep(_YIELD)
        lock.acquire()

    def end(self) -> None:
        """Do nothing: the thread's end says as much."""
