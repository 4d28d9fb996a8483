"""The model's own guesses for what is hidden."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from ..errors import ParameterError
from ..masks.encoding import Encoding
from ..masks.mask import Mask
from ..masks.operators import apply
from ..models.memory import remembered
from ..models.model import Model, load_model
from ..text.words import is_unspaced
from . import side_by_side
from .batches import batch, together

_BATCH = 32
_MOST_LOGITS = 32 * 512 * 16_000  # of a batch: 1 GB in float32
_TOKENS = 1024  # in a pass over texts of one length


@dataclass(frozen=True)
class Candidate:
    """One guess and its probability in [0, 1]."""

    token: str
    probability: float


@dataclass(frozen=True)
class Fill:
    """The guesses for one hidden place, `text[start:end]`: a word, or a part of one."""

    start: int
    end: int
    text: str
    candidates: tuple[Candidate, ...]


def fill(mask: Mask, model: Model | str = "mini", top_k: int = 5) -> list[Fill]:
    """Guess what is hidden, from one pass over the text with mask tokens in its place.

    A word of several tokens has several mask tokens; its guesses are the `top_k` most probable
    sequences, their probability the product over the tokens, which one pass predicts
    independently of each other. A guess begins words where the hidden word began and continues
    them where it was continued. Raises CapabilityError where the model cannot fill.
    """
    if not 1 <= top_k <= 100:
        raise ParameterError(f"top_k is {top_k} and must lie between 1 and 100, such as 5.")
    loaded = load_model(model)
    loaded.require("fill")
    encoding = apply(mask, "mask", loaded)
    places = list(_places(encoding, mask))
    if not places:
        return []
    best = _top(loaded, encoding, top_k)
    return [
        Fill(start, end, mask.text[start:end], _best(loaded, [best[i] for i in run], top_k))
        for (start, end), run in places
    ]


def log_probabilities(masks: Sequence[Mask], model: Model) -> list[float]:
    """Return for each mask ln p(what it hides), one pass each, in batches.

    The tokens of one mask are taken as independent given the rest (pseudo-log-likelihood, Salazar
    et al. 2020, https://arxiv.org/abs/1910.14659).
    """
    return [
        float(sum(row.log_softmax(-1)[i, ids[i]] for i in hidden))
        for row, hidden, ids in _hidden_logits(masks, model)
    ]


def guessed_right(masks: Sequence[Mask], model: Model) -> list[tuple[int, int]]:
    """Return for each mask how many hidden tokens the first guess meets, and how many are hidden.

    One pass each, in batches; special tokens are no guess.
    """
    counts = []
    for row, hidden, ids in _hidden_logits(masks, model):
        row = row.clone()
        row[:, model.tokenizer.all_special_ids] = -float("inf")
        counts.append((sum(int(row[i].argmax()) == ids[i] for i in hidden), len(hidden)))
    return counts


def _hidden_logits(
    masks: Sequence[Mask], model: Model
) -> Iterator[tuple[Any, list[int], list[int]]]:
    """Yield for each mask logits (tokens, vocabulary), its hidden tokens, and every token's id."""
    import torch

    network = model.network("fill")
    for encodings in _batches(masks, model, network.config.get_text_config().vocab_size):
        with model.running(), torch.inference_mode():
            logits = network(**batch(model, encodings)).logits
        for row, encoding in zip(logits, encodings, strict=True):
            hidden = [i for i, is_hidden in enumerate(encoding.hidden) if is_hidden]
            yield row, hidden, _hidden_ids(model, encoding)


def _batches(masks: Sequence[Mask], model: Model, vocabulary: int) -> Iterator[list[Encoding]]:
    """Yield the encodings of at most 32 masks, fewer where their logits would fill the memory.

    Where a network reads what a text is padded with, those of one length only.
    """
    every = [apply(mask, "mask", model) for mask in masks]
    mixed = together(model, [len(one) for one in every])
    batch: list[Encoding] = []
    for encoding in every:
        longest = max(map(len, [*batch, encoding]))
        full = len(batch) == _BATCH or (len(batch) + 1) * longest * vocabulary > _MOST_LOGITS
        if batch and (full or not (mixed or len(batch[0]) == len(encoding))):
            yield batch
            batch = []
        batch.append(encoding)
    if batch:
        yield batch


def _places(encoding: Encoding, mask: Mask) -> Iterator[tuple[tuple[int, int], list[int]]]:
    """Yield the hidden tokens of each word together, with the characters they cover."""
    word_of = _word_of(mask)
    every = enumerate(zip(encoding.hidden, encoding.offsets, strict=True))
    hidden = [(i, place) for i, (h, place) in every if h and place is not None]
    for _, group in groupby(hidden, key=lambda one: word_of.get(one[1][0], -one[0] - 1)):
        run = list(group)
        yield (run[0][1][0], run[-1][1][1]), [i for i, _ in run]


def _word_of(mask: Mask) -> dict[int, int]:
    return {c: i for i, (start, end) in enumerate(mask.words) for c in range(start, end)}


def _top(model: Model, encoding: Encoding, top_k: int) -> dict[int, tuple[Any, Any]]:
    """Return for each hidden token probabilities and ids, each (top_k,), most probable first."""
    hidden = [i for i, is_hidden in enumerate(encoding.hidden) if is_hidden]
    asked = Places(encoding.input_ids, _hidden_ids(model, encoding), hidden)
    (best,) = words_at(model, [asked], lambda found: found.topk(min(top_k, found.shape[-1])))
    return dict(zip(hidden, zip(best.values, best.indices, strict=True), strict=True))


@dataclass(frozen=True)
class Places:
    """Ids that a model reads, the ids of the plain text, and the places that are asked about."""

    input_ids: Sequence[int]
    originals: Sequence[int]
    places: Sequence[int]


def words_at(model: Model, asked: Sequence[Places], keep: Callable[[Any], Any]) -> list[Any]:
    """Return for each text what `keep` takes of its probabilities (places, vocabulary).

    Texts of one length share a pass, without padding. Special tokens are left out; what begins a
    word may only stand where the original token did.
    """
    import torch

    network = model.network("fill")
    begins = torch.tensor(_begins_word(model))  # (vocabulary,)

    def answer(rows: list[int]) -> list[Any]:
        with torch.inference_mode():
            ids = torch.tensor([list(asked[i].input_ids) for i in rows], device=network.device)
            logits = network(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
            return [
                keep(_allowed(model, begins, asked[i], row))
                for i, row in zip(rows, logits, strict=True)
            ]

    found: list[Any] = [None] * len(asked)
    lengths = [len(one.input_ids) for one in asked]
    groups = list(_of_one_length(lengths))
    found_by_group = side_by_side.answers(model, answer, groups, [lengths[g[0]] for g in groups])
    for rows, answers in zip(groups, found_by_group, strict=True):
        for i, kept in zip(rows, answers, strict=True):
            found[i] = kept
    return found


def _allowed(model: Model, begins: Any, asked: Places, logits: Any) -> Any:
    """Return the probabilities (places, vocabulary) of a text's logits (tokens, vocabulary)."""
    logits = logits[list(asked.places)].cpu()
    logits[:, model.tokenizer.all_special_ids] = -float("inf")
    probabilities = logits.softmax(-1)
    original = [asked.originals[i] for i in asked.places]
    probabilities[begins[original][:, None] != begins] = 0
    return probabilities


def _of_one_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the indices of texts of one length, of at most 1,024 tokens together."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for length, group in groupby(order, key=lengths.__getitem__):
        rows, size = list(group), max(1, _TOKENS // length)
        yield from (rows[start : start + size] for start in range(0, len(rows), size))


def _hidden_ids(model: Model, encoding: Encoding) -> list[int]:
    """Return the ids that stood in the plain text, one for each token."""
    plain = model.tokenise(encoding.text).input_ids
    return [plain[source] for source in encoding.source if source is not None]


@remembered(maxsize=1)
def _begins_word(model: Model) -> tuple[bool, ...]:
    """Return for each id of the vocabulary whether it begins a word.

    WordPiece marks what continues a word by ##, byte-level BPE and SentencePiece what begins one.
    """
    names = model.tokenizer.convert_ids_to_tokens(range(model.network("fill").config.vocab_size))
    names = [name or "" for name in names]  # an embedding may have more rows than the vocabulary
    if any(name.startswith("##") for name in names):
        return tuple(not name.startswith("##") for name in names)
    return tuple(name.startswith(("Ġ", "▁")) for name in names)


def _best(model: Model, run: Sequence[tuple[Any, Any]], top_k: int) -> tuple[Candidate, ...]:
    """Return the most probable sequences over the places of a run: probabilities and ids each."""
    beams: list[tuple[float, tuple[int, ...]]] = [(1.0, ())]
    for probabilities, ids in run:
        beams = heapq.nlargest(
            top_k,
            (
                (p * float(q), (*chosen, int(token)))
                for p, chosen in beams
                for q, token in zip(probabilities, ids, strict=True)
            ),
        )
    return tuple(Candidate(_written(model.tokenizer.decode(chosen)), p) for p, chosen in beams)


def _written(decoded: str) -> str:
    """Return a guess as it is written: tokenizers set spaces between characters of Chinese, too.

    >>> _written("图 书 馆"), _written(" New York")
    ('图书馆', 'New York')
    """
    parts = decoded.split(" ")
    written = parts[0]
    for before, part in pairwise(parts):
        alone = before and part and is_unspaced(before[-1]) and is_unspaced(part[0])
        written += part if alone else f" {part}"
    return written.strip()
