"""The command explain: a score for each word, and how far it can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ParameterError
from ..text.languages import language_of, said
from ..text.specials import specials_in
from . import common

if TYPE_CHECKING:
    from ..readings.question import Question

Long = Annotated[
    str,
    typer.Option("--long", help="Texts over the model's limit: cut, or read in windows."),
]


@common.app.command("explain")
def explain_command(
    text: common.TextArgument = None,
    conversation: common.ConversationFile = None,
    model: common.ModelName = "mini",
    language: common.Language = "",
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="One or several, a,b: occlusion, gradient-input, integrated-gradients, "
            "input-reduction, attention-mean, -rollout, -flow, -norm, -relevance, random, uniform.",
        ),
    ] = "occlusion",
    label: Annotated[
        str | None, typer.Option("--label", help="Explain this label, not the predicted one.")
    ] = None,
    faithful: Annotated[
        bool, typer.Option("--faithfulness", help="Measure whether the model uses those words.")
    ] = False,
    operator: Annotated[
        str | None,
        typer.Option("--operator", "-o", help="How --faithfulness hides words; default: mask."),
    ] = None,
    draws: Annotated[
        int, typer.Option("--draws", help="Random orders that --faithfulness sets beside it.")
    ] = 20,
    rationales: Annotated[
        Path | None,
        typer.Option(
            "--rationales",
            help="JSONL or Parquet with spans that people marked, or what Argilla or Label Studio "
            "exports.",
        ),
    ] = None,
    rows: Annotated[int | None, typer.Option("--rows", help="Of --rationales, the first.")] = None,
    long: Long = "cut",
    question: common.QuestionName = "",
    ask: common.Ask = None,
    prompt: common.Prompt = None,
    choice: common.Choices = None,
    next_token: common.NextToken = False,
    target: common.Target = "",
    against: common.Against = "",
    answer: common.Answer = None,
    seed: common.Seed = 0,
    as_json: common.Json = False,
) -> None:
    """Score each word by how much the model's answer rests on it.

    With --faithfulness also say whether the model uses those words; with --rationales hold the
    scores of a whole file against the words that people marked.
    """
    from ..evidence import METHODS

    names = [name.strip() for name in method.split(",") if name.strip()]
    if not names:
        raise ParameterError(f"No method is named: choose one or several of {', '.join(METHODS)}.")
    for name in names:
        METHODS[name]
    from ..evidence import explain
    from ..evidence.words.staged import is_long
    from ..readings.question import asked

    spoken = common.read_spoken(conversation, text)
    put = asked(
        model,
        common.question_of(
            question, ask, model, prompt, choice, next_token, target, against, answer, spoken
        ),
    )
    if rationales is not None:
        _plausibility(rationales, names, put, rows, long, seed, as_json)
        return
    text = common.read_text(text) if spoken is None else common.text_of(spoken.prompt)
    if "occlusion" in names or faithful:
        _say_cost(put, text)
    found = {name: explain(text, put, name, label, long, seed) for name in names}
    measured = {}
    if faithful:
        from ..evidence.words.faithfulness import faithfulness

        measured = {
            n: faithfulness(e, text, operator, draws, long, seed, put.model)
            for n, e in found.items()
        }
    first = found[names[0]]
    common.notify(first.notice)
    common.notify(specials_in(text))
    several: dict[str, Any] = {"language": language_of(text, said()).code}
    document = {n: _document(e, measured.get(n)) for n, e in found.items()}
    several |= {"methods": document} if len(names) > 1 else {}
    if put.name == "answer" and not is_long(put, text):
        from ..evidence.words.answer import answer_matrix

        several["matrix"] = answer_matrix(text, put, long).to_dict()
    lines = [_answer(first), "", *_words(found)]
    if spoken is not None:
        from ..evidence.words.turns import by_turn

        turns = by_turn(first.words, spoken.prompt)
        several["turns"] = turns
        lines += ["", *map(_turn_line, turns)]
    common.show({**document[names[0]], **several}, as_json, "\n".join([*lines, *_table(measured)]))


def _turn_line(turn: dict[str, Any]) -> str:
    share = "" if turn["share"] is None else f"  {turn['share']:4.0%} of all |scores|"
    return f"{turn['score']:+6.3f}  turn {turn['turn']} ({turn['role']}){share}"


def _say_cost(put: Question, text: str) -> None:
    """Say beforehand what scoring a long prompt takes."""
    from ..evidence.words.staged import cost, is_long

    if is_long(put, text):
        common.notify(cost(put.about(text), text).sentence)


def _answer(explanation: Any) -> str:
    """Return the answer as a person reads it: a probability, or a regression's value."""
    from ..evidence.text.scale import shortened

    if explanation.head == "likelihood":
        return f"{shortened(explanation.label)}  ln p {explanation.probability:.2f}"
    shown = ".3f" if explanation.head == "regression" else ".1%"
    return f"{explanation.label} {explanation.probability:{shown}}"


