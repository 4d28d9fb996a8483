"""Guide: masked attention with the reader's own sentence and numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from maskviz.figures.canvas import head_message
from maskviz.inside.arithmetic import HeadArithmetic, head_arithmetic
from maskviz.inside.beginning import beginning_notice, read_beginning
from maskviz.inside.tape import attending, parts_of, shape_of
from maskviz.masks import MATRICES, Encoding, attention_edges
from maskviz.models import Model, load_model
from maskviz.ui.components.attention_head import attention_head
from maskviz.ui.guide import choice as guide_choice
from maskviz.ui.guide import terms as guide_terms
from maskviz.ui.mask import panels as mask_panels
from maskviz.ui.shared import state
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.page import close_page, errors, escape, open_page

LONGEST = 48  # tokens: a row of numbers that a person still reads
EVERYWHERE, LAYER, HEAD = "every layer and head", "this layer alone", "this head alone"


def main() -> None:
    """The formula, one row of it in numbers, and the two pictures."""
    view = open_page()
    headline = st.empty()
    with errors():
        worked(view, headline)
    with errors():
        guide_choice.show()
        questions()


def worked(view: state.View, headline: st.delta_generator.DeltaGenerator) -> None:
    """The reader's own row of the formula, and the pictures."""
    model = load_model(view.model)
    encoding = read_beginning(state.current_mask(view), "attention", model)
    name, row, layer, head = choices(model, encoding)
    where = acts_in()
    asked, parameters = mask_panels.matrix_parameters(name, "guide", view)
    if asked is None:
        headline.markdown("### Give a table of 0 and 1: who may attend to whom.")
        return
    allowed, found, plain = compute(view, name, layer, head, parameters, where)
    said = guide_terms.finding(encoding.tokens, found, plain, row, name)
    headline.markdown(f"### {escape(said)}")
    if notice := beginning_notice(encoding, model, "Arithmetic"):
        st.caption(escape(notice))
    formula()
    arithmetic(encoding, allowed, found, row)
    pictures(encoding, allowed, found)


def choices(model: Model, encoding: Encoding) -> tuple[str, int, int, int]:
    """Ask for the matrix, the query token and the head."""
    part = parts_of(model)[0]
    numbers, (_, heads) = attending(model, part), shape_of(model, part)
    first, second, third, fourth = st.columns([3, 3, 1, 1])
    name = first.selectbox(
        "Attention matrix", list(MATRICES), key="guide_matrix", help=mask_panels.matrix_help()
    )
    reads = min(len(encoding), LONGEST)
    start = next((i for i in range(reads) if not encoding.special[i]), 0)
    row = second.selectbox(
        "Query token",
        range(reads),
        index=start,
        format_func=lambda i: f"{i + 1}  {encoding.tokens[i]}",
        key=f"guide_row_{len(encoding)}",
    )
    layer = third.selectbox(
        "Layer",
        numbers,
        index=min(1, len(numbers) - 1),
        format_func=lambda number: str(number + 1),
        key=f"guide_layer_{len(numbers)}_{numbers[-1]}",
    )
    head = fourth.number_input("Head", 1, heads, 1, key="guide_head")
    return name, row, layer, head - 1


def acts_in() -> str:
    """Ask in which layers and heads the matrix acts."""
    return str(
        st.segmented_control(
            "The matrix acts in",
            [EVERYWHERE, LAYER, HEAD],
            default=EVERYWHERE,
            key="guide_where",
            required=True,
        )
    )


def compute(
    view: state.View,
    name: str,
    layer: int,
    head: int,
    parameters: Mapping[str, Any],
    where: str = EVERYWHERE,
) -> tuple[np.ndarray, HeadArithmetic, HeadArithmetic]:
    """Return the matrix and the head's numbers with and without it."""
    spans = tuple((s.start, s.end) for s in state.current_mask(view).spans)
    given = tuple(sorted(parameters.items()))
    return _compute(view.text, view.model, spans, name, layer, head, given, where, view)


