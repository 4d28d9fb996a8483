"""What the checks read: a dozen tokens of the model's own vocabulary, whatever its language."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ...models.model import Model
from ..core import core_of

WORDS = 14  # more than three windows of four tokens
CHARACTERS = 512  # the first of those that a network without a vocabulary reads
SMALL = 1e-4  # of the largest value: below, two passes in float32 are the same


@dataclass(frozen=True)
class Probe:
    """Token ids with the places of the ordinary ones among them, and ids to exchange them for."""

    ids: tuple[int, ...]
    words: tuple[int, ...]
    others: tuple[int, ...]

    def changed(self, places: Collection[int]) -> tuple[int, ...]:
        """Return the ids with another ordinary token at each of the places."""
        return tuple(
            self.others[i % len(self.others)] if i in places else token
            for i, token in enumerate(self.ids)
        )


def probe(model: Model) -> Probe:
    """Return ordinary tokens between the special ones that a model's tokenizer puts around a text.

    They are spread over the vocabulary, so that no language and no alphabet is asked for.
    """
    plain = model.tokenise("a")
    special = [offset is None for offset in plain.offsets]
    start = special.index(False) if False in special else len(special)
    end = special[start:].index(True) + start if True in special[start:] else len(special)
    ids = _spread(len(model.tokenizer), set(model.tokenizer.all_special_ids))
    whole = (*plain.input_ids[:start], *ids[:WORDS], *plain.input_ids[end:])
    return Probe(whole, tuple(range(start, start + WORDS)), ids[WORDS:])


def probe_of(network: Any) -> Probe:
    """Return what a network without its tokenizer is tried with: ordinary tokens alone."""
    config = network.config.get_text_config()
    special = {getattr(config, f"{name}_token_id", None) for name in ("pad", "bos", "eos")}
    ids = _spread(getattr(config, "vocab_size", None) or CHARACTERS, special)
    return Probe(ids[:WORDS], tuple(range(WORDS)), ids[WORDS:])


def _spread(size: int, special: Collection[Any]) -> tuple[int, ...]:
    """Return twice as many ids as a probe has words, spread over a vocabulary."""
    count = 2 * WORDS
    step = max(1, size // (count + 2))
    ids = [i for i in range(step, size, step) if i not in special]
    if len(ids) < count:
        ids = [i for i in range(size) if i not in special]
    return tuple(ids[i % len(ids)] for i in range(count))


def states(network: Any, *rows: Sequence[int]) -> Any:
    """Return the last states of the part that reads the text, (rows, tokens, width) in float32."""
    import torch

    ids = torch.tensor(rows, device=network.device)
    with torch.inference_mode():
        return last_state(core_of(network)(input_ids=ids, attention_mask=torch.ones_like(ids)))


def last_state(output: Any) -> Any:
    """Return the last states (rows, tokens, width) of what a core puts out, in float32."""
    return (output["last_hidden_state"] if "last_hidden_state" in output else output[0]).float()


def apart(a: Any, b: Any) -> float:
    """Return the largest difference of two tensors, as a share of the largest value in them."""
    size = float(a.abs().max().maximum(b.abs().max())) or 1.0
    found = float((a - b).abs().max()) / size
    return found if found == found else float("inf")
