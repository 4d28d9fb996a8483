"""What an encoder–decoder writes for a text: beam search, with every cut on record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ParameterError, TextError
from ..masks.encoding import Encoding
from ..models.checks import demand
from ..models.model import Model, load_model
from .batches import padded, together

BEAMS, LONGEST = 16, 1024
_TOKENS = 1024  # source tokens in a batch; each of them is held once per beam


@dataclass(frozen=True)
class Generation:
    """What a model wrote for one text.

    text: what it wrote, without special tokens.
    tokens: the same as tokens, special ones included, in the order they were written.
    log_probability: of the beam, divided by its length to the power of the model's length penalty
        (its length unless the model says otherwise).
    truncated_at: first character of the source that it did not read, or None.
    unfinished: whether it was stopped at the largest number of tokens before it came to an end.
    """

    text: str
    tokens: tuple[int, ...]
    log_probability: float
    truncated_at: int | None = None
    unfinished: bool = False


def generate(
    texts: Sequence[str | Encoding],
    model: Model | str = "mini-translate",
    *,
    num_beams: int = 4,
    max_new_tokens: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> list[Generation]:
    """Let an encoder–decoder write for each text, or for each masked `Encoding`, by beam search.

    The answers come in the order of the texts. Nothing is drawn at random. max_new_tokens: None
    allows 16 tokens more than twice the source; never more than the decoder has positions for.
    progress: called with how many texts are done and how many there are. Raises CapabilityError
    where the model is no encoder–decoder, TextError for an empty text, ParameterError for a number
    out of range.

    >>> generate(["Where is the station?"])[0].unfinished
    False
    """
    loaded = load_model(model)
    loaded.require("translate")
    _check("num_beams", num_beams, BEAMS)
    if max_new_tokens is not None:
        _check("max_new_tokens", max_new_tokens, LONGEST)
    sources = [_source(text, loaded) for text in texts]
    found: list[Generation | None] = [None] * len(sources)
    lengths = [len(ids) for ids, _, _ in sources]
    for rows in _batches(lengths, together(loaded, lengths)):
        chosen = [sources[row] for row in rows]
        longest = max(len(ids) for ids, _, _ in chosen)
        limit = min(max_new_tokens or 2 * longest + 16, _most_written(loaded))
        for row, answer in zip(rows, _written(loaded, chosen, num_beams, limit), strict=True):
            found[row] = answer
        if progress is not None:
            progress(len(found) - found.count(None), len(found))
    return [answer for answer in found if answer is not None]


def _most_written(model: Model) -> int:
    """Return how many tokens the decoder has positions for, the one it starts from left out."""
    positions = model.decoder_positions
    return min(LONGEST, positions - 1) if positions else LONGEST


_Source = tuple[tuple[int, ...], tuple[int, ...], int | None]


def _source(text: str | Encoding, model: Model) -> _Source:
    """Return token ids, which of them are attended to, and the first character left out."""
    if isinstance(text, Encoding):
        return text.input_ids, text.attention_mask, text.truncated_at
    if not text.strip():
        raise TextError("The text is empty: enter at least one word.")
    found = model.tokenise(text)
    return found.input_ids, (1,) * len(found.input_ids), found.truncated_at


def _check(name: str, value: int, limit: int) -> None:
    if not 1 <= value <= limit:
        raise ParameterError(f"{name} is {value} and must be a whole number from 1 to {limit:,}.")


def _batches(lengths: Sequence[int], mixed: bool) -> Iterator[list[int]]:
    """Yield the numbers of texts of similar length, or of one, the longest first."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    start = 0
    while start < len(order):
        size = max(1, _TOKENS // max(1, lengths[order[start]]))
        if not mixed:
            longest = lengths[order[start]]
            size = sum(lengths[i] == longest for i in order[start : start + size])
        yield order[start : start + size]
        start += size


def _written(
    model: Model, sources: Sequence[_Source], num_beams: int, limit: int
) -> list[Generation]:
    import torch

    network = model.network("translate")
    if any(0 in seen for _, seen, _ in sources):
        demand(model, "out of sight")
    inputs = padded(model, [ids for ids, _, _ in sources], [seen for _, seen, _ in sources])
    with model.running(), torch.inference_mode():
        found = network.generate(
            **inputs,
            num_beams=num_beams,
            max_new_tokens=limit,
            do_sample=False,
            return_dict_in_generate=True,
            output_scores=True,
        )
    scores = getattr(found, "sequences_scores", None)
    if scores is None:  # a single beam is greedy search, which keeps no score of the whole
        steps = network.compute_transition_scores(
            found.sequences, found.scores, normalize_logits=True
        )  # (texts, tokens), −inf behind the end
        kept = steps.isfinite()
        scores = steps.where(kept, 0.0).sum(-1) / kept.sum(-1).clamp(min=1)
    ends = ends_of(network.generation_config.eos_token_id)
    return [
        _generation(model, ids[1:], float(score), source[2], ends)  # the first starts the decoder
        for ids, score, source in zip(found.sequences.tolist(), scores, sources, strict=True)
    ]


def ends_of(end: Any) -> set[int]:
    """Return the ids that end what is written, from a generation's `eos_token_id`."""
    return {end} if isinstance(end, int) else set(end or ())


def _generation(
    model: Model, ids: list[int], score: float, truncated_at: int | None, ends: set[int]
) -> Generation:
    last = next((place for place, token in enumerate(ids) if token in ends), None)
    kept = ids if last is None else ids[: last + 1]
    text = model.tokenizer.decode(
        kept, skip_special_tokens=True, clean_up_tokenization_spaces=False
    )
    return Generation(text.strip(), tuple(kept), score, truncated_at, last is None)
