"""The report on a comparison of a whole file, over strategies or over pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import __version__
from ..errors import DataError
from ..evidence.counterfactual.fairness import ORACLE
from ..evidence.counterfactual.finding import finding as of_pairs
from ..evidence.counterfactual.finding import flips, verdicts
from ..evidence.counterfactual.gap import Gap
from ..evidence.files.file_result import FileComparison
from ..evidence.files.finding import CONTROL, finding, measured
from ..evidence.files.group_words import gap_sentences
from ..evidence.files.groups import GroupGaps
from ..evidence.files.tally import StrategyResult
from ..evidence.jobs.jobs import Job
from ..models.locate import public_name
from ..text.percent import percent
from .charts import intervals, table
from .document import Report, Section, escape, sentence

_ROWS = 10  # examples
_NAN = float("nan")
Interval = tuple[float, float]


def comparison_report(job: Job) -> Report:
    """Return the report on a comparison that was started here, with what it found so far.

    Raises DataError where it found nothing yet.
    """
    found, spec = job.result(), job.spec
    if not found:
        raise DataError(
            f"The comparison {job.id!r} has found nothing yet ({job.status().state}): wait for its "
            "first rows."
        )
    make = {"compare": _file, "fairness": _fairness}.get(spec["kind"])
    if make is None:
        raise DataError(
            f"The comparison {job.id!r} is a search for what a model leans on, of which there is "
            "no report: its rows are a CSV, its finding stands on the Compare page."
        )
    return make(found, spec)


# strategies over rows -----------------------------------------------------------------------


def _file(found: Mapping[str, Any], spec: Mapping[str, Any]) -> Report:
    result = FileComparison.from_dict(found)
    return Report(
        title=f"What hiding words changes in {spec['name']}",
        finding=finding(result),
        sections=[
            Section("What was done?", _file_done(result, spec)),
            Section("What came out?", _strategies(result)),
            *_groups(result),
            *_fails(result),
            Section("Which texts change most?", _worst(result)),
        ],
        sure=_sure(result),
        settings=_settings(spec, result.operator),
        commands=[_command(spec)],
    )  # fmt: skip


def _sure(result: FileComparison) -> str:
    rows = f"{result.rows:,} row{'s were' if result.rows != 1 else ' was'} read"
    said = f"{'' if result.complete else 'So far '}{rows}."
    if result.rows < 2:
        return f"{said} One row says nothing about others."
    said += (
        " Intervals hold the true value in about 95 of 100 such files, as far as the choice of "
        "rows goes."
    )
    if not _drawn(result):
        return f"{said} No random masks were drawn, so nothing is told apart from chance."
    return (
        f"{said} Random masks hide as many words of the same rows; a strategy is said to differ "
        "from them where chance alone would do as much in at most 1 of 20 such tables, all its "
        "strategies together."
    )


def _drawn(result: FileComparison) -> bool:
    return any(r.chance is not None for r in result.strategies.values())


def _file_done(result: FileComparison, spec: Mapping[str, Any]) -> str:
    named = ", ".join(f"“{name}”" for name in result.strategies)
    notes = "".join(f"<li>{sentence(note)}</li>" for note in result.notes)
    drawn = " Beside each stand random masks that hide as many words." if _drawn(result) else ""
    return (
        f"<p>The model “{escape(public_name(result.model))}” answered to {result.rows:,} "
        f"text{'s' * (result.rows != 1)} of “{escape(spec['name'])}”, each as it is and with words "
        f"hidden, chosen by {escape(named)}.{drawn}</p><ul>{notes}</ul>"
    )


def _strategies(result: FileComparison) -> str:
    return _compared(result.strategies)


def _compared(results: Mapping[str, StrategyResult]) -> str:
    kind = measured(list(results.values()))
    rows: list[tuple[str, float, float, float, str]] = []
    for name, r in results.items():
        mean, own = (r.delta_accuracy, r.ci95) if kind == "accuracy" else (r.flip_rate, r.flip_ci95)
        rows.append((name, mean or 0.0, *(own or (_NAN, _NAN)), "masked"))
        chance = r.chance
        if chance is not None:
            theirs = chance.ci95 if kind == "accuracy" else chance.flip_ci95
            value = chance.change if kind == "accuracy" else chance.flip_rate
            rows.append(
                (f"{name}: random masks", value or 0.0, *(theirs or (_NAN, _NAN)), "chance")
            )
    drawn = ""
    if kind in ("accuracy", "flips"):
        said = "Change of accuracy" if kind == "accuracy" else "Share of answers that flip"
        drawn = intervals(rows, said, signed=kind == "accuracy")
    return f"{drawn}{_table(results, kind)}"


def _table(results: Mapping[str, StrategyResult], kind: str) -> str:
    head = ["", "rows", "flips", "95 %"]
    if kind == "accuracy":
        head += ["right, plain", "right, masked", "change, points", "95 %"]
    elif kind == "error":
        head += ["error, plain", "error, masked", "change", "95 %"]
    elif kind == "value":
        head += ["mean change", "95 %"]
    return table([*head, "beside random masks"], [_row(n, r, kind) for n, r in results.items()])


def _row(name: str, r: StrategyResult, kind: str) -> list[str]:
    row = [name, f"{r.rows:,}", percent(r.flip_rate, 1), _shares(r.flip_ci95)]
    if kind == "accuracy":
        change = f"{100 * (r.delta_accuracy or 0):+.1f}"
        row += [percent(r.accuracy_original or 0, 1), percent(r.accuracy_masked or 0, 1), change]
        row.append(_points(r.ci95))
    elif kind == "error":
        row += [f"{r.error_original:.3f}", f"{r.error_masked:.3f}", f"{r.delta_error:+.3f}"]
        row.append(_numbers(r.error_ci95))
    elif kind == "value":
        row += [f"{r.mean_delta:+.3f}", _numbers(r.delta_ci95)]
    return [*row, _verdict(name, r)]


def _verdict(name: str, r: StrategyResult) -> str:
    if r.rows_hiding == 0:
        return "hides nothing"
    if name.rsplit(": ", 1)[-1] == CONTROL:
        return "is chance itself"
    if r.chance is None:
        return "none drawn"
    if r.chance.few:
        return "too few rows"
    return "differs" if r.chance.surpassed else "as chance"


def _groups(result: FileComparison) -> list[Section]:
    """Return a section for each column that the rows are broken down by."""
    sections = []
    for column, values in result.groups.items():
        if len(values) < 2 or column == "hidden":
            continue
        named = {
            f"{value}: {name}": r for value, found in values.items() for name, r in found.items()
        }
        kind = measured(list(named.values()))
        title = "By label" if column == "label" else f"By {column}"
        sections.append(Section(title, _table(named, kind)))
    return sections


def _fails(result: FileComparison) -> list[Section]:
    """Return a section for each column of groups: the worst one, the gaps, before and after."""
    return [
        Section(f"Whom does it fail? Groups of {column}", _gaps(found))
        for column, found in result.group_gaps.items()
    ]


def _gaps(found: GroupGaps) -> str:
    shares = found.measure in ("accuracy", "flip rate")
    figure = (lambda v: percent(v, 1)) if shares else "{:.3f}".format
    signed = (lambda v: f"{100 * v:+.1f}") if shares else "{:+.3f}".format
    own, between = (_shares, _points) if shares else (_numbers, _numbers)
    said = [f"<li>{sentence(one)}</li>" for one in gap_sentences(found)]
    notes = [f"<li>{sentence(note)}</li>" for note in found.notes]
    listed = table(
        ("answers", "group", "rows", found.measure, "95 %", "from all others", "95 %", "change"),
        [
            (
                arm, name, f"{group.rows:,}", figure(group.score), own(group.ci95),
                "" if group.gap is None else signed(group.gap), between(group.gap_ci95),
                "" if group.change is None else signed(group.change),
            )
            for arm, gaps in found.arms.items()
            for name, group in gaps.groups.items()
        ],
    )  # fmt: skip
    unit = "; differences are in points" if shares else ""
    return (
        f"<ul>{''.join([*said, *notes])}</ul>{listed}<p class='note'>Change: beside the plain "
        f"answers, in the group's own rows{unit}. The worst group and the widest gap are picked by "
        "what they are, so their intervals allow for all groups and all pairs.</p>"
    )


def _worst(result: FileComparison) -> str:
    parts = []
    for name, rows in result.worst.items():
        listed = table(
            ("row", "text", "hidden", "answer", "with words hidden"),
            [
                (
                    row.row, row.text[:300], ", ".join(row.effects[name].hidden_words)[:200],
                    row.label, f"{row.effects[name].label} ({row.effects[name].delta:+.3f})",
                )
                for row in rows[:_ROWS]
            ],
        )  # fmt: skip
        parts.append(f"<h3>{escape(name)}</h3>{listed}")
    return "".join(parts)


# pairs --------------------------------------------------------------------------------------


def _fairness(found: Mapping[str, Any], spec: Mapping[str, Any]) -> Report:
    arms = {name: Gap.from_dict(gap) for name, gap in found["arms"].items()}
    kinds = {kind: Gap.from_dict(own["plain"]) for kind, own in found["groups"].items()}
    kinds_of_arms = {kind: {"plain": gap} for kind, gap in kinds.items()}
    return Report(
        title=f"Does the answer change with who {spec['name']} is about?",
        finding=found.get("finding") or of_pairs(arms, kinds_of_arms, found["label"]),
        sections=[
            Section("What was done?", _pairs_done(found, spec)),
            *([Section("What came out, kind by kind?", _kinds(kinds))] if kinds else []),
            Section("And with words hidden?", _arms(arms)),
            Section("Which pairs differ most?", _pairs(found["worst"])),
        ],
        sure=_pairs_sure(found["pairs"], bool(spec["arguments"].get("swap"))),
        settings=_settings(spec, found["operator"]),
        commands=[_command(spec)],
    )  # fmt: skip


def _pairs_sure(pairs: int, swapped: bool) -> str:
    if pairs < 2:
        return "One pair says nothing about others." if pairs else "No pair was read."
    made = (
        " Swapped texts are made by rules: look at the pairs that differ most before you rest a "
        "decision on them."
        if swapped
        else ""
    )
    return (
        "Flips have Wilson's interval, differences Student's, over independent rows or clusters; "
        "it holds the true value in about 95 of 100 such files. A kind is said to shift the answer "
        "where chance alone would do as much in at most 1 of 20 such tables. That no shift is told "
        f"does not say that there is none.{made}"
    )


def _pairs_done(found: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    swapped = ", ".join(spec["arguments"].get("swap") or ())
    made = f"by swapping {escape(swapped)}" if swapped else "from two columns"
    model = escape(public_name(found["model"]))
    notes = "".join(f"<li>{sentence(note)}</li>" for note in found["notes"])
    return (
        f"<p>From “{escape(spec['name'])}” {_counted(found['pairs'])} made {made}, that should be "
        f"answered alike, and put to the model “{model}”.</p><ul>{notes}</ul>"
    )


def _counted(pairs: int) -> str:
    return "1 pair of texts was" if pairs == 1 else f"{pairs:,} pairs of texts were"


def _kinds(kinds: Mapping[str, Gap]) -> str:
    told = verdicts(kinds)
    drawn = intervals(
        [(v.kind, v.gap.flip_rate, *(v.gap.flip_ci95 or (_NAN, _NAN)), "masked") for v in told],
        "Share of pairs whose answer flips",
    )
    listed = table(
        ("kind", "pairs", "flips", "mean difference", "95 %", "verdict"),
        [
            (v.kind, f"{v.gap.pairs:,}", flips(v.gap),
             f"{v.gap.mean_difference:+.4f}" if v.directed else "–",
             _numbers(v.gap.ci95) if v.directed else "–", v.verdict)
            for v in told
        ],
    )  # fmt: skip
    return f"<p>Share of pairs in which the answer flips.</p>{drawn}{listed}"


def _arms(arms: Mapping[str, Gap]) -> str:
    listed = table(
        ("texts", "pairs", "flips", "size of the change", "same to the model"),
        [
            (name, f"{gap.pairs:,}", flips(gap), f"{gap.ctf_gap:.4f}", percent(gap.same_input, 1))
            for name, gap in arms.items()
        ],
    )
    return (
        f"{listed}<p class='note'>“{ORACLE}” takes out exactly what differs: its change is 0, or "
        "the measure is broken.</p>"
    )


def _pairs(worst: Sequence[Mapping[str, Any]]) -> str:
    return table(
        ("row", "kind", "one text", "the other", "answers", "difference"),
        [
            (
                pair["row"], pair["category"], pair["first"][:300], pair["second"][:300],
                f"{pair['first_label']} / {pair['second_label']}", f"{pair['difference']:+.3f}",
            )
            for pair in worst[:_ROWS]
        ],
    )  # fmt: skip


# both ---------------------------------------------------------------------------------------


def _settings(spec: Mapping[str, Any], operator: str) -> dict[str, Any]:
    given = spec["arguments"]
    found = {
        "file": spec["name"],
        "model": public_name(given["model"]),
        "strategies": ", ".join(given["strategies"]),
        "operator": operator,
        "seed": given.get("seed", 0),
        "swapped": ", ".join(given.get("swap") or ()),
        "label column": given.get("label_column"),
        "labels": ", ".join(f"{k} = {v or '-'}" for k, v in (given.get("label_map") or {}).items()),
        "by": ", ".join(given.get("by") or ()),
        "groups": ", ".join(given.get("group_columns") or ()),
        "rows share": given.get("cluster"),
        "maskviz": __version__,
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


def _command(spec: Mapping[str, Any]) -> str:
    """Return the command line that does the same."""
    import json
    import shlex

    given = spec["arguments"]
    parts = ["maskviz", "compare", "--file", spec["name"]]
    columns = given.get("first") or given["text_column"]
    parts += ["--text-column", columns, "--model", public_name(given["model"])]
    parts += ["--operator", given["operator"], "--seed", str(given.get("seed", 0))]
    if given["strategies"]:
        parts += ["--strategy", ",".join(given["strategies"])]
    for option, name in _OPTIONS.items():
        if given.get(name):
            value = given[name]
            parts += [option, ",".join(value) if isinstance(value, list) else str(value)]
    if given.get("label_map"):
        parts += ["--label-map", json.dumps(given["label_map"], ensure_ascii=False)]
    return shlex.join(parts)


_OPTIONS = {
    "--label-column": "label_column", "--by": "by", "--group-columns": "group_columns",
    "--cluster": "cluster", "--rows": "limit", "--swap": "swap",
    "--pair-column": "second", "--label": "label", "--beside": "beside",
}  # fmt: skip


def _shares(interval: Interval | None) -> str:
    if interval is None:
        return "none"
    return f"{percent(interval[0], 1)} to {percent(interval[1], 1)}"


def _points(interval: Interval | None) -> str:
    return f"{100 * interval[0]:+.1f} to {100 * interval[1]:+.1f}" if interval else "none"


def _numbers(interval: Interval | None) -> str:
    return f"{interval[0]:+.4f} to {interval[1]:+.4f}" if interval else "none"