def _document(explanation: Any, measured: Any) -> dict[str, Any]:
    more = {} if measured is None else {"faithfulness": measured.to_dict()}
    return {**explanation.to_dict(), **more}


def _words(found: dict[str, Any]) -> list[str]:
    heads = ["  ".join(f"{name:>20}" for name in found)] if len(found) > 1 else []
    width = 20 if heads else 6
    rows = zip(*(e.words for e in found.values()), strict=True)
    lines = ["  ".join(f"{w.score:+{width}.3f}" for w in row) + f"  {row[0].text}" for row in rows]
    gaps = [
        f"{name}: the scores miss the change of the logit by {e.convergence_gap:.2g}."
        for name, e in found.items()
        if e.convergence_gap is not None
    ]
    reduced = [
        f"{name}: the answer still stands on "
        + repr(" ".join(e.words[i].text for i in sorted(e.reduced)))
        for name, e in found.items()
        if e.reduced is not None
    ]
    return [*heads, *lines, *gaps, *reduced]


def _table(measured: dict[str, Any]) -> list[str]:
    if not measured:
        return []
    measures = next(iter(measured.values())).values
    lines = ["", f"{'':22}" + "".join(f"{m:>30}" for m in measures) + f"{'τ':>8}"]
    for name, m in measured.items():
        cells = [
            f"{value:+.3f} ({m.random[k].low:+.3f} to {m.random[k].high:+.3f})"
            for k, value in m.values.items()
        ]
        tau = "–" if m.kendall_tau is None else f"{m.kendall_tau:+.2f}"
        lines.append(f"{name:22}" + "".join(f"{cell:>30}" for cell in cells) + f"{tau:>8}")
    return [*lines, "In brackets: random orders of the words, middle 95 %; τ with leave-one-out."]


def _bounds(ci95: tuple[float, float] | None) -> str:
    return f"{ci95[0]:.3f}, {ci95[1]:.3f}" if ci95 else "no interval"


def _plausibility(
    file: Path,
    names: list[str],
    question: Question,
    rows: int | None,
    long: str,
    seed: int,
    as_json: bool,
) -> None:
    from ..evidence.words.plausibility import plausibility

    if rows is not None and rows < 1:
        raise ParameterError(f"--rows is {rows} and must be 1 or more.")
    found = {n: plausibility(file, n, question, rows=rows, long=long, seed=seed) for n in names}
    first = found[names[0]]
    for note in first.notes:
        common.notify(note)
    lines = [f"{'method':22}{'token-F1':>22}{'IoU-F1':>22}{'average precision':>22}"]
    for name, p in found.items():
        cells = (
            (p.token_f1, p.token_f1_ci95), (p.iou_f1, p.iou_f1_ci95),
            (p.average_precision, p.average_precision_ci95),
        )  # fmt: skip
        text = "".join(f"{v:.3f} [{_bounds(ci95)}]".rjust(22) for v, ci95 in cells)
        lines.append(f"{name:22}{text}")
    texts = f"{first.rows:,} text{'s' * (first.rows != 1)}"
    lines.append(f"{texts}; people mark {first.share:.0%} of the words.")
    document = {"rows": first.rows, "model": first.model, "share": first.share}
    document["methods"] = {name: p.to_dict() for name, p in found.items()}
    common.show(document, as_json, "\n".join(lines))
