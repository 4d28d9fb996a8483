"""The Compare page over a file: columns, preview, check, progress; the result is elsewhere."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import streamlit as st

from maskviz.data import guess_columns, preview
from maskviz.data.labels import joined_columns
from maskviz.evidence.files.files import FileComparison
from maskviz.evidence.files.rows import check_file
from maskviz.evidence.jobs import jobs
from maskviz.models import load_model
from maskviz.readings.language.conversing import EACH, rendered
from maskviz.readings.question import Question, Spec, asked
from maskviz.text.conversation import holds_turns
from maskviz.ui.compare import result as compare_result
from maskviz.ui.compare import shown
from maskviz.ui.compare.labels import label_map
from maskviz.ui.compare.tab import tab
from maskviz.ui.shared import state
from maskviz.ui.shared.asking import question_controls, question_more, second_models, spec_of
from maskviz.ui.shared.controls import operator_control_of, strategies_offered
from maskviz.ui.shared.grid import in_names
from maskviz.ui.shared.page import errors, escape
from maskviz.ui.shared.spoken import ALWAYS, SOMETIMES

NONE = "none"
KIND = "compare"
_EMPTY = (
    "Drop a file to learn how often hiding words changes the answer.",
    "A column with texts is enough for the flip rate. With a column of true labels you also get "
    "accuracy and calibration plain and masked, a 95 % interval and McNemar's test.",
)


def show(view: state.View) -> None:
    """Upload, choose, run; the result stays until another file is compared."""
    tab(
        KIND,
        "file",
        result=lambda job: _job(view, job),
        form=lambda name, path: _form(view, name, path),
        asks=lambda name: f"How often does hiding words change the answer in {name}?",
        empty=_EMPTY,
    )


def _form(view: state.View, name: str, path: Path) -> None:
    head = preview(path, name, 200)
    guessed, columns = guess_columns(head), [str(c) for c in head.columns]
    key = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    st.dataframe(in_names(head.head(5)), hide_index=True, width="stretch")
    question_controls(view)
    view = state.current()
    question = _of_all(spec_of(view))
    left, right = st.columns(2)
    text = left.selectbox("Text column", columns, columns.index(str(guessed.text)), key=f"t{key}")
    with right:
        labels = label_columns(
            asked(view.model, question), str(guessed.label), [c for c in columns if c != text], key
        )
    spoken = holds_turns(head.iloc[0][text])
    if spoken:
        st.caption("Each row is a conversation, read behind the model's own chat template.")
    turns = (*ALWAYS, *SOMETIMES) if spoken else ()
    chosen = st.pills(
        "Strategies", [*turns, *strategies_offered()], selection_mode="multi",
        default=["role", "random"] if spoken else ["random", "entity", "attribute"],
        key=f"s{key}{spoken}", wrap=True,
    )  # fmt: skip
    column = joined_columns(labels) if labels else None
    told = label_map(path, name, asked(view.model, question), column, key)
    given = {
        "strategies": {strategy: {} for strategy in chosen},
        "text_column": text,
        "label_column": column,
        "label_map": told or None,
        "model": view.model,
        "question": question,
        "conversations": spoken,
        "answer_column": _answers(asked(view.model, question), columns, text, key),
        "seed": view.seed,
        **_more(view, [c for c in columns if c not in (text, *labels)], key),
    }
    fits = told is not None and checked(path, name, given)
    if st.button("Compare all rows", type="primary", disabled=not (chosen and fits)):
        begin(KIND, name, path, given)


def _of_all(question: Spec) -> Spec:
    """Return the question as it is put to each row: without the conversation of one text."""
    if isinstance(question, str) or "conversation" not in question:
        return question
    return {k: v for k, v in question.items() if k not in ("conversation", "answer")}


def _own(put: Question) -> bool:
    """Tell whether each row is asked for an answer of its own."""
    return put.name == "answer" and not put.given["answer"]


def _answers(put: Question, columns: list[str], text: str, key: str) -> str | None:
    """Ask where the answer stands that each row is asked for, where none is given for all."""
    if not _own(put):
        return None
    chosen = st.selectbox(
        "Answers", [NONE, *(c for c in columns if c != text)], key=f"a{key}",
        help="The column with the answer that each row is asked for. Without one that of the "
        "row's conversation is taken, else the model's own.",
    )  # fmt: skip
    return None if chosen == NONE else chosen


def label_columns(put: Question, guessed: str, columns: list[str], key: str) -> list[str]:
    """Ask for the column of labels; of a model that gives several, one a label will do too.

    An answer in words, and a next token, has none to be right or wrong.
    """
    if put.name in ("next", "answer"):
        return []
    if put.head == "multi":
        default = [guessed] if guessed in columns else []
        return st.multiselect(
            "Label column, or one a label", columns, default, key=f"lm{key}",
            help="A column with several labels in a cell, or all that say 0 or 1 of one label.",
        )  # fmt: skip
    options = [NONE, *columns]
    index = options.index(guessed) if guessed in columns else 0
    label = st.selectbox("Label column", options, index, key=f"l{key}")
    return [] if label == NONE else [label]


def _more(view: state.View, columns: list[str], key: str) -> dict[str, Any]:
    """What is asked for less often, folded away."""
    with st.expander("More"):
        by = st.multiselect("Break down by", columns, key=f"b{key}", help="Beside the label.")
        groups = st.multiselect(
            "Columns with groups", columns, key=f"g{key}",
            help="Whom does the model fail? The worst group and the gaps, also of their crossing.",
        )  # fmt: skip
        operator = operator_control_of(view.operator, f"o{key}", view.model)
        second = st.selectbox(
            "Second model beside it",
            [NONE, *second_models(view, operator)],
            key=f"m{key}{operator}",
            help="On the same rows and masks, for instance before and after a fine-tune.",
        )
        question_more(view)
        limit = st.number_input("Rows, 0 for all", 0, 10_000_000, 0, key=f"n{key}")
        shared = cluster_control(columns, f"c{key}")
        long = long_control(f"w{key}")
    return {
        "by": by, "group_columns": groups, "beside": None if second == NONE else second,
        "operator": operator, "limit": int(limit) or None, "long": long, "cluster": shared,
    }  # fmt: skip


def cluster_control(columns: list[str], key: str) -> str | None:
    """Which column names what rows share, so that they are no independent witnesses."""
    chosen = st.selectbox(
        "Rows share", [NONE, *columns], key=key,
        help="A column such as the template, author or document that several rows come from: "
        "intervals and tests are then over its values.",
    )  # fmt: skip
    return None if chosen == NONE else chosen


def long_control(key: str) -> str:
    """How texts longer than the model takes are read."""
    names = {"cut": "cut at the end", "windows": "read in windows, answers averaged"}
    return st.radio(
        "Texts longer than the model takes", list(names), format_func=names.__getitem__, key=key,
        horizontal=True,
    )  # fmt: skip


def checked(path: Path, name: str, given: dict[str, Any], done: str = "compared") -> bool:
    """Say what the columns hold before anything runs; tell whether it can be compared."""
    usable = 0
    with errors():
        usable, labels, notes = _check(
            str(path), path.stat().st_mtime_ns, name, given["model"], given["question"],
            given["text_column"], given["label_column"], tuple(given["by"]), given["cluster"],
            tuple((given["label_map"] or {}).items()), given["answer_column"],
            given["conversations"],
        )  # fmt: skip
        counted = ", ".join(f"{label} {count:,}" for label, count in list(labels.items())[:8])
        said = f"{usable:,} rows can be {done}. {f'Labels: {counted}.' if counted else ''}"
        st.caption(escape(" ".join([said, *notes])))
    return usable > 0


@st.cache_data(max_entries=32, show_spinner="Checking every row …", show_time=True)
def _check(
    path: str,
    _modified: int,
    name: str,
    model: str,
    question: Spec,
    text: str,
    label: str | None,
    by: tuple[str, ...],
    cluster: str | None,
    label_map: tuple[tuple[str, str | None], ...],
    answers: str | None,
    conversations: bool,
) -> tuple[int, dict[str, int], tuple[str, ...]]:
    put = asked(model, question)
    if not _own(put):
        put.outputs  # noqa: B018  a question whose outputs differ from row to row is refused
    if conversations:
        load_model(model).require("generate")
        rendered(put.model, EACH)  # a model without a template says so now
    found = check_file(path, put, text, label, by, name, cluster, dict(label_map), answers)
    return found.usable, found.labels, found.notes


def begin(kind: str, name: str, path: Path, asked: dict[str, Any]) -> None:
    """Start a job and show it."""
    shown.show(jobs.start(kind, name, path, asked))
    st.rerun()


def _job(view: state.View, job: jobs.Job) -> None:
    """Progress while it runs, then the result; what is there so far is shown in both."""
    status = job.status()
    head(job, status)
    found = job.result()
    if found:
        result = FileComparison.from_dict(found)
        compare_result.show(view, result, job if status.ended else None)


def head(job: jobs.Job, status: jobs.Status) -> None:
    """Say what a comparison is, how far it is or how it ended."""
    line, button = st.columns([6, 1], vertical_alignment="center")
    line.caption(escape(shown.what(job)))
    if button.button("New", key=f"leave_{job.id}", width="stretch", help="Begin another one."):
        shown.leave(job.spec["kind"])
        st.rerun()
    if status.ended:
        ended(job, status)
    else:
        progress(job)


@st.fragment(run_every=2.0)
def progress(job: jobs.Job) -> None:
    """Rows done, time left, and a way to stop; reruns the page when the job has ended."""
    status = job.status()
    if status.ended or _news(job):
        st.rerun()
    share = status.done / status.total if status.total else 0.0
    left = status.seconds_left
    when = "" if left is None else f", {duration(left)} left"
    what = _before_the_first_row(job, status)
    said = f"{status.done:,} of {status.total:,}{when}" if status.total else what
    bar, button = st.columns([6, 1], vertical_alignment="center")
    bar.progress(min(1.0, share), said)
    if button.button("Cancel", key=f"cancel_{job.id}", width="stretch"):
        job.cancel()
    if status.message:
        st.caption(escape(status.message))
    st.caption("It goes on when you leave the page or close the app; what is found so far is kept.")


def _before_the_first_row(job: jobs.Job, status: jobs.Status) -> str:
    """Say what a comparison does before its first row: it waits only where another runs."""
    if status.state != "waiting":
        return "Loading the model, reading the first rows …"
    others = (other for other in jobs.recent() if other.id != job.id)
    waits = any(other.status().state == "running" for other in others)
    return "Waiting for another comparison …" if waits else "Starting …"


def _news(job: jobs.Job) -> bool:
    """Tell whether a partial result has come since the page was painted."""
    path = job.folder / "result.json"
    written = path.stat().st_mtime if path.is_file() else 0.0
    before = st.session_state.get(f"seen_{job.id}")
    st.session_state[f"seen_{job.id}"] = written
    return before is not None and before != written


def ended(job: jobs.Job, status: jobs.Status) -> None:
    """Say how a job ended where it did not end well, and offer to go on or run it again."""
    if status.state == "done":
        return
    what, button = st.columns([6, 1], vertical_alignment="center")
    if status.state == "failed":
        what.error(escape(status.message), icon="⚠️")
        if button.button("Run again", key=f"again_{job.id}", width="stretch"):
            shown.show(jobs.again(job))
            st.rerun()
        return
    rest = "this is what it found until then." if job.result() else "nothing was found yet."
    what.info(
        f"The comparison was {status.state} after {status.done:,} of {status.total:,}; {rest}"
    )
    if button.button("Go on", key=f"again_{job.id}", width="stretch"):
        jobs.resume(job)
        st.rerun()


def duration(seconds: float) -> str:
    """Return seconds as a person says them.

    >>> duration(8), duration(95)
    ('8 s', '2 min')
    """
    return f"{math.ceil(seconds)} s" if seconds < 60 else f"{math.ceil(seconds / 60)} min"
