"""Units on the Attention page: silence some, scan all, cut edges, look through the layers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from maskviz.errors import MaskvizError
from maskviz.evidence.text.scale import shortened, visible
from maskviz.evidence.units.asking import Way
from maskviz.evidence.units.choose import RoleShare, role_shares, roles_on
from maskviz.evidence.units.compare import compare_units
from maskviz.evidence.units.knockout import knockout
from maskviz.evidence.units.layers import layer_answers
from maskviz.evidence.units.scan import UnitScan, scan_text
from maskviz.evidence.units.sentence import (
    knockout_sentence,
    lens_sentence,
    scan_sentence,
    units_sentence,
)
from maskviz.figures.canvas import mosaic_message
from maskviz.figures.units import effects_figure, knockout_figure, lens_figure
from maskviz.inside.anatomy import anatomy_of
from maskviz.inside.units import HEAD, KINDS, SEVERAL, Unit, UnitMask
from maskviz.masks import Mask
from maskviz.models import Model, load_model
from maskviz.readings.question import Question, asked
from maskviz.text.percent import percent
from maskviz.ui.attention import prune as prune
from maskviz.ui.components.attention_mosaic import attention_mosaic, picked_head
from maskviz.ui.shared import state
from maskviz.ui.shared.asking import spec_of
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.page import errors, escape
from maskviz.ui.shared.widgets import drawn

SILENT = "attention_silent"  # the units that are silenced, as they are written
HOW = {
    "mean": "its mean over other texts",
    "zero": "zero",
    "zero-but-bias": "zero, but the value's bias",
    "from": "its value on the masked text",
    "from-plain": "its plain value, in the masked text",
}
PATCHES = ("from", "from-plain")
_WHOLE = 400  # heads of which all are asked about beside a single one
_KEPT = 12  # results that a session holds


def headline(chosen: state.View, picked: tuple[int, int] | None = None) -> str:
    """Return what silencing the chosen units does to the answer; empty where none is silenced.

    picked: a head that was clicked with Shift in this very run: it is silenced, or no longer.

    The units that a session holds of another model are dropped. Raises ParameterError for units of
    several kinds, or every head of a layer.
    """
    heads = list(map(str, _silent(load_model(chosen.model))))
    if picked is not None:
        name = str(Unit(*picked))
        heads = [one for one in heads if one != name] if name in heads else [*heads, name]
    st.session_state[SILENT] = heads
    if not heads:
        return ""
    seen = bool(st.session_state.get("attention_scan"))
    found = _kept(
        ("silenced", tuple(heads), seen), chosen,
        lambda put, way: compare_units(
            chosen.text, _mask(put, heads, seen), put, way, _draws(put, heads)
        ),
    )  # fmt: skip
    return units_sentence(found)


def _mask(put: Question, heads: list[str], seen: bool) -> UnitMask:
    """Return the units as a mask; chosen with the scan of this text in sight, by their effect."""
    anatomy = anatomy_of(put.model)
    return UnitMask(anatomy, anatomy.read(heads), "top-k" if seen else "manual")


def _draws(put: Question, heads: list[str]) -> int:
    anatomy = anatomy_of(put.model)
    count = len(anatomy.of_kind(anatomy.read(heads)[0].kind)) - 1
    return count if len(heads) == 1 and 20 <= count <= _WHOLE else 99


def _silent(model: Model) -> tuple[Unit, ...]:
    """Return the silenced units that the model has."""
    there = {str(unit): unit for unit in _every(model)}
    chosen = st.session_state.get(SILENT, [])
    return tuple(there[name] for name in chosen if name in there)


def _every(model: Model) -> list[Unit]:
    """Return every unit that can be changed: heads, then MLPs, then layers."""
    try:
        anatomy = anatomy_of(model)
    except MaskvizError:
        return []
    kinds = [kind for kind in KINDS if kind not in anatomy.refused]
    return [unit for kind in kinds for unit in anatomy.of_kind(kind)]


def silence(chosen: state.View, place: tuple[int, int] | None) -> None:
    """Choose units to silence: the head that is shown large, and any other."""
    with errors():
        model = load_model(chosen.model)
        anatomy_of(model)  # says why where no unit can be changed
        every = list(map(str, _every(model)))
        left, right = st.columns([1, 2], vertical_alignment="bottom")
        name = str(Unit(*place)) if place else ""
        with left:
            st.button(
                f"Silence head {name}" if name else "Silence this head",
                on_click=_add, args=(name,), width="stretch",
                disabled=name not in every or name in st.session_state[SILENT],
                help="What does the answer do without it?",
            )  # fmt: skip
        with right:
            st.multiselect(
                "Silenced", every, key=SILENT,
                placeholder="none: a head such as 2.3, an MLP such as 2.mlp, a layer such as 2",
                help="Heads, MLPs or layers: those of one kind stand beside as many others.",
            )  # fmt: skip


def _add(name: str) -> None:
    st.session_state[SILENT] = [*st.session_state.get(SILENT, []), name]


def more(chosen: state.View) -> None:
    """The scan, the cut edges and the lens, each on demand: they ask the model again."""
    with st.expander("Which heads carry the answer?"):
        _how(chosen)
        kind = _kind(load_model(chosen.model))
        if st.toggle("Scan all", key="attention_scan", persist_state="session"):
            with errors():
                scan(chosen, kind)
        else:
            st.caption("Masks each alone and asks again.")
    with st.expander("Cut attention to the hidden words, layer by layer"):
        if st.toggle("Cut on this text", key="attention_cut", persist_state="session"):
            with errors():
                edges(chosen)
        else:
            st.caption("Where in the network does the answer read the hidden words?")
    with st.expander("Silence these heads for good"):
        prune.panel(chosen, _silent(load_model(chosen.model)))
    with st.expander("What each layer would answer"):
        if st.toggle("Look through the layers", key="attention_lens", persist_state="session"):
            with errors():
                layers(chosen)
        else:
            st.caption("Each layer's output goes through the model's own final norm and head.")


def _kind(model: Model) -> str:
    """Return what is scanned: heads, MLPs or layers."""
    offered = list(dict.fromkeys(unit.kind for unit in _every(model))) or [HEAD]
    if st.session_state.get("attention_kind") not in offered:
        st.session_state["attention_kind"] = offered[0]
    return str(
        drawn(
            st.segmented_control,
            "What is scanned",
            offered[0],
            offered,
            format_func=SEVERAL.__getitem__,
            key="attention_kind",
            required=True,
            persist_state="session",
        )
    )


def _how(chosen: state.View) -> None:
    offered = [name for name in HOW if name not in PATCHES or state.current_mask(chosen).spans]
    if st.session_state.get("attention_how") not in offered:
        st.session_state["attention_how"] = offered[0]
    drawn(
        st.segmented_control, "A masked unit has", offered[0], offered, format_func=_how_named,
        key="attention_how", required=True, persist_state="session",
    )  # fmt: skip


def _how_named(name: str) -> str:
    return HOW[name]


def scan(chosen: state.View, kind: str = HEAD) -> None:
    """Every unit's effect as a map of layers and heads that opens a head, and by role."""
    with st.spinner(f"Masking the {SEVERAL[kind]} one after the other …", show_time=True):
        found = _kept(
            ("scan", kind), chosen, lambda put, way: scan_text(chosen.text, put, way, kind=kind)
        )
    st.markdown(f"**{escape(scan_sentence(found))}**")
    sides = list(dict.fromkeys(one.unit.side for one in found.effects))
    picture, figures = st.columns(2, gap="large")
    with picture:
        if kind == HEAD:
            for side in sides:
                _map(chosen, found, side)
        else:
            names = [str(one.unit) for one in found.effects]
            figure = effects_figure(names, [one.effect for one in found.effects], "Δ log-odds")
            st.plotly_chart(figure, key=f"attention_scan_{kind}")
    with figures:
        _units(found)
        if kind == HEAD:
            _roles(chosen, found)


