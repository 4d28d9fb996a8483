"""The model card: what a tuned model was made from, how, and what it reached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...models.locate import bundled, public_name, run_of
from ..spec.spec import CAUSAL, EXAMPLE, MULTI, REGRESSION, RunSpec

_CARD = """\
---
library_name: {library}
pipeline_tag: {tag}
tags: [maskviz, masking{more_tags}]
---
# {name}

{finding}

| | |
|---|---|
| tuned from | {model} |
| data | {data}, {rows:,} rows to train on |
| {what} | {labels} |
| masked in training | {masking}, drawn {drawn} |
| share of words hidden | {ratio:.1%} |
| tuned | {tuned} |
| seed | {seed} |
| steps, batch, learning rate | {steps:,}, {batch}, {learning_rate:g} |
| device | {device}, {precision} |

## Results
| split | input | rows | {figure} | loss |
|---|---|---:|---:|---:|
{results}

## Use
{use} The exact settings:

{fence}toml
{toml}{fence}
"""
_USE = """\
```python
import maskviz
model = maskviz.load_model("path/to/this/folder")
```
It loads with `transformers.AutoModelFor{kind}.from_pretrained` too."""
_USE_ADAPTER = """\
This folder holds LoRA's matrices alone: {model} goes with it.
```python
from peft import PeftModel
from transformers import AutoModelFor{kind}
base = AutoModelFor{kind}.from_pretrained({options})
model = PeftModel.from_pretrained(base, "path/to/this/folder")
```
{where}"""

_KINDS = {
    "classification": ("text-classification", "SequenceClassification"),
    "mlm": ("fill-mask", "MaskedLM"),
    "seq2seq": ("text2text-generation", "Seq2SeqLM"),
    "causal": ("text-generation", "CausalLM"),
}
_FIGURES = {MULTI: "exact_match", REGRESSION: "mae", "seq2seq": "BLEU, chrF, ROUGE-L"}
_SHARES = ("accuracy", "exact_match")


def model_card(name: str, spec: RunSpec, result: Mapping[str, Any]) -> str:
    """Return the card in Markdown; what comes from the user's data stands in code marks."""
    use = _USE.format(kind=_KINDS[spec.task][1])
    return _card(name, spec, result, library="transformers", more_tags="", use=use)


def adapter_card(
    name: str, spec: RunSpec, result: Mapping[str, Any], options: Mapping[str, Any]
) -> str:
    """Return the card of LoRA's matrices alone; `options` are what the base is loaded with."""
    base = public_name(spec.model)
    given = [repr(base), *(f"{key}={value!r}" for key, value in options.items())]
    use = _USE_ADAPTER.format(
        kind=_KINDS[spec.task][1], model=_code(base), options=", ".join(given), where=_where(base)
    )
    return _card(name, spec, result, library="peft", more_tags=", lora", use=use)


def _where(base: str) -> str:
    """Say where the weights are that an adapter belongs to."""
    if base in bundled():
        return (
            f"{_code(base)} is part of maskviz: its folder is `maskviz.load_model({base!r}).path`."
        )
    return f"Take the very weights of {_code(base)} that it was tuned on."


def _card(name: str, spec: RunSpec, result: Mapping[str, Any], **written: str) -> str:
    tag = _KINDS[spec.task][0]
    figure = _FIGURES.get(spec.kind, "accuracy")
    toml = shareable(spec).to_toml()
    return _CARD.format(
        **written,
        tag=tag,
        figure=f"{figure.replace('_', ' ')}{' (95 %)' * (figure in _SHARES)}",
        name=name,
        finding=result["finding"],
        model=_tuned_from(spec.model),
        data=_data(spec),
        rows=result["train_rows"],
        what="learned" if spec.task == CAUSAL else "labels",
        labels=_labels(spec, result),
        tuned=f"LoRA, rank {spec.training.lora_r}" if spec.training.lora_r else "all weights",
        masking=_code(str(spec.masking)),
        drawn="anew each epoch" if spec.masking.dynamic else "once",
        ratio=result["realised_ratio"],
        seed=_seeds(spec),
        steps=result["steps"],
        batch=spec.training.per_device_train_batch_size,
        learning_rate=spec.training.learning_rate,
        device=result["device"],
        precision=result["precision"],
        results="\n".join(_line(row, figure) for row in result["evaluations"]),
        toml=toml,
        fence="`" * max(3, 1 + max(map(len, re.findall("`+", toml)), default=0)),
    )


def _seeds(spec: RunSpec) -> str:
    second = spec.masking.second
    return f"{spec.seed}" if second is None else f"{spec.seed}; {second.seed} of {second}"


def shareable(spec: RunSpec) -> RunSpec:
    """Return the spec without the folders of the machine it ran on."""
    data = replace(
        spec.data, path=Path(spec.data.path).name, eval_path=Path(spec.data.eval_path).name
    )
    return replace(spec, data=data, model=public_name(spec.model))


def _tuned_from(model: str) -> str:
    """Name the model that a run began with, and where that came from in its turn."""
    said, seen = _code(public_name(model)), {model}
    while (spec := run_of(model)) is not None:
        model = RunSpec.from_file(spec).model
        if model in seen:
            break
        seen.add(model)
        said += f", a run tuned from {_code(public_name(model))}"
    if Path(model).is_absolute():
        said += ", a folder on the machine it was tuned on"
    return said


def _data(spec: RunSpec) -> str:
    if spec.data.path == EXAMPLE:
        tie = f"distractor {spec.data.kind}, strength {spec.data.strength:g}"
        return f"maskviz's generated example set ({tie})"
    return _code(Path(spec.data.path).name)


def _code(text: str) -> str:
    return "`" + text.replace("`", "'").replace("\n", " ").replace("|", "/") + "`"


def _labels(spec: RunSpec, result: Mapping[str, Any]) -> str:
    if spec.task == CAUSAL:
        share = result["learned_tokens"] / max(1, result["tokens"])
        return f"{_code(str(spec.loss))}, {share:.0%} of the tokens"
    if spec.task != "classification":
        return "–"
    return ", ".join(_code(label) for label in result["labels"][:20])


def _line(row: Mapping[str, Any], figure: str) -> str:
    shown = "–" if figure not in row else f"{row[figure]:.3f}"
    if "chrf" in row:
        scores = (("bleu", ".1f"), ("chrf", ".1f"), ("rougeL", ".2f"))
        shown = ", ".join(f"{row[key]:{form}}" if key in row else "–" for key, form in scores)
    if figure in row and figure in _SHARES:
        ends = ""
        if "ci95_low" in row:
            ends = f" ({100 * row['ci95_low']:.1f} to {100 * row['ci95_high']:.1f})"
        shown = f"{row[figure]:.1%}{ends}"
    loss = f"{row['loss']:.3f}" if "loss" in row else "–"  # over nothing there is none
    return f"| {row['split']} | {row['mask']} | {row['rows']:,} | {shown} | {loss} |"
