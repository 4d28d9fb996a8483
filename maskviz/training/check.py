"""What can be known to fail is refused before anything starts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from ..data import preview
from ..data.groups import named_columns
from ..data.labels import label_columns, no_column
from ..errors import CapabilityError, DataError, MissingDependencyError
from ..masks import STRATEGIES
from ..masks.expression import asks, is_expression
from ..masks.operators import no_mask_token
from ..models.abilities import abilities
from ..models.locate import folder_of, locate
from ..text.document import Document
from ..text.languages import saying
from .data.hits import LOOKED_AT, first_hit, nothing_to_hide
from .data.marking import spans_column
from .data.masking import drawn
from .data.rows import columns
from .data.spoken import read_spoken
from .data.targets import cells
from .spec.mask_spec import MaskingSpec
from .spec.spec import CAUSAL, EXAMPLE, RunSpec

_READERS = frozenset({"pipeline", "presidio", "conversation"})  # they ask no model


def preflight(spec: RunSpec) -> None:
    """Raise the error a run would end with, in the language that its rows are said to be in."""
    with saying(spec.data.language):
        _preflight(spec)


def _preflight(spec: RunSpec) -> None:
    """Raise the error a run would end with, as far as its first rows and its model tell.

    Imports no torch, so that a page can afford it, but for a decoder: what it learns of a row only
    its template can tell.
    """
    _accelerate_is_there()
    locate(spec.model)
    _model_fits(spec)
    if spec.training.lora_r:
        from .model.lora import require_peft
        from .model.lora_check import refuse_before

        require_peft()
        if (folder := folder_of(spec.model)) is not None:
            refuse_before(spec, folder)
    for masking in (spec.masking, spec.evaluation):
        if masking:
            _pipeline_is_there(masking)
            _draws(masking)
    if spec.data.path != EXAMPLE:
        _columns_are_there(spec)
        _hides_something(spec)
    if spec.task == CAUSAL:
        _teaches_something(spec)


def _model_fits(spec: RunSpec) -> None:
    """Refuse what the model's own files rule out: nothing to write with, or to hide words with."""
    folder = folder_of(spec.model)
    if folder is None:
        return
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    heads = " ".join(config.get("architectures") or ())
    writes = config.get("is_encoder_decoder") or "ConditionalGeneration" in heads
    if spec.task == "seq2seq" and not writes:
        raise CapabilityError(
            f"The model {spec.model!r} cannot be tuned for seq2seq (it writes no text): choose an "
            "encoder–decoder, such as 'mini-translate'."
        )
    if spec.task == CAUSAL:
        _writes(spec, folder, heads)
    asked = {m.operator for m in (spec.masking, spec.evaluation) if m and m.active}
    if abilities(spec.model).mask:
        return
    if spec.task == "mlm":
        raise CapabilityError(
            f"The model {spec.model!r} cannot be tuned for mlm (it has no mask token): choose "
            "another model, such as 'mini'."
        )
    if asked & {"mask", "corrupt"} and spec.task != CAUSAL:  # it learns one, see `learning_mask`
        raise no_mask_token(spec.model)


def _writes(spec: RunSpec, folder: Path, heads: str) -> None:
    """Refuse a model that is no decoder."""
    if heads and not any(name.endswith(("CausalLM", "LMHeadModel")) for name in heads.split()):
        raise CapabilityError(
            f"The model {spec.model!r} cannot be tuned for causal ({heads.split()[0]} writes no "
            "text): choose a decoder, such as 'mini-chat'."
        )


def _columns_are_there(spec: RunSpec) -> None:
    head = preview(spec.data.path, rows=50)
    if head.empty:
        raise DataError(f"{Path(spec.data.path).name!r} has a header and no rows: add some.")
    known = list(map(str, head.columns))
    spans_column(spec, known)
    whole = [
        spec.data.text_column,
        spec.data.target_column if spec.task in ("seq2seq", CAUSAL) else "",
    ]
    for column in filter(None, whole):
        if column not in known:
            raise no_column(column, known)
    if spec.task == "classification" and spec.data.label_column:
        label_columns(spec.data.label_column, known)
    for column in named_columns(spec.data.group_columns):
        if column not in known:
            raise no_column(column, known)


def _hides_something(spec: RunSpec) -> None:
    """Refuse a strategy that finds nothing in a table, as far as that is told without a model.

    What hides a share of the words always does; of a long table the run itself looks at the rest.
    """
    masking = spec.masking
    looks_for = [c for c in masking.choices if is_expression(c.strategy) or _exhaustive(c.strategy)]
    if masking.matrix or not looks_for or masking.needs - _READERS or _asks_a_model(masking):
        return
    head = preview(spec.data.path, rows=LOOKED_AT)
    texts: Sequence[str | Document]
    if spec.task == CAUSAL:
        spoken = read_spoken(spec, head).selection.labels
        texts = [Document.of(row.conversation, marked=row.marked) for row in spoken]
    else:
        texts = cells(head, columns(spec, head)[0])
    whole = len(texts) < LOOKED_AT
    if whole and first_hit(masking, texts, spec.seed, spec.model) is None:
        raise nothing_to_hide(masking, len(texts))


def _teaches_something(spec: RunSpec) -> None:
    """Refuse rows of which a decoder learns nothing, as far as the first ones tell."""
    from ..models import load_model
    from .data.lessons import Teacher, require_lesson
    from .data.rows import Part, read_frame

    rows = spec.data.max_rows
    some = replace(spec, data=replace(spec.data, max_rows=min(rows or LOOKED_AT, LOOKED_AT)))
    found = read_spoken(spec, read_frame(some)).selection
    teacher = Teacher(load_model(spec.model), spec.loss, spec.seed, spec.training.max_length)
    require_lesson(teacher, Part(found.texts, found.labels))
    for row, spoken in enumerate(found.labels):
        if spec.loss.changes(spoken.number):  # words that stand elsewhere by now
            teacher.learned(spoken, row)


def _asks_a_model(masking: MaskingSpec) -> bool:
    return any(asks(choice.strategy, choice.parameters) for choice in masking.choices)


def _exhaustive(strategy: str) -> bool:
    return STRATEGIES[strategy].kind == "exhaustive"


def _accelerate_is_there() -> None:
    if not find_spec("accelerate"):  # transformers' Trainer stands on it
        raise MissingDependencyError("Training needs accelerate: pip install accelerate.")


def _pipeline_is_there(masking: MaskingSpec) -> None:
    if find_spec("spacy"):
        return
    if "pipeline" in masking.needs:
        raise MissingDependencyError(
            f"The strategy {masking.named!r} needs spaCy: pip install spacy, or choose "
            "'random', 'span' or 'pattern'."
        )
    if masking.matrix in ("entity", "same-sentence"):
        raise MissingDependencyError(
            f"The matrix {masking.matrix!r} needs spaCy: pip install spacy, or choose 'window' or "
            "'causal'."
        )


def _draws(masking: MaskingSpec) -> None:
    """Draw one mask, where that needs no model: wrong parameters show now, not in the run."""
    readers = _READERS if any(c.parameters for c in masking.choices) else frozenset()
    if masking.active and not masking.needs - readers and not _asks_a_model(masking):
        drawn(masking, "A few plain words.")
