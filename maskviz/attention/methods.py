"""Attention methods: what one makes of the weights of all heads.

A method is a small function over the layers of one pass, from the first to the last; it yields
the maps to show, (heads or 1, queries, keys) each. A is the weights of one layer (heads, q, k),
E_h the mean over heads, I the identity. They are registered in METHODS; `attend(method=…)`, the
command line and the Attention page offer what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..errors import CapabilityError, ParameterError
from ..inside.projection import Gated
from ..inside.watch import Layer

FLOW_RATE = 40_000_000  # edges that flows visit in a second, measured on one core
FLOW_SECONDS = 60  # that flows of one view may take


Reduce = Callable[[Iterable[Layer]], Iterator[Any]]
Across = Callable[[Mapping[str, Iterable[Layer]]], Iterator[Any]]
R = TypeVar("R", bound=Reduce)


@dataclass(frozen=True)
class Method:
    """A method with what it needs of a pass: `weights`, `values` or `gradients`.

    square: it follows attention through the layers, so that queries and keys must be the same
    tokens. across: what it makes of encoder, decoder and cross-attention together, where it can.
    """

    name: str
    summary: str
    needs: str
    square: bool
    function: Reduce
    across: Across | None = None

    def of_weights(self, part: str) -> bool:
        """Return whether the weights of all layers of a part are all that it is made of."""
        return self.needs == "weights" and not (self.square and part == "cross")


METHODS: dict[str, Method] = {}


def _method(
    name: str,
    summary: str,
    needs: str = "weights",
    square: bool = False,
    across: Across | None = None,
) -> Callable[[R], R]:
    def register(function: R) -> R:
        METHODS[name] = Method(name, summary, needs, square, function, across)
        return function

    return register


@_method("raw", "The attention of each head.")
def raw(layers: Iterable[Layer]) -> Iterator[Any]:
    """Yield A as it is: softmax(QKᵀ/√d) of each head (Vaswani et al. 2017)."""
    for layer in layers:
        yield _float(layer.weights)


@_method("mean", "The mean of a layer's heads.")
def mean(layers: Iterable[Layer]) -> Iterator[Any]:
    """Yield E_h A of each layer."""
    for layer in layers:
        yield _mean(layer)


@_method("rollout", "Attention followed through the layers, with residual paths.", square=True)
def rollout(layers: Iterable[Layer]) -> Iterator[Any]:
    """Yield R_l = Ã_l R_(l−1), with R_0 = I and Ã = (E_h A + I) / row sums.

    Abnar & Zuidema 2020, "Quantifying Attention Flow in Transformers",
    https://aclanthology.org/2020.acl-main.385.
    """
    reached: Any = None
    for layer in layers:
        step = with_residual(layer)
        reached = step if reached is None else step @ reached
        yield reached


@_method("flow", "The most attention that can flow from token to token.", square=True)
def flow(layers: Iterable[Layer], queries: Sequence[int] | None = None) -> Iterator[Any]:
    """Yield one map: maximum flow from each token of the last layer to each input token.

    Nodes are the tokens of each layer; the edges from a layer to the one below have the
    capacities Ã of `rollout`. Capacities are whole multiples of 1e−9. Abnar & Zuidema 2020.
    With `queries` only from these tokens, the other rows are 0. Raises ParameterError where that
    would take minutes.
    """
    import numpy as np

    steps = [with_residual(layer)[0] for layer in layers]
    count = len(steps[0])
    rows = range(count) if queries is None else queries
    if any(not 0 <= row < count for row in rows):
        raise ParameterError(f"A query is outside the text: it has {count} tokens, counted from 0.")
    _affordable(len(rows), len(steps), count)
    whole = np.zeros((count, count))
    for row in rows:
        whole[row] = flow_from(steps, np.eye(count)[row])
    yield whole[None]


def flow_seconds(queries: int, layers: int, tokens: int) -> float:
    """Estimate how long the flows from so many queries to all tokens take, in seconds.

    One flow visits the edges of all layers once or a few times.

    >>> round(flow_seconds(1, 12, 512)), round(flow_seconds(100, 12, 100))
    (40, 30)
    """
    return queries * layers * tokens**3 / FLOW_RATE


def flow_from(steps: list[Any], start: Any) -> Any:
    """Return the maximum flow to each input token, (tokens,), from `start` (tokens,) at the top.

    `steps` are the capacities (tokens, tokens) between layers, the lowest first; `start` is what
    each token of the last layer may send.
    """
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    count, unit = len(start), 1e9
    _affordable(1, len(steps), count)
    edges = csr_array(_graph([*steps, np.asarray(start)[None]], unit))
    edges.eliminate_zeros()
    top = edges.shape[0] - 1
    return np.array([maximum_flow(edges, top, i).flow_value for i in range(count)]) / unit


def _graph(steps: list[Any], unit: float) -> Any:
    """Return the capacities between neighbouring layers of nodes as whole numbers, sparse.

    The last step is that of one node, which sends to the tokens of the last layer.
    """
    import numpy as np
    from scipy.sparse import coo_array

    count = steps[0].shape[1]
    parts = []
    for i, step in enumerate(steps):
        rows, columns = np.indices(step.shape).reshape(2, -1)
        parts.append((rows + (i + 1) * count, columns + i * count, np.rint(step * unit).ravel()))
    rows, columns, capacities = (np.concatenate(part) for part in zip(*parts, strict=True))
    size = len(steps) * count + 1
    return coo_array((capacities.astype(np.int32), (rows, columns)), shape=(size, size))


def _affordable(queries: int, layers: int, tokens: int) -> None:
    """Raise ParameterError where flows from so many queries would take minutes."""
    seconds = flow_seconds(queries, layers, tokens)
    if seconds > FLOW_SECONDS:
        fewer = int(queries * FLOW_SECONDS / seconds)
        raise ParameterError(
            f"Flow from {queries} tokens through {layers} layers of {tokens} tokens would take "
            f"about {seconds:,.0f} seconds, more than {FLOW_SECONDS}: "
            + (f"ask for at most {fewer} queries" if fewer else "shorten the text")
            + ", or choose rollout."
        )


@_method("norm", "The length of what each token brings: ‖α f(x)‖.", needs="values")
def norm(layers: Iterable[Layer]) -> Iterator[Any]:
    """Yield ‖Σ_h α_h (x_j W_V + b) W_O‖ of each layer, rows scaled to sum to 1.

    Kobayashi, Kuribayashi, Yokoi & Inui 2020, "Attention is Not Only a Weight",
    https://aclanthology.org/2020.emnlp-main.574; the heads are summed before the norm.
    """
    for layer in layers:
        yield _shares(norms(layer))[None]


def norms(layer: Layer) -> Any:
    """Return ‖Σ_h α_h,ij f_h(x_j)‖, float64 (queries, keys), as the paper has it.

    Through the products of the heads at each key, so that no (queries, keys, width) is held.
    """
    import numpy as np

    if layer.values is None or layer.projection is None:
        raise CapabilityError(
            "This architecture does not show the values or the output projection of its "
            "attention: choose raw, mean or rollout."
        )
    weights = _float(layer.weights).astype(np.float64)  # (h, q, k)
    if isinstance(layer.projection, Gated):
        return _behind_gate(weights, layer.values, layer.projection)
    brought = np.einsum("hkd,hdw->khw", layer.values, layer.projection)  # f_h(x_k)
    gram = brought @ brought.swapaxes(1, 2)  # (k, h, h)
    squares = np.zeros(weights.shape[1:])
    for h in range(len(weights)):
        squares += weights[h] * np.einsum("gqk,kg->qk", weights, gram[:, h])
    return np.sqrt(np.maximum(squares, 0))


def _behind_gate(weights: Any, values: Any, projection: Gated) -> Any:
    """Return ‖Σ_h (g_h,i ⊙ α_h,ij v_h,j) W_h‖, (queries, keys): a gate is of each query."""
    import numpy as np

    found = np.zeros(weights.shape[1:])
    whole = projection.weight.reshape(-1, projection.weight.shape[-1])  # (h · d, width)
    for i, row in enumerate(found):
        gated = values * projection.gate[:, i, None]  # (h, k, d)
        each = gated * weights[:, i, :, None].astype(np.float32)
        row[:] = np.linalg.norm(each.swapaxes(0, 1).reshape(len(row), -1) @ whole, axis=-1)
    return found


def relevance_across(parts: Mapping[str, Iterable[Layer]]) -> Iterator[Any]:
    """Yield R_ti of each decoder layer: what the tokens of the target take from those of the text.

    With Ā as in `relevance` and R_ii, R_tt, R_ti (from I, I, 0) of text and target: self-attention
    of the decoder adds Ā R_tt to R_tt and Ā R_ti to R_ti, cross-attention R̄_ttᵀ Ā R̄_ii to R_ti,
    where R̄ is I + (R − I) / row sums. Chefer, Gur & Wolf 2021, equations 6 to 10.
    """
    import numpy as np

    *_, text = relevance(parts["encoder"])
    text, target, total = _added(text[0]), None, None
    for own, cross in zip(parts["decoder"], parts["cross"], strict=True):
        step, towards = _contribution(own), _contribution(cross)
        target = np.eye(len(step)) if target is None else target
        total = np.zeros(towards.shape) if total is None else total
        target, total = target + step @ target, total + step @ total
        total = total + _added(target - np.eye(len(target))).T @ towards @ text
        yield total[None]


def _added(more: Any) -> Any:
    """Return R̄ = I + (R − I) / row sums of what R − I is; a row of nothing stays nothing."""
    import numpy as np

    return np.eye(len(more)) + _shares(more)


def _contribution(layer: Layer) -> Any:
    """Return Ā = E_h (∇A ⊙ A)⁺, float64 (queries, keys)."""
    import numpy as np

    if layer.gradient is None:
        raise CapabilityError("This architecture gives no gradient: choose raw or rollout.")
    return np.maximum(_float(layer.gradient).astype(np.float64) * layer.weights, 0).mean(0)


@_method(
    "relevance",
    "Attention weighted by its gradient.",
    needs="gradients",
    square=True,
    across=relevance_across,
)
def relevance(layers: Iterable[Layer]) -> Iterator[Any]:
    """Yield R ← R + Ā R, with R_0 = I and Ā = E_h (∇A ⊙ A)⁺, less I: what attention adds.

    ∇A is the gradient of the answer's logit. Chefer, Gur & Wolf 2021, "Generic
    Attention-model Explainability", https://arxiv.org/abs/2103.15679, equations 5 and 6.
    """
    import numpy as np

    total: Any = None
    for layer in layers:
        step = _contribution(layer)
        total = np.eye(len(step)) if total is None else total
        total = total + step @ total
        yield (total - np.eye(len(total)))[None]


@_method("uniform", "The same to every token: the baseline a claim must beat.")
def uniform(layers: Iterable[Layer]) -> Iterator[Any]:
    """Yield one map: 1 / n to each of the n keys that a query may attend to."""
    import numpy as np

    for layer in layers:
        seen = (_float(layer.weights) > 0).any(0)
        yield (seen / np.maximum(seen.sum(-1, keepdims=True), 1))[None]
        return


def _float(values: Any) -> Any:
    import numpy as np

    return np.asarray(values, dtype=np.float32 if np.asarray(values).itemsize < 8 else None)


def _mean(layer: Layer) -> Any:
    return _float(layer.weights).mean(0, keepdims=True)


def with_residual(layer: Layer) -> Any:
    """Return Ã = (E_h A + I) / row sums, (1, tokens, tokens)."""
    import numpy as np

    step = _mean(layer).astype(np.float64)
    step = step + np.eye(step.shape[-1])
    return step / step.sum(-1, keepdims=True)


def _shares(values: Any) -> Any:
    import numpy as np

    return values / np.maximum(values.sum(-1, keepdims=True), np.finfo(float).tiny)