@st.cache_data(max_entries=64, show_spinner="Running the model …")
def _compute(
    text: str,
    model: str,
    spans: tuple,
    name: str,
    layer: int,
    head: int,
    given: tuple,
    where: str,
    _view: state.View,
) -> tuple[np.ndarray, HeadArithmetic, HeadArithmetic]:
    loaded = load_model(model)
    hidden = read_beginning(state.current_mask(_view), "attention", loaded)
    plain = read_beginning(text, "delete", loaded)
    edges = attention_edges(
        name, hidden,
        None if where == EVERYWHERE else [layer], [head] if where == HEAD else None,
        **dict(given),
    )  # fmt: skip
    acting = edges.allowed if where == EVERYWHERE else edges
    return (
        edges.allowed,
        head_arithmetic(loaded, plain, layer, head, acting),
        head_arithmetic(loaded, plain, layer, head),
    )


def formula() -> None:
    """The formula with its four steps."""
    st.latex(
        # Two short lines, which a phone shows whole.
        r"\begin{gathered}\mathrm{attention}(Q, K, V) = \mathrm{softmax}(S)\, V \\[0.4em]"
        r"S = \frac{QK^{\top}}{\sqrt{d}} + \log M, \quad M_{ij} \in \{0, 1\}\end{gathered}"
    )
    st.caption(
        "M is 1 where query i may attend to key j. log 1 = 0 leaves a score as it is; "
        "log 0 = −∞ makes its weight 0. The diagonal always stays 1, so that no row is empty."
    )


def arithmetic(encoding: Encoding, allowed: np.ndarray, found: HeadArithmetic, row: int) -> None:
    """One row of the formula: score, what is added, mask, weight, and the weighted sum."""
    reads = min(len(encoding), LONGEST)
    table = guide_terms.table(found, allowed, row, encoding.tokens[:reads])
    st.markdown(f"**The row of “{escape(encoding.tokens[row])}”, key by key**")
    grid(
        table,
        "attention",
        height=min(38 + 35 * len(table), 420),
        column_config={
            **{
                name: st.column_config.NumberColumn(format="%.2f")
                for name in table
                if name == "score q·k/√d" or name.startswith("bias")
            },
            "weight": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
            "value v₁": st.column_config.NumberColumn(format="%.3f"),
            "weight · v₁": st.column_config.NumberColumn(format="%.3f"),
        },
    )
    token, width = escape(encoding.tokens[row]), found.output.shape[1]
    shown = "" if reads == len(encoding) else f" over all {len(encoding)} tokens"
    st.caption(
        f"The last column adds up to {found.output[row, 0]:.3f}{shown}, the first of the {width} "
        f"numbers that this head passes on for “{token}”. {guide_terms.said(found, allowed, row)}"
    )


def pictures(encoding: Encoding, allowed: np.ndarray, found: HeadArithmetic) -> None:
    """The matrix beside the attention it causes."""
    left, right = st.columns(2)
    common = {"hidden": encoding.hidden, "special": encoding.special}
    with left:
        st.markdown("**The matrix M**: a filled cell may attend")
        matrix = head_message(
            allowed.astype(np.float32),
            encoding.tokens,
            label="The matrix M",
            unit="100 percent: may attend; 0: may not.",
            **common,
        )
        attention_head(matrix, "guide_m")
    with right:
        st.markdown("**The attention it causes** in this head")
        caused = head_message(found.weights, encoding.tokens, label="Attention under M", **common)
        attention_head(caused, "guide_a")


def questions() -> None:
    """What people ask, answered where the answer can be tried."""
    st.subheader("Questions", divider="gray")
    for question, answer in [*guide_choice.answers(), guide_choice.distracted()]:
        with st.expander(question):
            st.markdown(escape(answer))
    with st.expander("Why 15 %?"):
        guide_choice.why_this_ratio()
    for question, answer in QUESTIONS:
        with st.expander(question):
            st.markdown(answer)


QUESTIONS = (
    (
        "What is the difference between hiding a word and hiding it from attention?",
        "The operator *mask* puts another token in its place: the model sees that something is "
        "missing. The operator *attention* leaves the token where it is and takes it out of every "
        "other token's sum; its position stays, and nothing stands in its place. Switch between "
        "them under **More** on the Mask page.",
    ),
    (
        "Does a change in the answer prove that the model relies on the hidden words?",
        "Not alone: hiding anything changes something. So Compare draws random masks of the same "
        "size and shows the band that chance covers. What lies outside it is worth a look.",
    ),
    (
        "Is attention an explanation?",
        "It shows where information may flow, not what the answer rests on. The strategy *key* "
        "asks the second question: it hides each word and measures the fall.",
    ),
)

main()
close_page()
