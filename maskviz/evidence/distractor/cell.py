"""One cell of the planted-distractor experiment: an arm and a seed, tuned and measured."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.distractor import KINDS, make
from ...paths import write_atomic
from ..cells import cell_file, loaded, tuned
from .experiment import TESTS, Experiment
from .leakage import counts_of, probe
from .own import own_frame

if TYPE_CHECKING:
    import pandas as pd

    from ...models import Model
    from ...training import MaskingSpec, RunSpec
    from ...training.data.masking import TokenRow

_BATCH = 64


def run_cell(experiment: Experiment, seed: int, arm: str) -> None:
    """Tune one model, measure it and keep the figures; everything else is thrown away."""
    with tempfile.TemporaryDirectory(prefix="maskviz-") as folder:
        figures = measure(experiment, arm, seed, Path(folder))
    write_atomic(cell_file(experiment, seed, arm), json.dumps(figures))


def measure(experiment: Experiment, arm: str, seed: int, folder: Path) -> dict[str, float]:
    """Tune the model on one seed's rows as the arm has it, and return the cell's figures."""
    from ...models import load_model

    frame = frame_of(experiment, seed)
    spec = _spec(experiment, arm, seed, folder, frame)
    model_folder = tuned(spec, _rows(frame), folder, arm)
    return _figures(spec, frame, experiment, model_folder, load_model(spec.model))


def frame_of(experiment: Experiment, seed: int) -> pd.DataFrame:
    """Return one seed's rows: text, label, distractor, group (which label it goes with), split."""
    size = (experiment.rows, experiment.strength, experiment.noise)
    if experiment.own is not None:
        return own_frame(experiment.own, *size, seed)
    frame = make(experiment.rows, seed, experiment.strength, experiment.kind, experiment.noise)
    return frame.assign(group=frame.distractor.isin(KINDS[experiment.kind][1]).astype(int))


