"""Self-supervised: continued masked-LM pre-training with a strategy, then a fine-tune from it.

Beside it stands the fine-tune without: from the same encoder, whose classifier is taken off in both
cases, so that they differ in the pre-training alone (Gururangan et al. 2020, "Don't Stop
Pretraining", task-adaptive). Every step is an ordinary run; one that is done is not run again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import ParameterError, RunError
from ..evidence.intervals import difference, mean_interval
from ..paths import home
from ..runs import list_runs, train
from ..text.percent import number, percent
from ..training import MaskingSpec, RunSpec
from ..training.folder import Run, slug
from ..training.loop.ending import unequal
from ..training.model.encoder import without_classifier
from .service import absolute, key_of_run, last_change, spec_key
from .written import change_said

Listener = Callable[[str], None]


@dataclass(frozen=True)
class Pretraining:
    """What is asked for: how to pre-train, and the fine-tune `base` that follows it.

    masking: what the masked-LM task hides. steps: of the pre-training. rows: texts it reads, 0 for
    all; labels are not looked at.
    """

    base: RunSpec
    masking: MaskingSpec = field(default_factory=lambda: MaskingSpec("random", ratio=0.25))
    steps: int = 200
    rows: int = 0
    seeds: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.seeds <= 100:
            raise ParameterError(f"seeds is {self.seeds}: give 1 to 100.")
        if self.base.task != "classification":
            raise ParameterError(
                f"The fine-tune's task is {self.base.task!r}: it must be classification."
            )
        self.pretrain(0)  # names and ranges are checked there

    def pretrain(self, seed: int, model: str = "") -> RunSpec:
        """Return the pre-training of a seed."""
        training = replace(self.base.training, max_steps=self.steps)
        data = replace(self.base.data, max_rows=self.rows)
        return replace(
            self.base, name="pretrain", task="mlm", masking=self.masking, evaluation=None,
            seed=seed, data=data, training=training, model=model or self.base.model,
        )  # fmt: skip

    def tune(self, seed: int, model: str, name: str) -> RunSpec:
        """Return the fine-tune of a seed from a model."""
        return replace(self.base, name=name, seed=seed, model=model)


@dataclass(frozen=True)
class Pretrained:
    """Accuracies by seed of the fine-tunes with and without pre-training, and the runs.

    early: a sentence on fine-tunes that ended before their steps.
    """

    with_it: Sequence[float]
    without: Sequence[float]
    runs: Mapping[str, Sequence[str]]
    early: str = ""

    @property
    def finding(self) -> str:
        """Say what the pre-training changes, and whether that can be told from chance."""
        return f"{self._change()} {self.early}".strip()

    def _change(self) -> str:
        mean, low, high = difference(self.without, self.with_it)
        before, after = mean_interval(self.without)[0], mean_interval(self.with_it)[0]
        said = (
            f"Accuracy {percent(before, 1)} without and {percent(after, 1)} with pre-training: "
            f"{change_said('accuracy', mean)}"
        )
        if low != low:
            count = "one seed" if len(self.without) == 1 else "all seeds alike, too few to tell"
            return f"{said}, {count}."
        within = " to ".join(number(100 * end, "+.1f") for end in (low, high))
        told = "no difference can be told" if low <= 0 <= high else "a difference beyond chance"
        return f"{said} ({within}, {len(self.without)} seeds), {told}."

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return {
            "with": {"values": list(self.with_it), "ci95": list(mean_interval(self.with_it))},
            "without": {"values": list(self.without), "ci95": list(mean_interval(self.without))},
            "difference": list(difference(self.without, self.with_it)),
            "runs": {name: list(ids) for name, ids in self.runs.items()},
            "early": self.early,
            "finding": self.finding,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Pretrained:
        """Read back what `to_dict` gives."""
        both = (kept["with"]["values"], kept["without"]["values"])
        return cls(*both, kept["runs"], kept.get("early", ""))


def pretrain_and_tune(asked: Pretraining, listener: Listener | None = None) -> Pretrained:
    """Run pre-training and both fine-tunes for every seed and return what came out.

    Raises RunError with the run's own reason where one does not end well.

    >>> pretrain_and_tune(Pretraining(RunSpec.build(max_rows=300))).finding     # doctest: +SKIP
    'Accuracy 71.2 % without and 74.0 % with pre-training: +2.8 points (…), no difference …'
    """
    asked = replace(asked, base=absolute(asked.base))
    start = str(_encoder(asked.base.model))
    runs: dict[str, list[Run]] = {"pretrain": [], "with": [], "without": []}
    for seed in range(asked.seeds):
        first = _done(asked.pretrain(seed, start), f"pre-training, seed {seed}", listener)
        runs["pretrain"].append(first)
        after = asked.tune(seed, str(first.model_path), "tune-with-pretraining")
        runs["with"].append(_done(after, f"fine-tune with it, seed {seed}", listener))
        plain = asked.tune(seed, start, "tune-without-pretraining")
        runs["without"].append(_done(plain, f"fine-tune without it, seed {seed}", listener))
    return Pretrained(
        [_accuracy(run) for run in runs["with"]],
        [_accuracy(run) for run in runs["without"]],
        {name: [run.id for run in found] for name, found in runs.items()},
        unequal([*runs["with"], *runs["without"]]),
    )


def _encoder(model: str) -> Path:
    from ..evidence.cells import weights_of

    folder = home() / "encoders"
    folder.mkdir(parents=True, exist_ok=True)
    return without_classifier(model, folder / f"{slug(Path(model).name)}-{weights_of(model)[:12]}")


def _done(spec: RunSpec, said: str, listener: Listener | None) -> Run:
    """Return the run of this spec that is done, or train it now."""
    newest, key = last_change(spec), spec_key(spec)
    for run in list_runs():
        if run.state == "done" and run.created >= newest and key_of_run(run.id) == key:
            return run
    if listener:
        listener(said)
    run = train(spec)
    if run.state != "done":
        raise RunError(f"The {said} is {run.state}: {run.reason}")
    return run


def _accuracy(run: Run) -> float:
    figures = run.metrics
    return float(figures.get("accuracy_masked", figures["accuracy_plain"]))
