"""The command audit: what a strategy really hides, over a text or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DataError
from . import common
from .text import lines_of
from .train import setting

if TYPE_CHECKING:
    from ..training.loss_audit import Examined


@common.app.command("audit")
def audit_command(
    text: common.TextArgument = None,
    language: common.Language = "",
    file: Annotated[
        Path | None, typer.Option("--file", help="A file with a text in each line.")
    ] = None,
    strategies: Annotated[
        str, typer.Option("--strategies", "-s", help="One or several, a,b,c.")
    ] = "random,span",
    ratio: common.Ratio = None,
    seed: common.Seed = 0,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Count this model's tokens, too.")
    ] = None,
    operator: common.OperatorName = "mask",
    second: common.Second = None,
    second_seed: common.SecondSeed = 0,
    join: common.Join = "or",
    complement: common.Complement = False,
    unit: Annotated[
        str, typer.Option("--unit", help="What 'corrupt' draws for: token, word or span.")
    ] = "token",
    loss: Annotated[
        bool, typer.Option("--loss", help="What a fine-tune of a decoder would learn of --data.")
    ] = False,
    data: Annotated[
        str, typer.Option("--data", help="Of --loss: a table, or 'example' for conversations.")
    ] = "",
    loss_strategy: Annotated[
        str | None, typer.Option(help="Of --loss: role:assistant, last-turn, any strategy.")
    ] = None,
    prompt_weight: Annotated[
        float | None, typer.Option(help="Of --loss: with which prompts are learned, 0 to 1.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Of --loss: another setting of train, --set max_length=512."),
    ] = None,
    export: Annotated[
        str,
        typer.Option(help="Of --loss: write --out for trl, axolotl, labels or llama-factory."),
    ] = "",
    out: Annotated[Path | None, typer.Option("--out", help="Of --export: JSON Lines.")] = None,
    row: Annotated[
        int | None,
        typer.Option(min=1, help="Of --loss: the row of the file that is shown; without: one."),
    ] = None,
    as_json: common.Json = False,
) -> None:
    """Check what strategies hide: ratios, 80/10/10, units cut in two, lengths, overlap.

    With --loss: what a decoder would learn of a table of conversations, and one row of it, with
    what is hidden in ink and what is learned between ⟦ and ⟧.
    """
    from ..masks.audit import audit

    if loss:
        given = {"model": model, "loss_strategy": loss_strategy, "prompt_weight": prompt_weight}
        chosen = dict(setting(pair) for pair in settings or ())
        examined = _examined({**given, **chosen, "path": data, "seed": seed})
        if export:
            _export(examined, export, out, as_json)
        else:
            _audit_loss(examined, row, as_json)
        return
    texts = lines_of(file) if file is not None else [common.read_text(text)]
    names = [name.strip() for name in strategies.split(",") if name.strip()]
    found = audit(
        texts, names, ratio=ratio, seed=seed, model=model, operator=operator, unit=unit,
        second=common.second_choice(second, second_seed), join=join, complement=complement,
    )  # fmt: skip
    lines = [f"{found.texts:,} texts, {found.left_out:,} without words left out", ""]
    for name, a in found.strategies.items():
        asked = "all matches" if a.requested_ratio is None else f"{a.requested_ratio:.1%}"
        lines.append(f"{name}: {a.realised_ratio:.2%} of {a.words:,} words (asked for {asked})")
        lines.append(f"  units partly hidden: {a.partly_hidden:,}")
        if a.tokens:
            split = ", ".join(f"{kind} {share:.1%}" for kind, share in a.split.items())
            lines.append(f"  {a.realised_token_ratio:.2%} of {a.tokens:,} tokens; {split}")
        if a.p_value is not None:
            lines.append(f"  span lengths against the truncated geometric: p = {a.p_value:.3g}")
    lines += [f"{a} and {b}: Jaccard {v:.3f}" for (a, b), v in found.overlap.items()]
    common.show(found.to_dict(), as_json, "\n".join(lines))


def _examined(given: dict[str, Any]) -> Examined:
    from ..training import RunSpec
    from ..training.loss_audit import Examined

    if not given["path"]:
        raise DataError("There is nothing to audit: name --data, a table or 'example'.")
    return Examined.of(RunSpec.build(task="causal", **given))


def _audit_loss(examined: Examined, row: int | None, as_json: bool) -> None:
    from ..training.loss_audit import strip, taken

    place = examined.place_of(row)
    found, seen = examined.audit(), examined.seen(place)
    tokens = [{"text": t.text, "hidden": t.hidden, "weight": t.weight} for t in seen]
    shown = filter(None, [strip(seen), taken(seen)])
    common.show(
        {**found.to_dict(), "row": {"number": examined.numbers[place], "tokens": tokens}},
        as_json,
        "\n".join([*found.lines(), "", f"Row {examined.numbers[place]}:", *shown]),
    )


def _export(examined: Examined, form: str, out: Path | None, as_json: bool) -> None:
    from ..training.loss_export import export

    if out is None:
        raise DataError("The rows need a file: name --out, such as rows.jsonl.")
    left = export(examined, form, out)
    written = examined.count - left.total()
    lines = [f"{written:,} of {examined.count:,} rows are in {out}."]
    lines += [f"{count:,} are left out: {why}." for why, count in left.most_common()]
    given = {"rows": examined.count, "written": written, "left_out": dict(left)}
    common.show({**given, "out": str(out)}, as_json, "\n".join(lines))
