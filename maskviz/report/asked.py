"""A report's words on what a language model was asked, and what it writes."""

from __future__ import annotations

from ..evidence import Comparison, Control
from ..evidence.text.scale import Scale, shortened, visible
from ..readings.language.tails import Template
from ..readings.question import Question
from .charts import bars, table
from .document import Section, escape


def asked_section(comparison: Comparison, question: Question) -> list[Section]:
    """Say what a language model was asked; of a classifier that is plain."""
    if question.name not in ("choices", "next", "answer"):
        return []
    prompt = Template.of(question.given["prompt"])
    around = [part.strip() for part in (prompt.before, prompt.behind) if part.strip()]
    said = {
        "choices": "Which of these it would write behind the text: "
        + ", ".join(f"“{shortened(name)}”" for name in comparison.delta),
        "next": _next(Scale.of(comparison)),
        "answer": f"How probable the answer “{shortened(comparison.subject, 200)}” is",
    }[question.name]
    stands = f" Around the text stands: {' … '.join(around)}" if around else ""
    return [Section("What was the model asked?", f"<p>{escape(said)}.{escape(stands)}</p>")]


def _next(scale: Scale) -> str:
    if scale.kind == "contrast":
        one, other = shortened(scale.label), shortened(scale.against)
        return f"Why it would write “{one}” next and not “{other}”"
    return f"How probable “{shortened(scale.label)}” is as the next word"


def in_words(comparison: Comparison) -> str:
    """Return what a language model writes, plain and masked; empty for labels and choices."""
    detail = comparison.detail
    if "generation" in detail:
        written = detail["generation"]
        rows = [
            (visible(t["text"]), f"{t['log_probability_original']:.2f}",
             f"{t['log_probability_masked']:.2f}")
            for t in detail["tokens"][:100]
        ]  # fmt: skip
        return (
            f"<p>It writes on the text as it is: “{escape(shortened(written['original'], 400))}”. "
            f"With the words hidden: “{escape(shortened(written['masked'], 400))}”.</p>"
            "<p>How probable each token of the answer is, as a natural logarithm (0 is certain):"
            f"</p>{table(('token', 'text as it is', 'words hidden'), rows)}"
        )
    if "top" not in detail:
        return ""
    top = detail["top"][:10]
    plain, masked = ([t[f"probability_{side}"] for t in top] for side in ("original", "masked"))
    names = [visible(t["text"]) for t in top]
    return (
        "<p>What may come next. Upper bar: the text as it is. Lower bar: with the words hidden.</p>"
        + bars(names, plain, masked, "The next word on the text as it is and masked")
    )


def beside_chance(comparison: Comparison, chance: Control) -> str:
    """Set the figure that was asked for beside what other words do, in its own unit."""
    scale = Scale.of(comparison)
    low, high, mean = map(scale.said, scale.band(chance))
    rows = [
        ("the text as it is", scale.said(scale.value(comparison.original)), ""),
        ("these words hidden", scale.said(scale.value(comparison.masked)), ""),
        (f"other {chance.size}, mean", mean, f"{low} to {high}"),
    ]
    unit = f", in {scale.unit}" if scale.unit and not scale.bounded else ""
    return (
        f"<p>{escape(scale.name)}{unit}, beside what other words do; on the right the middle 95 % "
        f"of {chance.draws} other masks of {escape(chance.size)}.</p>"
        + table(("", scale.name, "middle 95 %"), rows)
    )
