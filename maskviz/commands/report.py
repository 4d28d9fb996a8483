"""The command report: one HTML file for a person who opens it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import RunError
from . import common

if TYPE_CHECKING:
    from ..report import Report


@common.app.command("report")
def report_command(
    subject: Annotated[
        str | None,
        typer.Argument(
            help="A text ('-' reads it), or the name of a run, sweep or file comparison."
        ),
    ] = None,
    conversation: common.ConversationFile = None,
    out: Annotated[Path, typer.Option("--out", help="The file to write.")] = Path("report.html"),
    model: common.ModelName = "mini",
    strategy: common.StrategyName = "key",
    ratio: common.Ratio = None,
    seed: common.Seed = 0,
    operator: common.OperatorName = "",
    types: common.Types = "",
    pattern: common.Pattern = "",
    words: common.Words = "",
    indices: common.Indices = "",
    pipeline: common.Pipeline = "",
    language: common.Language = "",
    tagger: common.Tagger = "",
    mask_file: common.MaskFile = None,
    question: common.QuestionName = "",
    ask: common.Ask = None,
    prompt: common.Prompt = None,
    choice: common.Choices = None,
    next_token: common.NextToken = False,
    target: common.Target = "",
    against: common.Against = "",
    answer: common.Answer = None,
    measure: Annotated[str, typer.Option("--measure", help="Of a sweep.")] = "accuracy",
    as_json: common.Json = False,
) -> None:
    """Write a report that opens offline, prints well and needs no knowledge of its reader.

    It says what the model looked at, what was hidden, what changed and how sure that is.
    """
    from ..masks.operators import usual_operator
    from ..models import load_model
    from ..report import save, text_report

    spoken = common.read_spoken(conversation, subject, mask_file)
    found = None if mask_file or spoken is not None else _kept(subject, measure)
    if found is None:
        text, given = _read(subject, mask_file, spoken)
        loaded = load_model(model)
        chosen = common.chosen_mask(
            text, strategy, ratio, seed, mask_file,
            types=types, pattern=pattern, words=words, indices=indices,
            model=loaded, pipeline=pipeline, tagger=tagger,
        )  # fmt: skip
        operator = operator or usual_operator(loaded)
        found = text_report(
            chosen,
            loaded,
            operator,
            given,
            common.question_of(
                question, ask, model, prompt, choice, next_token, target, against, answer, spoken
            ),
        )
    path = save(found, out)
    said: dict[str, Any] = {
        "out": str(path), "bytes": path.stat().st_size, "finding": found.finding,
    }  # fmt: skip
    common.show(said, as_json, f"{found.finding}\nWritten to {path}.")


def _read(subject: str | None, mask_file: Path | None, spoken: Any) -> tuple[Any, int]:
    """Return the text, or what is read of a conversation, and the words of a longer text."""
    if spoken is not None:
        return spoken.prompt, 0
    return (subject, 0) if mask_file else _beginning(common.read_text(subject))


def _beginning(text: str) -> tuple[str, int]:
    """Return what a report reads of a text, and the words of one that is longer: before a pipeline
    or a model is asked, since what they would say of the rest is not shown.
    """
    from ..report.text import read_in_part
    from ..text.beginning import beginning
    from ..text.words import word_offsets

    read = beginning(text)
    if read == text:
        return text, 0
    given = len(word_offsets(text))
    common.notify(read_in_part(len(word_offsets(read)), given))
    return read, given


def _kept(subject: str | None, measure: str) -> Report | None:
    """Return the report on the run, sweep or comparison of that name; None for a text."""
    from ..evidence.jobs import jobs
    from ..report import comparison_report, run_report, sweep_report

    if not subject or not _like_a_name(subject):
        return None
    if (job := jobs.find(subject)) is not None:
        return comparison_report(job)
    from ..runs import load_run
    from ..sweeps import load_sweep
    from ..sweeps.results import MEASURES

    try:
        return run_report(load_run(subject))
    except RunError as error:
        if "There is no run" not in str(error):
            raise
    if measure not in MEASURES:
        from ..errors import UnknownNameError

        raise UnknownNameError.of("measure", measure, MEASURES)
    try:
        sweep = load_sweep(subject)
    except RunError:
        return None
    return sweep_report(sweep, measure)


def _like_a_name(subject: str) -> bool:
    """Tell whether a subject could name a run or a sweep: one word with a hyphen and a digit."""
    return (
        len(subject) <= 80
        and " " not in subject
        and "-" in subject
        and any(c.isdecimal() for c in subject)
    )
