"""What the commands share: the application, the options, and how a result is shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import DataError, ParameterError
from ..terminal import notify as notify  # the commands' own names for it
from ..terminal import show as show
from .progress import Progress

app = typer.Typer(
    name="maskviz",
    help="See what a language model reads. Hide part of it. Measure what changes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
TextArgument = Annotated[str | None, typer.Argument(help="The text; '-' reads standard input.")]
ModelName = Annotated[
    str,
    typer.Option(
        "--model", "-m", help="mini, smollm2, a tuned run, a folder, a GGUF file or a Hub name."
    ),
]
QuestionName = Annotated[
    str,
    typer.Option(
        "--question",
        help="What the model is asked: labels, choices, next, answer, or one of your own. Without: "
        "labels of a classifier, next of a decoder.",
    ),
]
Ask = Annotated[
    list[str] | None, typer.Option("--ask", help="A parameter of --question, NAME=VALUE.")
]
Prompt = Annotated[
    str | None,
    typer.Option(
        "--prompt",
        help="What a language model reads: 'Review: {text}\\nSentiment:'; \\n is a line.",
    ),
]
Choices = Annotated[
    list[str] | None,
    typer.Option("--choice", help="A continuation to choose from; give it two or more times."),
]
NextToken = Annotated[bool, typer.Option("--next", help="Ask a decoder for its next token.")]
Target = Annotated[str, typer.Option("--target", help="The next token that counts, ' Rome'.")]
Against = Annotated[
    str, typer.Option("--against", help="A token to set against --target: why this, not that?")
]
Answer = Annotated[
    str | None,
    typer.Option("--answer", help="How probable is this answer? '' takes the model's own."),
]
ConversationFile = Annotated[
    Path | None,
    typer.Option(
        "--conversation",
        help="A conversation in the place of the text: JSON of messages, ShareGPT, or prompt and "
        "response.",
    ),
]
ConversationColumn = Annotated[
    str | None,
    typer.Option(
        "--conversation-column",
        help="Column with conversations, as JSON, in the place of --text-column.",
    ),
]
StrategyName = Annotated[str, typer.Option("--strategy", "-s", help="What to hide.")]
OperatorName = Annotated[str, typer.Option("--operator", "-o", help="How it is hidden.")]
Ratio = Annotated[float | None, typer.Option("--ratio", "-r", help="Share to hide, 0 to 1.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of every random choice.")]
Spans = Annotated[
    str,
    typer.Option(
        "--spans", help="Of one text, for 'spans': '[[0, 4]]' or '[\"Rome\"]', places or words."
    ),
]
SpansColumn = Annotated[
    str | None,
    typer.Option(
        "--spans-column",
        help="For 'spans': the column in which each row marks [[start, end], …] or [\"word\", …].",
    ),
]
Types = Annotated[
    str,
    typer.Option(
        "--types",
        help="Types for 'entity', 'attribute' and 'pii', tags for 'pos', such as PERSON,GPE; roles "
        "for 'role', calls or results for 'tool'.",
    ),
]
Pattern = Annotated[str, typer.Option("--pattern", help="Regular expression for 'pattern'.")]
Words = Annotated[str, typer.Option("--words", help="Word list for 'pattern', with commas.")]
Indices = Annotated[
    str, typer.Option("--indices", help="Sentences or words by number, such as 1,3.")
]
Pipeline = Annotated[
    str, typer.Option("--pipeline", help="spaCy pipeline: en_mini or an installed one.")
]


def _say(language: str) -> str:
    from ..text.languages import said, say

    say(language)
    return said()


Language = Annotated[
    str,
    typer.Option(
        "--language",
        callback=_say,
        help="Language of the text, zh or Chinese; without, it is found.",
    ),
]
By = Annotated[
    str,
    typer.Option(
        "--by",
        help="How 'key' finds words: model, keyness, tfidf or lexicon; 'entity': pipeline or "
        "model.",
    ),
]
Tagger = Annotated[
    str,
    typer.Option(
        "--tagger",
        help="Of 'entity': a token-classification model in the pipeline's place, by Hub name or "
        "folder; of 'attribute': one that finds names as well.",
    ),
]
DataFile = Annotated[
    str, typer.Option("--data", help="Table with texts and labels for 'key' by keyness or tfidf.")
]
Threshold = Annotated[
    float | None,
    typer.Option("--threshold", help="From where 'redundant', 'noise' and 'pii' hide."),
]
Surprisal = Annotated[
    float | None,
    typer.Option(
        "--surprisal", help="Bits the model must be surprised for 'noise'; 0: do not ask."
    ),
]
Complement = Annotated[
    bool, typer.Option("--complement", help="Hide all else and keep what the strategy would hide.")
]
Second = Annotated[
    str | None,
    typer.Option("--second", help="A second strategy, such as random:0.3 or entity:GPE."),
]
SecondSeed = Annotated[int, typer.Option("--second-seed", min=0, help="Its own seed.")]
JOIN = typer.Option("--join", help="How it joins the first: or, and, minus.")
Join = Annotated[str, JOIN]
Unit = Annotated[str, typer.Option("--unit", help="What 'corrupt' draws for: token, word or span.")]
MaskFile = Annotated[
    Path | None, typer.Option("--mask", help="A mask saved as JSON, in place of a strategy.")
]


TYPES = ("types", "tags", "roles", "parts")  # parameters that --types gives


def read_text(text: str | None) -> str:
    """Return the text, from standard input where it is '-' or left out and piped in."""
    if text not in (None, "-"):
        return text
    if text is None and sys.stdin.isatty():
        raise ParameterError("No text is given: write it after the command, or '-' and pipe it in.")
    return sys.stdin.buffer.read().decode("utf-8", errors="replace").strip("\n")


def parameters_for(strategy: str, **options: Any) -> dict[str, Any]:
    """Return the options that `strategy` takes; refuse one that was given and is not taken."""
    from ..masks import STRATEGIES
    from ..masks.expression import is_expression

    if is_expression(strategy):
        return _for_expression(options)
    kinds = {p.name: p.kind for p in STRATEGIES[strategy].parameters}
    given: dict[str, Any] = {}
    for name, value in options.items():
        if value in (None, ""):
            continue
        if name not in kinds and name in ("model", "pipeline"):
            continue
        if name == "types":
            name = next((alias for alias in TYPES if alias in kinds), name)
        given[name] = _parsed(name, value, kinds.get(name, "text"))
    return given


def only_for_files(**options: Any) -> None:
    """Refuse the options that say something of a file, where none is named."""
    for name, value in options.items():
        if value:
            said = name.replace("_", "-")
            raise ParameterError(f"--{said} is for a file: name one with --file, or leave it out.")


def options_of(entry: Any) -> set[str]:
    """Return the options that a strategy takes."""
    return {"types" if p.name in TYPES else p.name for p in entry.parameters}


def _for_expression(options: dict[str, Any]) -> dict[str, Any]:
    for name, value in options.items():
        if value not in (None, "") and name not in ("model", "pipeline"):
            raise ParameterError(
                "An expression takes its arguments inside, such as 'entity:GPE | pattern:/the/': "
                f"leave --{name} out."
            )
    return {"model": options["model"]} if options.get("model") else {}


def _parsed(name: str, value: Any, kind: str) -> Any:
    if not isinstance(value, str):
        return value
    if kind == "choices":
        return [item.strip() for item in value.split(",") if item.strip()]
    if kind == "integers":
        try:
            return [int(item) for item in value.split(",") if item.strip()]
        except ValueError:
            raise ParameterError(
                f"--{name} is {value!r} and must be whole numbers with commas, such as 1,3."
            ) from None
    return value


def read_spoken(file: Path | None, text: str | None, mask_file: Path | None = None) -> Any:
    """Return the conversation of a file, else that of a saved mask, None where there is none.

    Raises DataError for what is none, ParameterError where a text is given beside it.
    """
    from ..text.conversation import read_conversation, spoken_with

    if file is None:
        known = text is None and mask_file is not None and mask_file.is_file()
        return spoken_with(mask_file.read_bytes()) if known and mask_file else None
    if text is not None:
        raise ParameterError("A text and --conversation are given: give one of them.")
    try:
        return read_conversation(file.read_bytes())
    except OSError as error:
        raise DataError(f"{str(file)!r} cannot be read: {error.strerror}.") from None


def chosen_mask(
    text: Any,
    strategy: str,
    ratio: float | None,
    seed: int,
    mask_file: Path | None = None,
    complement: bool = False,
    second: Any = None,
    join: str = "or",
    **options: Any,
) -> Any:
    """Return the mask a command asks for: read from a file, or chosen by a strategy.

    text: a text, or a conversation as it is read before its answer.
    """
    from ..masks import Mask, mask
    from ..text.document import Document
    from ..text.pipelines import BUNDLED

    if mask_file is not None:
        try:
            written = mask_file.read_bytes()
        except OSError as error:
            raise DataError(f"{str(mask_file)!r} cannot be read: {error.strerror}.") from None
        own = None if text is None and sys.stdin.isatty() else text_of(text)
        saved = Mask.from_json(written, own or None)
        return ~saved if complement else saved
    given = mask_parameters(strategy, **options)
    show = Progress("characters")
    spoken = None if text is None or isinstance(text, str) else text
    document = Document(text_of(text), given.get("pipeline", BUNDLED), show, spoken)
    chosen = mask(
        document, strategy, ratio=ratio, seed=seed,
        complement=complement, second=second, join=join, **given,
    )  # fmt: skip
    show.end()
    say_language(document, strategy, second)
    return chosen


def say_language(document: Any, strategy: str, second: Any = None) -> None:
    """Say on standard error what the text's language lacks here."""
    from ..masks.expression import needs
    from ..text.remarks import remarks

    wanted = needs(strategy) | (second.needs if second else frozenset())
    for sentence in remarks(document, wanted):
        notify(sentence)