def _units(found: UnitScan) -> None:
    name = SEVERAL[found.kind][:-1]
    rows = [
        {
            f"{name[0].upper()}{name[1:]}": str(one.unit),
            "Effect, log-odds": round(one.effect, 3),
            "Rank": one.rank,
            "p of the answer, %": None
            if one.probability is None
            else round(100 * one.probability, 1),
        }
        for one in sorted(found.effects, key=lambda one: one.rank)
    ]
    grid(pd.DataFrame(rows), "heads", height=240)
    st.caption(
        f"Effect: the log-odds of the plain answer with the {name} masked, less those without."
    )


def _map(chosen: state.View, found: UnitScan, side: str) -> None:
    effects = found.grid(side)
    layers, heads = effects.shape
    largest = float(np.nanmax(abs(effects))) or 1.0
    text = hashlib.sha256(f"{chosen.model} {chosen.text}".encode()).hexdigest()[:16]
    key = f"attention_scan_{side or 'first'}_{text}"
    if side:
        st.caption({"decoder": "Decoder", "cross": "Decoder to encoder"}[side])
    picked = picked_head(key, layers, heads)
    if picked and not side:
        st.session_state["attention_place"] = picked
    message = mosaic_message(
        np.nan_to_num(effects / largest)[:, :, None, None].astype(np.float32),
        signed=True,
        titles=[f"L{i + 1}" for i in range(layers)],
        selected=None if side or found.kind != HEAD else st.session_state.get("attention_place"),
        label="Effect of each head, layers down and heads across",
        unit=f"of the largest effect, {largest:.2f}.",
    )
    attention_mosaic(message, key)


