"""What a picture of attention shows, in one plain sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from ..text.percent import percent
from .roles import HeadChange, HeadRole, telling
from .view import View

_DOES = {
    "previous token": ("looks at the previous token", "look at the previous token"),
    "next token": ("looks at the next token", "look at the next token"),
    "same word": ("stays on its own word", "stay on their own word"),
    "separator": ("rests on special tokens", "rest on special tokens"),
    "onto hidden words": ("looks at hidden words", "look at hidden words"),
    "sink": ("rests on the first token, a sink", "rest on the first token, a sink"),
    "broad": ("spreads broadly", "spread broadly"),
}


def finding(shown: View, roles: Sequence[Sequence[Any]], doing: str = "Masking") -> str:
    """Say in one sentence what a view shows; `roles` are its `notes`, `doing` what was done."""
    if shown.signed:
        return difference_finding(shown, roles, doing)
    if shown.method != "raw":
        return method_finding(shown)
    if any(shown.columns.hidden):
        return masked_finding(shown, roles)
    return plain_finding(roles, shown.number)


def method_finding(shown: View) -> str:
    """Say which tokens a method of one map per layer gives most to, seen from all ordinary ones."""
    import numpy as np

    if shown.method == "uniform":
        return "Uniform attention gives the same to every token: what a claim must beat."
    last = np.asarray(shown.weights[-1], np.float32).mean(0)
    asked = [i for i, gone in enumerate(shown.absent) if not gone] if any(shown.absent) else []
    got = last[asked or shown.rows.ordinary()].mean(0)
    share, names = got / max(float(got.sum()), 1e-12), shown.columns.tokens
    best = [int(i) for i in np.argsort(-share, kind="stable")[:3]]
    if not share[best[0]] > 0:
        return f"By {shown.method} no token gets any attention here."
    what = _listed([f"{names[i]} ({_percent(float(share[i]))})" for i in best])
    source = f" from {' '.join(shown.tokens[i] for i in asked)}" if asked else ""
    return f"By {shown.method}, most attention{source} goes to {what}."


def plain_finding(
    roles: Sequence[Sequence[HeadRole]], number: Callable[[int], int] = lambda row: row
) -> str:
    """Say which roles the heads of a plain text play, and which head is the clearest.

    number: gives the network's own number of the layer in a row of `roles`, from 0.

    >>> plain_finding([[HeadRole("separator", 0.9), HeadRole("broad", 0.8)]])
    'Of 2 heads of layer 1, 1 rests on special tokens and 1 spreads broadly; the clearest is \
layer 1, head 1 (separator: 90\\xa0% of its attention).'
    """
    counts = Counter(role.name for layer in roles for role in layer)
    total = counts.total()
    those = f"{total} head{'s' * (total != 1)}"
    those += f" of layer {number(0) + 1}" if len(roles) == 1 else ""
    named = [(n, name) for name, n in counts.most_common() if name not in ("mixed", "broad")][:3]
    played = named + [(counts["broad"], "broad")] * (counts["broad"] > 0)
    if not played:
        if total == 1:
            return f"The one head of layer {number(0) + 1} plays no single role: it is mixed."
        return f"None of the {those} plays a single role: their attention is mixed."
    what = _listed([f"{n} {_DOES[name][n > 1]}" for n, name in played])
    layer, head = clearest(roles)
    return (
        f"Of {those}, {what}; the clearest is layer {number(layer) + 1}, head {head + 1} "
        f"({roles[layer][head].sentence})."
    )


def clearest(notes: Sequence[Sequence[Any]]) -> tuple[int, int]:
    """Return layer and head of the most telling note, the first of equals."""
    ranked = [
        (telling(note), -layer, -head)
        for layer, row in enumerate(notes)
        for head, note in enumerate(row)
    ]
    _, layer, head = max(ranked)
    return -layer, -head


def masked_finding(shown: View, roles: Sequence[Sequence[HeadRole]]) -> str:
    """Say what the heads look at from the hidden tokens.

    `roles` are those of the hidden tokens' rows: `head_roles(…, queries=shown.hidden)`.
    """
    count = sum(shown.hidden)
    if not count and shown.keys is not None:
        return plain_finding(roles, shown.number)
    if not count:
        return f"What was hidden is left out. {plain_finding(roles, shown.number)}"
    what = plain_finding(roles, shown.number)
    if shown.block > 1:
        return f"At the hidden tokens, {what[0].lower()}{what[1:]}"
    return f"At the {_counted(count, 'hidden token')}, {what[0].lower()}{what[1:]}"


def difference_finding(
    shown: View, roles: Sequence[Sequence[HeadChange]], doing: str = "Masking"
) -> str:
    """Say how much attention the mask moves, and in which head most."""
    import numpy as np

    change = np.array([[head.share for head in layer] for layer in roles], np.float32)
    if float(change.max()) < 0.0005 and shown.block > 1:
        return f"{doing} moves no attention from one block of {shown.block} tokens to another."
    if float(change.max()) < 0.0005:
        return f"{doing} moves no attention: plain and masked are the same."
    layer, head = (int(i) for i in np.unravel_index(change.argmax(), change.shape))
    if shown.method != "raw":
        return (
            f"{doing} moves {_percent(float(change[-1, 0]))} of what {shown.method} gives to "
            "other tokens."
        )
    least = int(change.mean(1).argmin())
    fewest = _percent(float(change[least].mean()))
    others = "tokens" if shown.block == 1 else f"blocks of {shown.block} tokens"
    return (
        f"{doing} moves {_percent(float(change.mean()))} of the attention to other {others}; most "
        f"in layer {shown.number(layer) + 1}, head {head + 1}, which moves "
        f"{_percent(float(change[layer, head]))}"
        + (
            f", least in layer {shown.number(least) + 1} ({fewest} on average)."
            if np.ptp(change.mean(1)) > 0
            else "."
        )
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}s" if number > 1 else what


def _percent(share: float) -> str:
    return percent(share, 0 if share >= 0.0995 else 1)


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
