"""The Compare page over pairs: does the answer change with he for she, or another name?"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from maskviz.data import guess_columns, preview
from maskviz.evidence.counterfactual.fairness import ORACLE, Gap
from maskviz.evidence.counterfactual.finding import finding, verdicts
from maskviz.evidence.counterfactual.swaps import categories
from maskviz.evidence.jobs.jobs import Job
from maskviz.evidence.text.scale import shortened, visible
from maskviz.figures import compare as figures
from maskviz.readings.question import Spec, asked
from maskviz.ui.compare.file import begin, cluster_control, head, long_control
from maskviz.ui.compare.result import exports
from maskviz.ui.compare.tab import tab
from maskviz.ui.shared import state
from maskviz.ui.shared.asking import question_controls, question_more, spec_of
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.controls import operator_control_of, strategies_offered
from maskviz.ui.shared.grid import grid, in_names
from maskviz.ui.shared.page import escape

KIND = "fairness"
_EMPTY = (
    "Drop a file to learn whether the answer changes with who it is about.",
    "Texts in one column: the other text of each pair is made by swapping words, he for she, one "
    "name for another. Or two columns with pairs of your own.",
)
_SWAP, _PAIRS = "Swap words in one column", "Two columns of texts"


def show(view: state.View) -> None:
    """Upload, choose, run; the result stays until another file is compared."""
    tab(
        KIND,
        "fairness",
        result=lambda job: _job(view, job),
        form=lambda name, path: _form(view, name, path),
        asks=lambda name: f"Does the answer change with who {name} is about?",
        empty=_EMPTY,
    )


def _job(view: state.View, job: Job) -> None:
    """Progress while it runs, then the result; what is there so far is shown in both."""
    status = job.status()
    head(job, status)
    found = job.result()
    if found:
        _result(view, found, job if status.ended else None)


def _form(view: state.View, name: str, path: Path) -> None:
    rows = preview(path, name, 200)
    columns = [str(c) for c in rows.columns]
    guessed = columns.index(str(guess_columns(rows).text))
    key = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    st.dataframe(in_names(rows.head(5)), hide_index=True, width="stretch")
    question_controls(view)
    view = state.current()
    question = spec_of(view)
    labels = asked(view.model, question).outputs
    how = st.segmented_control(
        "Pairs", [_SWAP, _PAIRS], default=_SWAP, required=True, key=f"fh{key}"
    )
    left, right = st.columns(2)
    first = left.selectbox("Text column", columns, guessed, key=f"ft{key}")
    given: dict[str, Any] = {}
    if how == _PAIRS:
        others = [c for c in columns if c != first]
        second = right.selectbox("Column of the other text", others, key=f"fo{key}")
        given |= {"first": first, "second": second}
    else:
        swapped = right.pills(
            "Swap", categories(), selection_mode="multi",
            default=["gender", "names", "names-alike", "places"], key=f"fs{key}", wrap=True,
            help="names: of another group and the same gender; names-alike: of the same group and "
            "gender, what any other name does; gender: words and pronouns, names along with "
            "them; places: cities and countries. A row counts for each kind it has words of.",
        )  # fmt: skip
        given |= {"text_column": first, "swap": list(swapped)}
    chosen = st.pills(
        "Under these masks", strategies_offered(),
        selection_mode="multi", default=["random", "attribute"], key=f"fm{key}", wrap=True,
    )  # fmt: skip
    with st.expander("More"):
        operator = operator_control_of("placeholder", f"fp{key}", view.model)
        question_more(view)
        label = _label(question, labels, key)
        shared = cluster_control([c for c in columns if c != first], f"fc{key}")
        long = long_control(f"fw{key}")
    given |= {
        "strategies": {n: {} for n in chosen}, "model": view.model, "operator": operator,
        "question": question, "label": label, "seed": view.seed, "long": long, "cluster": shared,
    }  # fmt: skip
    ready = bool(given.get("second") or given.get("swap"))
    if st.button("Compare all pairs", type="primary", disabled=not ready):
        begin(KIND, name, path, given)


def _label(question: Spec, labels: Sequence[str], key: str) -> str:
    """Ask for the output that counts: of an answer or a next token the one that was asked for."""
    name = question if isinstance(question, str) else question["name"]
    first = 0 if name in ("next", "answer") else len(labels) - 1
    said = "Label" if name == "labels" else "Output"
    return st.selectbox(said, labels, first, key=f"fl{key}_{labels}", format_func=visible)


def _result(view: state.View, found: dict[str, Any], job: Job | None) -> None:
    arms = {name: Gap.from_dict(gap) for name, gap in found["arms"].items()}
    kinds = {
        kind: {name: Gap.from_dict(gap) for name, gap in own.items()}
        for kind, own in found["groups"].items()
    }
    in_words = _in_words(found)
    said = found.get("finding") or finding(arms, kinds, found["label"], in_words)
    st.markdown(f"### {escape(said)}")
    for note in found["notes"]:
        st.caption(escape(note))
    if kinds:
        _kinds({kind: own["plain"] for kind, own in kinds.items()})
    chart(figures.gaps(arms, " ln p" if in_words else "p"), "gaps")
    groups = {
        f"{kind}: {name}": gap
        for kind, own in kinds.items()
        for name, gap in own.items()
        if name != ORACLE
    }
    grid(
        pd.DataFrame([_row(n, g) for n, g in {**arms, **groups}.items()]), "fairness",
        column_config={
            name: st.column_config.NumberColumn(format="percent")
            for name in ("flip rate", "same to the model")
        } | {"p": st.column_config.NumberColumn("paired t-test p", format="%.3g")},
    )  # fmt: skip
    st.caption(
        f"The arm {ORACLE} takes out what differs: its gap is exactly 0, or the measure is broken."
    )
    exports(job, "Download every pair as CSV")
    st.markdown("**The pairs that differ most**")
    for i, pair in enumerate(found["worst"][:10]):
        _pair(view, pair, i)


def _kinds(plain: dict[str, Gap]) -> None:
    """Each kind of pairs with its own verdict."""
    told = verdicts(plain)
    rows = [
        {
            "kind": v.kind,
            "pairs": v.gap.pairs,
            "flips": v.gap.flip_rate,
            "95 % of flips": _between(v.gap.flip_ci95, ".1%"),
            "mean difference": round(v.gap.mean_difference, 4) if v.directed else None,
            "95 % of it": _between(v.gap.ci95, "+.4f") if v.directed else None,
            "p": v.p_adjusted,
            "verdict": v.verdict,
        }
        for v in told
    ]
    grid(
        pd.DataFrame(rows), "kinds",
        column_config={
            "flips": st.column_config.NumberColumn(format="percent"),
            "p": st.column_config.NumberColumn(
                "p, all kinds", format="%.3g", help="Paired t-test, allowing for all kinds (Holm)."
            ),
        },
    )  # fmt: skip


def _between(interval: tuple[float, float] | None, digits: str) -> str | None:
    return f"{interval[0]:{digits}} to {interval[1]:{digits}}" if interval else None


def _in_words(found: dict[str, Any]) -> bool:
    """Tell whether it was asked how probable an answer in words is: then no label flips."""
    question = found.get("question")
    return isinstance(question, dict) and question.get("name") == "answer"


def _row(name: str, gap: Gap) -> dict[str, object]:
    return {
        "texts": name,
        "pairs": gap.pairs,
        "flip rate": gap.flip_rate,
        "95 % of flips": _between(gap.flip_ci95, ".1%"),
        "CTF gap": round(gap.ctf_gap, 4),
        "mean difference": round(gap.mean_difference, 4),
        "95 % interval": _between(gap.ci95, "+.4f"),
        "p": gap.p_value,
        "same to the model": gap.same_input,
    }


def _pair(view: state.View, pair: dict[str, Any], number: int) -> None:
    what, button = st.columns([6, 1], vertical_alignment="center")
    with what:
        for side in ("first", "second"):
            text = pair[side]
            st.text(text if len(text) <= 200 else text[:199] + "…")
        first, second = (shortened(pair[f"{side}_label"], 40) for side in ("first", "second"))
        labels = first if first == second else f"{first} → {second}"
        kind = f"{pair['category']}, " if pair["category"] else ""
        st.caption(escape(f"row {pair['row']}: {kind}{labels} ({pair['difference']:+.3f})"))
    if button.button("Open", key=f"pair_{number}", width="stretch"):
        state.open_view(state.of_text(pair["first"], "attribute", seed=view.seed))
        st.switch_page("pages/mask.py")