def _roles(chosen: state.View, found: UnitScan) -> None:
    shares = role_shares(found, roles_on(load_model(chosen.model), chosen.text))
    st.caption(_by_role(shares))


def _by_role(shares: Sequence[RoleShare]) -> str:
    """Say what each role carries; of heads that move nothing there is nothing to share out."""
    if not any(one.share for one in shares):
        return "No head moves the answer, so no role does."
    said = [f"{one.role} {percent(one.share)} ({one.heads})" for one in shares]
    return (
        "Share of the sum of all heads' effects by role, with how many heads play it, in this "
        f"text: {', '.join(said)}."
    )


def edges(chosen: state.View) -> None:
    """What cutting attention to the hidden words changes, window by window."""
    mask = state.current_mask(chosen)
    if not mask.spans:
        st.caption("Nothing is hidden: hide the words that nobody is to attend to.")
        return
    with st.spinner("Cutting edges in one window after the other …", show_time=True):
        found = _kept(
            ("knockout", mask.characters), chosen,
            lambda put, way: knockout(chosen.text, mask, "", put),
        )  # fmt: skip
    st.markdown(f"**{escape(knockout_sentence(found))}**")
    names = [
        f"{one.first + 1}–{one.last + 1}" if one.last > one.first else str(one.first + 1)
        for one in found.windows
    ]
    figure = knockout_figure(
        names, [one.effect for one in found.windows], found.whole.effect, "Δ log-odds"
    )
    chart(figure, "attention_knockout")


def layers(chosen: state.View) -> None:
    """What each layer would answer, plain and masked."""
    mask = state.current_mask(chosen)
    with st.spinner("Asking layer by layer …", show_time=True):
        found = _kept(
            ("lens", mask.characters, chosen.operator), chosen,
            lambda put, way: layer_answers(mask, put, chosen.operator),
        )  # fmt: skip
    st.markdown(f"**{escape(lens_sentence(found))}**")
    name = f"p({shortened(visible(found.target), 20)})"
    plain, masked = ([row.probability for row in rows] for rows in (found.plain, found.masked))
    chart(lens_figure(plain, masked, name), "attention_lens_figure")
    table = pd.DataFrame({"Layer": [row.layer for row in found.plain]})
    for title, rows in (("plain", found.plain), ("masked", found.masked)):
        if rows:
            table[f"Answers, {title}"] = [visible(row.answer) for row in rows]
            table[f"Rank of the target, {title}"] = [row.rank for row in rows]
    grid(table, "layers", height=240)


def _kept(key: tuple[Any, ...], chosen: state.View, make: Callable[[Question, Way], Any]) -> Any:
    """Return what the session found before for the same choices, or find it."""
    spec = spec_of(chosen)
    way = _way(chosen)
    hidden = way.hidden.characters if way.hidden else None
    whole = (*key, chosen.model, chosen.text, str(spec), way.operator, hidden, way.hides)
    kept: dict[Any, Any] = st.session_state.setdefault("attention_units", {})
    if whole not in kept:
        kept[whole] = make(asked(chosen.model, spec), way)
        for old in list(kept)[:-_KEPT]:
            del kept[old]
    return kept[whole]


def _way(chosen: state.View) -> Way:
    operator = st.session_state.get("attention_how", "mean")
    mask: Mask = state.current_mask(chosen)
    if operator in PATCHES and mask.spans:
        return Way(operator, hidden=mask, hides=chosen.operator)
    return Way("mean" if operator in PATCHES else operator)