def labels_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return both labels, in their order."""
    return tuple(sorted(set(frame.label)))


def masking_of(
    experiment: Experiment, arm: str, frame: pd.DataFrame, folder: Path, seed: int
) -> MaskingSpec:
    """Return what an arm hides, in training and at test.

    A word or sentence that is there or not is taken out: a mask token would still say that it was.
    """
    found = _hidden_by(experiment, arm, frame, folder, seed)
    there_or_not = experiment.own is not None and experiment.own.kind in ("word", "sentence")
    return replace(found, operator="delete") if there_or_not and arm != "plain" else found


def _hidden_by(
    experiment: Experiment, arm: str, frame: pd.DataFrame, folder: Path, seed: int
) -> MaskingSpec:
    from ...training.spec.mask_spec import NO_STRATEGY, MaskingSpec

    train = frame[frame.split == "train"]
    if arm == "plain":
        return MaskingSpec(NO_STRATEGY)
    if arm == "random":
        return MaskingSpec("random", ratio=_matched_ratio(experiment, train, seed))
    if arm == "key":
        table = folder / "train.csv"
        train[["text", "label"]].to_csv(table, index=False)
        return MaskingSpec("key", parameters={"by": "keyness", "data": str(table)})
    if arm == "oracle":
        groups = KINDS[experiment.kind] if experiment.own is None else experiment.own.groups
        planted = [word for group in groups for word in group]
        return MaskingSpec("pattern", parameters={"words": planted})
    return attributes_of(experiment) if arm == "attribute" else MaskingSpec(arm)


def attributes_of(experiment: Experiment) -> MaskingSpec:
    """Return what the arm `attribute` hides: places, too, where it is a place that is planted."""
    from ...masks import Choice
    from ...training.spec.mask_spec import MaskingSpec

    places = Choice("entity", parameters={"types": ["GPE", "LOC"]})
    return MaskingSpec("attribute", second=places if experiment.planted == "place" else None)


def _matched_ratio(experiment: Experiment, train: pd.DataFrame, seed: int) -> float:
    """Return the ratio at which `random` hides as many words as `attribute` does."""
    from ...training.data.control import matching_ratio, realised_ratio

    texts = tuple(train.text)
    wanted = realised_ratio(attributes_of(experiment), texts, experiment.model, seed)
    return matching_ratio(wanted, texts, seed)


def _spec(
    experiment: Experiment, arm: str, seed: int, folder: Path, frame: pd.DataFrame
) -> RunSpec:
    from ...training.spec.spec import RunSpec

    spec = RunSpec.build(
        model=start_of(experiment), seed=seed, max_steps=experiment.steps,
        learning_rate=experiment.learning_rate, eval_steps=experiment.steps,
        save_steps=experiment.steps,
    )  # fmt: skip
    return replace(spec, masking=masking_of(experiment, arm, frame, folder, seed))


def start_of(experiment: Experiment) -> str:
    """Return the model that every arm starts from; an encoder alone is written once."""
    from ...training.model.encoder import without_classifier

    if not experiment.fresh:
        return experiment.model
    experiment.folder.mkdir(parents=True, exist_ok=True)
    return str(without_classifier(experiment.model, experiment.folder / "encoder"))


def _rows(frame: pd.DataFrame) -> Any:
    """Return the rows a run trains on; a few of dev suffice, the tests are measured apart."""
    from ...training.data.rows import Part, Rows

    labels = labels_of(frame)

    def part(rows: pd.DataFrame) -> Part:
        return Part(tuple(rows.text), tuple(labels.index(label) for label in rows.label))

    dev = frame[frame.split == "dev"].head(64)
    return Rows(part(frame[frame.split == "train"]), {"dev": part(dev)}, labels)


def _figures(
    spec: RunSpec, frame: pd.DataFrame, experiment: Experiment, model_folder: Path, model: Model
) -> dict[str, float]:
    """Return accuracy per test set, worst group and leakage, on inputs as the arm was trained."""
    import numpy as np

    network, reader = loaded(model_folder, spec.task), _reader(spec, model)
    figures: dict[str, float] = {}
    labels = labels_of(frame)
    for test in TESTS:
        rows = frame[frame.split == test]
        tokens = list(reader(tuple(rows.text)))
        predicted, pooled = _forward(network, tokens)
        right = predicted == np.array([labels.index(label) for label in rows.label])
        figures[f"accuracy_{test}"] = float(right.mean())
        if test == "neutral":
            groups = rows.group.to_numpy().astype(int)
            figures["worst_group"] = _worst(right, rows.label.to_numpy(), groups)
            seen = [
                [i for i, on in zip(row.input_ids, row.attention_mask, strict=True) if on]
                for row in tokens
            ]
            text, inside = probe(counts_of(seen), groups), probe(pooled, groups)
            figures |= {"leakage_text": text.accuracy, "leakage_text_chance": text.chance}
            figures |= {
                "leakage_representation": inside.accuracy,
                "leakage_representation_chance": inside.chance,
            }
    figures["reliance"] = figures["accuracy_aligned"] - figures["accuracy_reversed"]
    return figures


def _worst(right: Any, labels: Any, groups: Any) -> float:
    """Return the lowest accuracy over the groups label × distractor (Sagawa et al. 2020)."""
    both = sorted(set(labels))
    cells = [right[(labels == label) & (groups == group)] for label in both for group in (0, 1)]
    return min(float(cell.mean()) for cell in cells if len(cell))


def _reader(spec: RunSpec, model: Model) -> Any:
    """Return a function from texts to what the model reads of them under the arm's mask."""
    from ...training.data.masking import Masker

    def read(texts: Sequence[str]) -> Iterator[TokenRow]:
        length = min(spec.training.max_length, model.max_length)
        masker = Masker(model, texts, spec.evaluated_mask, spec.seed + 1, length)
        masker.prepare(range(len(texts)))
        return (masker.row(i) for i in range(len(texts)))

    return read


def _forward(network: Any, rows: Sequence[TokenRow]) -> tuple[Any, Any]:
    """Return the predicted classes (rows,) and mean last hidden states (rows, width)."""
    import numpy as np
    import torch

    order = sorted(range(len(rows)), key=lambda i: -len(rows[i].input_ids))
    predicted = np.zeros(len(rows), dtype=int)
    pooled: dict[int, Any] = {}
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        with torch.inference_mode():
            batch = _padded([rows[i] for i in chosen], network)
            answer = network(**batch, output_hidden_states=True)
        predicted[chosen] = answer.logits.argmax(-1).cpu().numpy()
        seen = batch["attention_mask"][..., None]
        means = (answer.hidden_states[-1] * seen).sum(1) / seen.sum(1)
        pooled |= dict(zip(chosen, means.float().cpu().numpy(), strict=True))
    return predicted, np.stack([pooled[i] for i in range(len(rows))])


def _padded(rows: Sequence[TokenRow], network: Any) -> Mapping[str, Any]:
    import torch

    width = max(len(row.input_ids) for row in rows)
    pad = network.config.pad_token_id or 0
    return {
        name: torch.tensor(
            [[*getattr(row, name), *[fill] * (width - len(row.input_ids))] for row in rows],
            device=network.device,
        )
        for name, fill in (("input_ids", pad), ("attention_mask", 0))
    }
