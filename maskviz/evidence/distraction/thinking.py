"""What a network writes greedily behind many prompts at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...training.model.packing import takes_places

Prompt = tuple[Sequence[int], Sequence[int]]  # tokens, and which of them may be seen
_BATCH = 32


@dataclass(frozen=True)
class End:
    """The tokens that end an answer."""

    tokens: frozenset[int]

    @classmethod
    def of(cls, tokenizer: Any, marks: Sequence[int | None]) -> End:
        """Return a template's end marks, and what ends texts."""
        return cls(frozenset(t for t in (*marks, tokenizer.eos_token_id) if t is not None))


def write(
    network: Any, model: Any, prompts: Sequence[Prompt], end: End, longest: int
) -> Iterator[tuple[str, bool]]:
    """Yield what a network writes behind each prompt, and whether it ended by itself.

    longest: how many tokens it may write. Prompts are padded on the left, and their places counted
    from their own first tokens, also where some are hidden.
    """
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i][0]))
    found: dict[int, list[int]] = {}
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        written = _greedy(network, model.padding, [prompts[i] for i in chosen], end, longest)
        found |= dict(zip(chosen, written, strict=True))
    for i in range(len(prompts)):
        stop = next((n for n, token in enumerate(found[i]) if token in end.tokens), None)
        yield model.tokenizer.decode(found[i][:stop], skip_special_tokens=True), stop is not None


def _greedy(
    network: Any, padding: int, prompts: Sequence[Prompt], end: End, longest: int
) -> list[list[int]]:
    import torch

    width, device = max(len(ids) for ids, _ in prompts), next(network.parameters()).device
    gaps = [width - len(ids) for ids, _ in prompts]
    both = zip(gaps, prompts, strict=True)
    lines = [([padding] * gap + list(ids), [0] * gap + list(seen)) for gap, (ids, seen) in both]
    ids = torch.tensor([line for line, _ in lines], device=device)  # (rows, tokens)
    seen = torch.tensor([line for _, line in lines], device=device)
    places = (torch.arange(width)[None] - torch.tensor(gaps)[:, None]).clamp(min=0).to(device)
    placed, cache = takes_places(network), None
    found: list[Any] = []
    stops = torch.tensor(sorted(end.tokens), device=device)
    ended = torch.zeros(len(ids), dtype=torch.bool, device=device)
    with torch.inference_mode():
        while len(found) < longest and not ended.all():
            given = {"position_ids": places} if placed else {}
            out = network(
                input_ids=ids, attention_mask=seen, past_key_values=cache, use_cache=True,
                logits_to_keep=1, **given,
            )  # fmt: skip
            cache, ids = out.past_key_values, out.logits[:, -1].argmax(-1)[:, None]
            found.append(ids)
            ended |= torch.isin(ids[:, 0], stops)
            seen = torch.cat([seen, torch.ones_like(ids)], 1)
            places = places[:, -1:] + 1
    return [line.tolist() for line in torch.cat(found, 1)]
