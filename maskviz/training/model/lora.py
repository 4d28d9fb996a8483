"""LoRA: small matrices beside the weights are tuned, the weights themselves stay (Hu et al. 2022).

PEFT does it (extra `lora`); what is new in the head is tuned whole. At the end the matrices are
kept alone, a small folder that PEFT loads, and added into the weights, so that the result loads
as any other model does.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import MissingDependencyError, ModelError
from ...paths import write_atomic
from ..spec.spec import RunSpec
from .lora_check import ALL, asked_modules, refuse_tied

_TASKS = {"classification": "SEQ_CLS", "seq2seq": "SEQ_2_SEQ_LM", "causal": "CAUSAL_LM"}


def available() -> bool:
    """Tell whether PEFT is installed."""
    from importlib.util import find_spec

    return find_spec("peft") is not None


def require_peft() -> None:
    """Raise MissingDependencyError where PEFT is not installed."""
    if not available():
        raise MissingDependencyError(
            "lora_r needs PEFT: pip install maskviz[lora], or set lora_r to 0."
        )


def with_lora(network: Any, spec: RunSpec) -> Any:
    """Return the network with LoRA matrices; raises ModelError where its names do not fit."""
    require_peft()
    from peft import LoraConfig, get_peft_model

    training = spec.training
    names = asked_modules(spec)
    refuse_tied(network, spec)
    config = LoraConfig(
        task_type=_TASKS.get(spec.task),
        r=training.lora_r,
        lora_alpha=training.lora_alpha,
        lora_dropout=training.lora_dropout,
        target_modules=ALL if names == [ALL] else names,
        exclude_modules=_outside(network) or None,
        modules_to_save=_outside(network) if spec.task == "classification" else None,
    )
    # PEFT asks transformers a question by a name that is going away.
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
    # GPT-2's layers lie the other way round: PEFT sees it, does what is right, and says so.
    warnings.filterwarnings("ignore", "fan_in_fan_out is set to False", UserWarning)
    try:
        return get_peft_model(network, config)
    except ValueError as error:
        first = str(error).splitlines()[0][:160]
        raise ModelError(
            f"LoRA does not fit {spec.model!r} ({first}): set lora_target_modules to the names of "
            "its linear layers, or to 'all-linear'."
        ) from None


def _outside(network: Any) -> list[str]:
    """Return the names of the parts beside the core: the head, tuned whole where it is new."""
    if network.config.is_encoder_decoder and not hasattr(network, "classification_head"):
        return []
    core = network.base_model
    return [
        name
        for name, child in network.named_children()
        if child is not core and any(True for _ in child.parameters())
    ]


def save_adapter(network: Any, folder: Path, spec: RunSpec, result: Mapping[str, Any]) -> None:
    """Write the matrices, and the head where it was tuned, as PEFT loads them; with a card."""
    from ...models.locate import public_name
    from .card import adapter_card

    base = public_name(spec.model)
    network.peft_config["default"].base_model_name_or_path = base
    # The table of words is never tuned; to find out whether it was, PEFT would ask the Hub.
    network.save_pretrained(folder, save_embedding_layers=False)
    card = adapter_card(folder.parent.name, spec, result, _base_options(network.config, spec))
    write_atomic(folder / "README.md", card)


def _base_options(config: Any, spec: RunSpec) -> dict[str, Any]:
    """Return what the base must be loaded with, so that the tuned head finds its place."""
    if spec.task != "classification":
        return {}
    options = {"id2label": dict(config.id2label), "label2id": dict(config.label2id)}
    if config.pad_token_id is not None:
        options["pad_token_id"] = config.pad_token_id
    return {"num_labels": config.num_labels, **options, "ignore_mismatched_sizes": True}


def merged(network: Any) -> Any:
    """Return the plain network with the matrices added into its weights."""
    return network.merge_and_unload() if hasattr(network, "merge_and_unload") else network
