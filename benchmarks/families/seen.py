"""Checks of attention: what is shown, one head's numbers, hidden words, matrices."""

from __future__ import annotations

from typing import Any

from .checks import check
from .marks import NoReference, must
from .subject import Subject
from .tiny import TEXT

SPARSE = {"deepseek_v32", "glm_moe_dsa", "axk2", "hy_v4", "qwen4_exp_text", "doge"}
SINKS = {"gpt_oss", "deepseek_v4", "mimo_v2_flash"}
NEAR = 2e-3  # of weights, which are kept in float16


@check("Attention")
def attends(one: Subject) -> None:
    """Each part's weights are those that transformers shows, and so are those of `attend`."""
    import maskviz
    from maskviz.attention import parts_of

    parts = parts_of(one.model) if one.two_sided and one.head != "cls" else ("encoder",)
    found = {part: captured(one, part=part) for part in (parts if one.two_sided else (None,))}
    own = one.attentions()
    for part, layers in found.items():
        _same(layers, own[part], f"{part or 'attention'}")
    _same(maskviz.attend(TEXT, one.model).weights, own[one.part], "attend")


@check("One head's numbers")
def arithmetic(one: Subject) -> None:
    """The weights of the first and the last head of the first layer that attends are its own."""
    from maskviz.attention import parts_of
    from maskviz.inside.arithmetic import head_arithmetic
    from maskviz.inside.record import record

    own = one.shown()[0]
    first = record(one.model, one.plain, parts_of(one.model)[0])[0].number
    for head in (0, len(own) - 1):
        found = head_arithmetic(one.model, one.plain, first, head).weights
        must(_off(found, own[head]) < NEAR, f"head {head + 1}: {_apart(found, own[head])}")


@check("Operator attention")
def hides(one: Subject) -> None:
    """A hidden word's column is empty, and the rest is as transformers has it under the mask."""
    import maskviz
    from maskviz.attention import parts_of
    from maskviz.errors import CapabilityError

    hidden = maskviz.apply(one.mask, "attention", one.model)
    must(list(hidden.attention_mask) == one.seen, f"the mask is {hidden.attention_mask}")
    own = one.attentions(one.seen)
    parts = parts_of(one.model) if one.head != "cls" else ("encoder",)
    for part in parts if one.two_sided else (None,):
        try:
            found = captured(one, hidden, part=part)
        except CapabilityError as error:
            raise NoReference("its attention is not shown") from error
        _same(found, own[part], f"{part or 'attention'} with a hidden word")
        if part == "decoder":
            continue
        rows = [i for i in range(found.shape[2]) if part == "cross" or one.seen[i]]
        must(found[:, :, rows][..., list(one.hidden)].max() < 1e-4, "a hidden word is attended to")


@check("Matrix", needs="attends")
def matrix(one: Subject) -> None:
    """No attention passes where a matrix has 0, and none is opened that the network does not have.

    The first layer is its plain self, renormalised over what is allowed.
    """
    import numpy as np

    from maskviz.masks import attention_matrix

    own = np.stack(one.shown())
    for name, given in (
        ("window", {"width": 2}), ("same-sentence", {}), ("random", {"ratio": 0.5, "seed": 1}),
    ):  # fmt: skip
        allowed = attention_matrix(name, one.plain, **given)
        found = captured(one, allowed=allowed, part=one.part)
        must(found[:, :, ~allowed].max() < 1e-4, f"{name}: attention passes where it has 0")
        if one.name in SPARSE:  # an indexer chooses its few keys anew among those allowed
            continue
        opened = found * (own == 0).all(1, keepdims=True) * allowed
        must(name == "random" or opened.max() < 1e-3, f"{name}: opens what the network has not")
        if one.name in SINKS or own[0].sum(-1).min() < 0.99:
            continue
        want = own[0] * allowed
        total = want.sum(-1, keepdims=True)
        rows = total[..., 0].min(0) > 1e-4
        off = np.abs(found[0] - want / np.maximum(total, 1e-9))[:, rows].max()
        must(
            off < 3 * NEAR, f"{name}: layer 1 is not its plain self renormalised, off by {off:.2g}"
        )


@check("Matrix", needs="attends")
def ones(one: Subject) -> None:
    """A matrix of ones changes neither attention nor an answer."""
    import numpy as np

    from maskviz.inside.steering import predict_under

    allowed = np.ones((len(one.ids), len(one.ids)), bool)
    _same(captured(one, allowed=allowed, part=one.part), one.shown(), "under a matrix of ones")
    if one.head == "cls":
        found = list(predict_under(one.model, one.plain, allowed).probabilities.values())
        must(np.abs(found - one.chances(one.ids)).max() < 1e-3, "a matrix of ones moves the answer")


def captured(one: Subject, encoding: Any = None, allowed: Any = None, part: Any = None) -> Any:
    """Return maskviz's raw attention of a part, float32 (layers, heads, queries, keys)."""
    import numpy as np

    from maskviz.attention import parts_of
    from maskviz.attention.capture import capture

    target = one.target if part in ("decoder", "cross") else ()
    at = part or parts_of(one.model)[0]
    found = capture(one.model, encoding or one.plain, allowed, "raw", at, target)
    return np.asarray(found, np.float32)


def _same(found: Any, own: list[Any], what: str) -> None:
    must(own, f"{what}: shown where transformers shows none")
    must(len(found) == len(own), f"{what}: {len(found)} layers, transformers has {len(own)}")
    for i, (layer, want) in enumerate(zip(found, own, strict=True)):
        must(_off(layer, want) < NEAR, f"{what}, layer {i + 1}: {_apart(layer, want)}")


def _off(found: Any, want: Any) -> float:
    import numpy as np

    if found.shape != want.shape or not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(found.astype(np.float32) - want).max())


def _apart(found: Any, want: Any) -> str:
    if found.shape != want.shape:
        return f"shape {found.shape}, transformers has {want.shape}"
    return f"off by {_off(found, want):.2g}"
