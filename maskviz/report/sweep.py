"""The report on a sweep: which strategy and ratio, beside the baseline and chance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from .. import __version__
from ..errors import RunError
from ..sweeps import Results, Sweep, results
from ..sweeps.written import LOSS, change_said, figure_said
from ..text.percent import percent
from .charts import intervals, table
from .document import Report, Section, escape


def sweep_report(sweep: Sweep, measure: str = "accuracy") -> Report:
    """Return the report on a sweep; raises RunError while none of its cells is done."""
    found = results(sweep, measure)
    if not any(group.values for group in found.groups):
        raise RunError(
            f"No cell of the sweep {sweep.id!r} is done: 'maskviz sweep {sweep.id}' goes on."
        )
    base = sweep.spec.base
    return Report(
        title=f"Sweep {sweep.id}",
        finding=found.finding,
        sections=[
            Section("What was asked?", _asked(sweep, found)),
            Section("What came out?", _out(found)),
            Section("Against reading everything", _against(found, "against_plain")),
            Section("Against hiding as much at random", _against(found, "against_control")),
        ],
        sure=_sure(found),
        settings={
            "model": Path(base.model).name, "data": Path(base.data.path).name,
            "strategies": ", ".join(sweep.spec.strategies),
            "operators": ", ".join(sweep.spec.operators),
            "ratios": ", ".join("own" if r is None else f"{r:g}" for r in sweep.spec.ratios),
            "seeds": sweep.spec.seeds, "measure": measure, "maskviz": __version__,
        },
        commands=["# sweep.toml", *_shareable(sweep).splitlines(), "", "maskviz sweep sweep.toml"],
    )  # fmt: skip


def _shareable(sweep: Sweep) -> str:
    from dataclasses import replace

    from ..training.model.card import shareable

    return replace(sweep.spec, base=shareable(sweep.spec.base)).to_toml()


def _asked(sweep: Sweep, found: Results) -> str:
    count = sum(len(group.values) for group in found.groups)
    return f"<p>{_trained(count, sweep.spec.seeds)}</p>"


def _trained(count: int, seeds: int) -> str:
    """Say what was done; count: of models so far."""
    models = "1 model was" if count == 1 else f"{count} models were"
    starts = (
        f"each setting is to have {seeds} different random starts, so that luck can be told from "
        "effect"
        if seeds > 1
        else "each setting with one random start, so that luck cannot be told from effect"
    )
    return (
        f"Does a model learn better or worse when some words are hidden from it? {models} trained; "
        f"{starts}. Beside each strategy stands a control that hides as many words at random."
    )


def _out(found: Results) -> str:
    kinds = {"plain": "plain", "grid": "masked", "control": "chance"}
    rated = [g for g in found.groups if g.values]
    written = partial(figure_said, found.measure)
    rows = [(g.name, *g.interval, kinds[g.role]) for g in rated]
    listed = table(
        ("setting", "words hidden", "seeds", f"{found.measure}, mean", "95 %"),
        [
            (
                g.name, percent(g.realised, 1), len(g.values), written(g.interval[0]),
                "–" if len(g.values) < 2 else " to ".join(map(written, g.interval[1:])),
            )
            for g in rated
        ],
    )  # fmt: skip
    if found.measure == LOSS:  # the chart is of shares
        return listed
    return intervals(rows, f"{found.measure} of every setting") + listed


def _against(found: Results, name: str) -> str:
    rows = [
        (g.name, *getattr(g, name), "masked")
        for g in found.grid
        if g.values and getattr(g, name) is not None
    ]
    if not rows:
        return "<p>Nothing to compare with.</p>"
    said = escape(_told(rows))
    if found.measure != LOSS:
        return f"<p>{said}</p>{intervals(rows, 'Difference, paired by seed', signed=True)}"
    written = [(n, *("–" if v != v else change_said(LOSS, v) for v in own)) for n, *own, _ in rows]
    return f"<p>{said}</p>{table(('setting', 'difference', '95 %, from', 'to'), written)}"


def _told(rows: Sequence[tuple[str, float, float, float, str]]) -> str:
    """Say which differences (name, mean, low, high, kind) their intervals tell from none."""
    tested = [row for row in rows if row[2] == row[2]]
    if not tested:
        return "One seed has no interval: no difference can be told from luck."
    told = [name for name, _, low, high, _ in tested if low > 0 or high < 0]
    if not told:
        return "No difference can be told from luck."
    alone = " alone" if len(rows) > 1 else ""
    return f"A difference can be told, by its own interval{alone}, for {', '.join(told)}."


def _sure(found: Results) -> str:
    fewest = min(len(g.values) for g in found.groups if g.values)
    said = (
        f"Each figure is a mean over at least {fewest} seeds; its bar holds the true mean in about "
        "95 of 100 such experiments (Student's t). Differences are taken seed by seed."
        if fewest > 1
        else "Some settings have one seed alone, so nothing can be said about luck."
    )
    many = len(found.grid)
    if many > 5:
        said += (
            f" With {many} settings side by side, one in twenty will look different by chance "
            "alone: take a surprising one as a question, and ask it again with new seeds."
        )
    return said
