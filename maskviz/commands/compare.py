"""The command compare: one text, or every row of a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ParameterError
from . import common


@common.app.command("compare")
def compare_command(
    text: common.TextArgument = None,
    model: common.ModelName = "mini",
    strategy: Annotated[
        str, typer.Option("--strategy", "-s", help="What to hide; for a file several, a,b,c.")
    ] = "random",
    operator: common.OperatorName = "mask",
    ratio: common.Ratio = None,
    seed: common.Seed = 0,
    file: Annotated[
        Path | None, typer.Option("--file", help="CSV, TSV, JSONL or Parquet with a row a text.")
    ] = None,
    text_column: Annotated[
        str | None, typer.Option("--text-column", help="Column with the texts.")
    ] = None,
    label_column: Annotated[
        str | None, typer.Option("--label-column", help="Column with the true labels.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write every row and its effects as CSV.")
    ] = None,
    draws: Annotated[int, typer.Option("--draws", help="Random masks in the control.")] = 20,
    types: common.Types = "",
    pattern: common.Pattern = "",
    words: common.Words = "",
    indices: common.Indices = "",
    pipeline: common.Pipeline = "",
    mask_file: common.MaskFile = None,
    as_json: common.Json = False,
) -> None:
    """Compare the model's answer on the plain and on the masked text.

    One text is set against random masks of the same size; a file gives flip rate and accuracy
    per strategy.
    """
    options = {
        "types": types, "pattern": pattern, "words": words, "indices": indices,
        "pipeline": pipeline,
    }  # fmt: skip
    if file is None:
        if not 20 <= draws <= 10_000:
            raise ParameterError(f"--draws is {draws} and must lie between 20 and 10000.")
        _one_text(text, model, strategy, operator, ratio, seed, mask_file, draws, options, as_json)
        return
    _one_file(
        file, text_column, label_column, model, strategy, operator, ratio, seed, out,
        options, as_json,
    )  # fmt: skip


def _one_text(
    text: str | None,
    model: str,
    strategy: str,
    operator: str,
    ratio: float | None,
    seed: int,
    mask_file: Path | None,
    draws: int,
    options: dict[str, str],
    as_json: bool,
) -> None:
    from ..evidence import compare, control

    chosen = common.chosen_mask(text, strategy, ratio, seed, mask_file, model=model, **options)
    result = compare(chosen, model, operator)
    chance = control(chosen, model, operator, draws)
    common.notify(result.notice)
    lines = [
        f"plain   {result.original.label} {result.original.confidence:.1%}",
        f"masked  {result.masked.label} {result.masked.confidence:.1%}"
        + ("  (flips)" if result.flip else ""),
        f"        {chosen.masked_text(operator)}",
        f"chance  p({chance.label}) between {chance.low:.1%} and {chance.high:.1%} under "
        f"{chance.draws} random masks of the same size; {chance.flips:.0%} of them flip",
    ]
    common.show({**result.to_dict(), "control": vars(chance)}, as_json, "\n".join(lines))


def _one_file(
    file: Path,
    text_column: str | None,
    label_column: str | None,
    model: str,
    strategy: str,
    operator: str,
    ratio: float | None,
    seed: int,
    out: Path | None,
    options: dict[str, str],
    as_json: bool,
) -> None:
    from ..evidence import compare_file

    if text_column is None:
        raise ParameterError("--file needs --text-column: name the column that holds the texts.")
    result = compare_file(
        file,
        _parameters(strategy, options),
        text_column=text_column,
        label_column=label_column,
        model=model,
        operator=operator,
        ratio=ratio,
        seed=seed,
        progress=_progress if sys.stderr.isatty() else None,
    )
    if out is not None:
        from ..data.export import to_csv
        from ..paths import write_atomic

        write_atomic(out, to_csv([row.to_dict() for row in result.results]))
    for note in result.notes:
        common.notify(note)
    common.show(result.to_dict(), as_json, _table(result.to_dict()))


def _parameters(strategies: str, options: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Give each strategy of `a,b,c` those options that it takes."""
    from ..masks import STRATEGIES

    named = [name.strip() for name in strategies.split(",") if name.strip()]
    taken = {name: {p.name for p in STRATEGIES[name].parameters} for name in named}
    for option, value in options.items():
        if value and option != "pipeline" and not any(option in t for t in taken.values()):
            raise ParameterError(f"None of {', '.join(named)} takes --{option}: leave it out.")
    return {
        name: common.parameters_for(name, **{k: v for k, v in options.items() if k in taken[name]})
        | ({"pipeline": options["pipeline"]} if options["pipeline"] else {})
        for name in named
    }


def _progress(rows: int) -> None:
    typer.echo(f"\r{rows:,} rows", nl=False, err=True)


def _table(result: dict[str, Any]) -> str:
    lines = [f"{'strategy':14}{'flip rate':>10}{'plain':>9}{'masked':>9}  change [95 %]", ""]
    for name, r in result["strategies"].items():
        line = f"{name:14}{r['flip_rate']:>10.1%}"
        if r["ci95"] is not None:
            low, high = r["ci95"]
            line += (
                f"{r['accuracy_original']:>9.1%}{r['accuracy_masked']:>9.1%}  "
                f"{r['delta_accuracy']:+.1%} [{low:+.1%}, {high:+.1%}] p = {r['p_value']:.3g}"
            )
        lines.append(line)
    return "\n".join([*lines, "", f"{result['rows']:,} rows, model {result['model']}."])