def text_of(text: Any) -> str:
    """Return a text, or that of a conversation's contents."""
    return read_text(text) if text is None or isinstance(text, str) else str(text.text)


def second_choice(strategy: str | None, seed: int) -> Any:
    """Return the second strategy as a Choice, or None where none is named."""
    from ..masks import Choice

    return Choice(strategy, seed=seed) if strategy else None


def mask_parameters(strategy: str, **options: Any) -> dict[str, Any]:
    """Return what `maskviz.mask` takes besides text, ratio and seed."""
    given = parameters_for(strategy, **options)
    return given | ({"pipeline": options["pipeline"]} if options.get("pipeline") else {})


def question_of(
    name: str,
    given: list[str] | None,
    model: str,
    prompt: str | None = None,
    choices: list[str] | None = None,
    next_token: bool = False,
    target: str = "",
    against: str = "",
    answer: str | None = None,
    spoken: Any = None,
) -> str | dict[str, Any]:
    """Return the question that the options name; without any what the model can be asked.

    spoken: the conversation that it is put about; without a question its answer is asked for.

    Raises ParameterError for a parameter without a `=`, or options of several questions.
    """
    pairs = [item.partition("=") for item in given or ()]
    for key, sign, _ in pairs:
        if not (key and sign):
            raise ParameterError(f"--ask is {key!r}: write NAME=VALUE, such as words=good,bad.")
    named = {
        "choices": bool(choices), "next": next_token or bool(target or against),
        "answer": answer is not None,
    }  # fmt: skip
    kinds = [kind for kind, is_named in named.items() if is_named]
    if len({*kinds, *([name] if name else [])}) > 1:
        raise ParameterError(
            f"The options ask several questions ({', '.join([*filter(None, [name]), *kinds])}): "
            "ask one at a time."
        )
    more = {
        "prompt": None if prompt is None else prompt.replace("\\n", "\n").replace("\\t", "\t"),
        "choices": choices, "target": target, "against": against, "answer": answer,
    }  # fmt: skip
    usual = "answer" if spoken is not None else ""
    asked = name or (kinds[0] if kinds else usual or _usual_question(model))
    found = {key: value for key, value in more.items() if value}
    if spoken is not None:
        if prompt is not None:
            raise ParameterError("A conversation has its own template: leave --prompt out.")
        found |= {"conversation": spoken, **({"answer": ""} if answer == "" else {})}
    found |= {key.strip(): value for key, _, value in pairs}
    return {"name": asked, **found} if found else asked


def _usual_question(model: str) -> str:
    from ..models import load_model
    from ..readings.language import usual_question

    return usual_question(load_model(model))
