"""What can be known to fail is refused before anything starts."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

from ..data import preview
from ..errors import CapabilityError, DataError, MissingDependencyError
from ..masks.operators import no_mask_token
from .data.masking import drawn
from .machine.model_size import model_folder
from .spec.mask_spec import MaskingSpec
from .spec.spec import EXAMPLE, RunSpec


def preflight(spec: RunSpec) -> None:
    """Raise the error a run would end with, as far as its first rows and its model tell.

    Imports no torch: a page can afford it.
    """
    from ..models.locate import locate

    _accelerate_is_there()
    locate(spec.model)
    _model_fits(spec)
    if spec.training.lora_r:
        from .model.lora import require_peft

        require_peft()
    for masking in (spec.masking, spec.evaluation):
        if masking:
            _pipeline_is_there(masking)
            _draws(masking)
    if spec.data.path != EXAMPLE:
        _columns_are_there(spec)


def _model_fits(spec: RunSpec) -> None:
    """Refuse what the model's own files rule out: nothing to write with, or to hide words with."""
    folder = model_folder(spec.model)
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
    asked = {m.operator for m in (spec.masking, spec.evaluation) if m and m.active}
    if asked & {"mask", "corrupt"} and not _has_mask_token(folder):
        raise no_mask_token(spec.model)


def _has_mask_token(folder: Path) -> bool:
    """Tell whether a tokenizer has a mask token; what cannot be told from its files passes."""
    try:
        core = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        named = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return True
    added = (token["content"].lower() for token in core.get("added_tokens") or ())
    return bool(named.get("mask_token")) or any("mask" in token for token in added)


def _columns_are_there(spec: RunSpec) -> None:
    head = preview(spec.data.path, rows=50)
    if head.empty:
        raise DataError(f"{Path(spec.data.path).name!r} has a header and no rows: add some.")
    asked = {"mlm": "", "seq2seq": spec.data.target_column}
    for column in (spec.data.text_column, asked.get(spec.task, spec.data.label_column)):
        if column and column not in head.columns:
            listed = ", ".join(map(str, head.columns))
            raise DataError(f"There is no column {column!r}: choose one of {listed}.")


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
    if masking.active and not masking.needs:
        drawn(masking, "A few plain words.")
