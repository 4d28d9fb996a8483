"""The command shortcuts: what a model leans on in a file of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ParameterError
from . import common, scale
from .compare_given import given_map, named, usual
from .explain import Long
from .progress import Progress

if TYPE_CHECKING:
    from ..evidence.shortcuts.measured import Measured
    from ..evidence.shortcuts.result import Leaning, Shortcuts

Columns = Annotated[
    str, typer.Option("--group-columns", help="Columns with groups of rows, a,b: for whom.")
]


@common.app.command("shortcuts")
def shortcuts_command(
    file: Annotated[
        str,
        typer.Option(
            "--file", help="CSV, TSV, JSONL or Parquet with a row a text, or hub:NAME[:SPLIT]."
        ),
    ],
    model: common.ModelName = "mini",
    text_column: Annotated[
        str | None, typer.Option("--text-column", help="Column with the texts.")
    ] = None,
    conversation_column: common.ConversationColumn = None,
    label_column: Annotated[
        str | None, typer.Option("--label-column", help="Column with the true labels.")
    ] = None,
    label_map: Annotated[
        str, typer.Option("--label-map", help="What the file's labels stand for: a=positive,b=-.")
    ] = "",
    group_columns: Columns = "",
    irrelevant: Annotated[
        list[str] | None,
        typer.Option(
            "--irrelevant",
            help="What should not count, once for each: gender, PERSON, pos:ADJ, /regex/ or a "
            "word. Found, it is called a shortcut.",
        ),
    ] = None,
    pattern: Annotated[
        list[str] | None,
        typer.Option("--pattern", help="A regular expression to look for, once for each."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            help="Column with what rows share, such as a template: they stay in one half.",
        ),
    ] = None,
    operator: Annotated[
        str, typer.Option("--operator", "-o", help="How it is hidden. Without: what suits.")
    ] = "",
    seed: common.Seed = 0,
    rows: Annotated[int | None, typer.Option("--rows", help="Of the file, the first.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write each measured row and what it leans on as CSV."),
    ] = None,
    engine: scale.Engine = "local",
    address: scale.Address = None,
    num_gpus: scale.Gpus = 0.0,
    keep: scale.Keep = None,
    long: Long = "cut",
    question: common.QuestionName = "",
    ask: common.Ask = None,
    prompt: common.Prompt = None,
    choice: common.Choices = None,
    next_token: common.NextToken = False,
    target: common.Target = "",
    against: common.Against = "",
    answer: common.Answer = None,
    as_json: common.Json = False,
) -> None:
    """Search a labelled file for what the model leans on.

    Strategies, attributes, entity types, parts of speech, your patterns and telling words are
    chosen on one half of the rows and measured on the other: by how far hiding each moves the
    answer beyond hiding as much of something else, with q-values over all (Benjamini–Yekutieli).
    """
    if rows is not None and rows < 1:
        raise ParameterError(f"--rows is {rows} and must be 1 or more.")
    if (text_column is None) == (conversation_column is None):
        raise ParameterError("Name one column: --text-column, or --conversation-column.")
    put = common.question_of(
        question, ask, model, prompt, choice, next_token, target, against, answer
    )
    result = _searched(
        file, out,
        {
            "text_column": text_column or conversation_column, "label_column": label_column,
            "label_map": given_map(label_map, label_column),
            "model": model, "operator": operator or usual(model),
            "question": put, "group_columns": named(group_columns),
            "irrelevant": irrelevant or [], "patterns": pattern or [], "cluster": cluster,
            "conversations": conversation_column is not None, "long": long, "limit": rows,
            "seed": seed, **scale.scaled(engine, address, num_gpus, keep),
        },
    )  # fmt: skip
    for note in result.notes:
        common.notify(note)
    common.show(result.to_dict(), as_json, shortcuts_table(result))


def _searched(file: str, out: Path | None, asked: dict[str, Any]) -> Shortcuts:
    from ..data.export import CsvFile
    from ..data.hub import resolve
    from ..evidence.shortcuts.search import shortcuts

    show = Progress("rows")
    with CsvFile(out) as written:

        def each(row: Measured) -> None:
            for record in row.records():
                written.add(record)

        result = shortcuts(resolve(file), each=each, progress=show, note=show.note, **asked)
    show.end()
    return result


def shortcuts_table(result: Shortcuts) -> str:
    """Return the finding, a line for each candidate, and what stands by length and by group."""
    lines = [result.finding, ""]
    if result.leanings:
        width = max(22, *(len(one.name) + 2 for one in result.leanings))
        lines += [
            f"{'':{width}}{'rows':>7}{'share':>7}{'moves':>8}{'others':>8}  beyond [95 %]"
            f"{'':14}{'q':>9}",
            *(_line(one, width) for one in result.leanings),
            "",
        ]
    lines += [*_length(result), *_groups(result)]
    counted = f"{result.measured:,} of {result.rows:,} rows measured, {result.tested:,} tests"
    return "\n".join([*lines, f"{counted}; moves are of the answer's {result.value}."])


def _line(one: Leaning, width: int) -> str:
    part = one.all
    if part.beyond is None:
        return f"{one.name:{width}}{part.rows:>7,}{part.share:>7.0%}  nothing else to set it beside"
    interval = "" if part.ci95 is None else f"[{part.ci95[0]:+.2f}, {part.ci95[1]:+.2f}]"
    q = "–" if one.q_value is None else f"{one.q_value:.2g}"
    said = "shortcut" if one.shortcut else "leans on" if one.found else ""
    if one.covered_by:
        said = f"as {one.covered_by}"
    towards = f" → {one.towards}" if one.found and one.towards else ""
    return (
        f"{one.name:{width}}{part.rows:>7,}{part.share:>7.0%}{part.strength:>8.2f}"
        f"{part.reference:>8.2f}  {part.beyond:+.2f} {interval:<18}{q:>9}  {said}{towards}"
    ).rstrip()


def _length(result: Shortcuts) -> list[str]:
    """Say how answers differ with length, among texts of the same label."""
    if not result.length:
        return []
    lines = [f"texts of more than {result.longer_than} words − others, within labels"]
    for name, gap in result.length.items():
        what = name if name == "accuracy" else f"p({name})"
        low, high = gap["ci95"] or (0.0, 0.0)
        q = "" if gap["q_value"] is None else f"  q = {gap['q_value']:.2g}"
        lines.append(f"  {what:24}{gap['gap']:+.3f} [{low:+.3f}, {high:+.3f}]{q}")
    return [*lines, ""]


def _groups(result: Shortcuts) -> list[str]:
    """Say of what is found in which share of each group's rows it stands, and how far it moves."""
    lines = []
    for one in result.found[:5]:
        for column, values in one.groups.items():
            said = [
                f"{value} {part.share:.0%}"
                + ("" if part.beyond is None else f" ({part.beyond:+.2f})")
                for value, part in list(values.items())[:8]
            ]
            lines.append(f"{one.name} by {column}: {', '.join(said)}")
    return [*lines, *([""] if lines else [])]
