"""What the Mask page folds away: the audit, and the mask as a matrix inside attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from maskviz.masks import MATRICES, Mask, apply, attention_matrix
from maskviz.masks.audit import StrategyAudit, audit
from maskviz.masks.operators import UNITS
from maskviz.text.percent import percent
from maskviz.ui.shared import state
from maskviz.ui.shared.page import sentences_table

DRAWS = 100
LONGEST = 256  # tokens: a matrix that a page still sends at once
_UNLIKELY = 0.01  # p of span lengths below which they are told apart

# the audit ----------------------------------------------------------------------------------


def audit_panel(view: state.View) -> None:
    """The strategy, drawn with many seeds, counted; run when it is asked for."""
    if view.saved is not None or view.strategy == "manual":
        st.caption("The audit counts what a strategy hides: choose one.")
        return
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    unit = "token"
    if view.operator == "corrupt":
        unit = left.selectbox("Drawn for each", UNITS, key="audit_unit")
    key = f"audit_{view.text}_{view.revision}_{view.operator}_{view.model}"
    if right.button("Run the audit", key="audit_run"):
        st.session_state["audit_shown"] = key
    if st.session_state.get("audit_shown") != key:
        st.caption(
            f"Draws this strategy with {DRAWS} seeds on this text and counts what came of it. For "
            "a file: `maskviz audit --file`."
        )
        return
    alone = not (view.combined or view.complement)
    _audit_table(_audit(key, unit, view), view.operator, alone)


@st.cache_data(max_entries=64, show_spinner="Counting …", show_time=True)
def _audit(key: str, unit: str, _view: state.View) -> StrategyAudit:
    view = _view
    second = view.second if view.combined else None
    drawn = view.operator == "corrupt" or any(c.draws for c in (view.first, second) if c)
    found = audit(
        [view.text] * (DRAWS if drawn else 1),
        [view.strategy],
        ratio=view.ratio,
        seed=view.seed,
        model=view.model,
        operator=view.operator,
        unit=unit,
        parameters={view.strategy: {"model": view.model, **view.parameters}},
        second=second,
        join=view.sign if second else "or",
        complement=view.complement,
    )
    return found.strategies[view.strategy]


def _audit_table(found: StrategyAudit, operator: str, alone: bool) -> None:
    asked = "all that matches" if found.requested_ratio is None else percent(found.requested_ratio)
    whole = _partly_expected(found.strategy) if alone else ""
    rows = [
        ("Words hidden", percent(found.realised_ratio), asked if alone else ""),
        ("Model tokens hidden", percent(found.realised_token_ratio), ""),
        ("Units hidden in part", f"{found.partly_hidden:,}", whole),
        *_split_rows(found.split, operator),
    ]
    if found.p_value is not None:
        rows.append(("Span lengths, χ² test", f"p = {found.p_value:.3g}", _fits(found.p_value)))
    head = ("Counted", "Found", "Asked for")
    sentences_table([dict(zip(head, row, strict=True)) for row in rows])


def _fits(p_value: float) -> str:
    told = "told apart" if p_value <= _UNLIKELY else "not told apart"
    return f"above {_UNLIKELY}: they are {told} from the truncated geometric distribution"


def _partly_expected(strategy: str) -> str:
    whole = ("random", "span", "entity", "sentence", "collocation", "key")
    return "0" if strategy in whole else ""


def _split_rows(split: Mapping[str, float], operator: str) -> list[tuple[str, str, str]]:
    if operator != "corrupt":
        return []
    names = {"mask": ("became the mask token", "80 %"), "other": ("became a random token", "10 %"),
             "keep": ("stayed", "10 %")}  # fmt: skip
    return [
        (f"Hidden tokens that {said}", percent(split.get(kind, 0.0)), asked)
        for kind, (said, asked) in names.items()
    ]


# the matrix ---------------------------------------------------------------------------------


def matrix_panel(view: state.View, chosen: Mask) -> None:
    """Who may attend to whom; the attention it causes is one click away, on the Guide page."""
    if not st.toggle("Show the matrix", key="matrix_shown"):
        st.caption("Rows are queries, columns keys; a pair that is crossed out gets weight 0.")
        return
    encoding = apply(chosen, "attention", view.model)
    if len(encoding) > LONGEST:
        st.info(
            f"The text has {len(encoding):,} tokens and the picture takes {LONGEST}: shorten it."
        )
        return
    name, parameters = matrix_choice("mask", view)
    if name is None:
        return
    allowed = attention_matrix(name, encoding, **parameters)
    from maskviz.figures.canvas import head_message  # NumPy: after the first paint
    from maskviz.ui.components.attention_head import attention_head

    message = head_message(
        allowed.astype("float32"),
        encoding.tokens,
        label=f"The matrix {name}",
        unit="100 percent: may attend; 0: may not.",
        hidden=encoding.hidden,
        special=encoding.special,
    )
    attention_head(message, f"mask_matrix_{len(encoding)}")
    st.caption(_may_attend(name, float(allowed.mean())))


def _may_attend(name: str, share: float) -> str:
    return (
        f"{name}: {percent(share)} of all pairs may attend, the filled ones. The Guide page shows "
        "the attention it causes, with its numbers."
    )


def matrix_choice(page: str, view: state.View) -> tuple[str | None, dict[str, Any]]:
    """Ask for a matrix and what it takes; None while a CSV is awaited."""
    name = st.selectbox(
        "Attention matrix", list(MATRICES), key=f"{page}_matrix", help=matrix_help()
    )
    return matrix_parameters(name, page, view)


def matrix_parameters(name: str, page: str, view: state.View) -> tuple[str | None, dict[str, Any]]:
    """Ask for what a matrix takes; no name while a CSV is awaited."""
    if name == "random":
        left, right = st.columns(2)
        ratio = left.slider(
            "Pairs that may attend", 0, 100, 50, format="%d %%", key=f"{page}_pairs"
        )
        seed = right.number_input("Seed of the matrix", 0, state.SEEDS, 0, key=f"{page}_pairs_seed")
        return name, {"ratio": ratio / 100, "seed": int(seed)}
    if name == "window":
        width = st.number_input("Tokens to each side", 0, 512, 3, key=f"{page}_width")
        return name, {"width": int(width)}
    if name != "custom":
        return name, {}
    uploaded = st.file_uploader(
        "A CSV of 0 and 1, one row per token that asks and one column per token it may see",
        type="csv",
        key=f"{page}_custom",
    )
    tokens = len(apply(state.current_mask(view), "attention", view.model))
    row = ",".join("1" * tokens)
    st.download_button(
        f"A table of {tokens} × {tokens} to start from", "\n".join([row] * tokens), "matrix.csv",
        "text/csv", on_click="ignore", key=f"{page}_custom_start",
    )  # fmt: skip
    if uploaded is None:
        return None, {}
    return name, {"values": uploaded.getvalue().decode("utf-8-sig", errors="replace")}


def matrix_help() -> str:
    """Say of each matrix in a line what it allows."""
    said = {name: (function.__doc__ or "").splitlines()[0] for name, function in MATRICES.items()}
    return "\n".join(f"- **{name}**: {line}" for name, line in said.items())
