"""One cell of the distraction experiment: an arm and a seed, tuned and measured."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.distraction import FAMILIES, Question, question, questions
from ...paths import write_atomic
from ..cells import cell_file, loaded, tuned
from .asking import Answered, Asked, oracle, spoken
from .experiment import BEYOND, COUNTS, THINKING, TRAINED, UNTUNED, Experiment

if TYPE_CHECKING:
    from ...models import Model
    from ...training import MaskingSpec, RunSpec
    from ...training.data.rows import Part, Rows
    from ...training.data.spoken import Spoken

_BLOCK = 36  # rows with one k: at each of them the answer stands equally often at each place
_SAMPLE = 72  # rows that a realised ratio is measured on: two blocks of each k would be 216
_HIDES = {
    # Never the question, which ends what the user says, and never the answer.
    "random": r"random - role:assistant - pattern:/[^\n]+\?/",
    "sentence": r"sentence - role:assistant - pattern:/[^\n]+\?/",
    # Masked thought, the share of its authors' trials (arXiv:2403.02178).
    "thought": "random:0.4 & role:assistant",
}
_SAID = {  # before a question: in tests of the untuned model, and in training alone
    "instruction": "Ignore all that has nothing to do with the question.",
    "inoculation": "What has nothing to do with a question distracts you.",
}


def run_cell(experiment: Experiment, seed: int, arm: str) -> None:
    """Tune one model, measure it and keep the figures; everything else is thrown away."""
    with tempfile.TemporaryDirectory(prefix="maskviz-") as folder:
        figures = measure(experiment, arm, seed, Path(folder))
    write_atomic(cell_file(experiment, seed, arm), json.dumps(figures))


def measure(experiment: Experiment, arm: str, seed: int, folder: Path) -> dict[str, float]:
    """Tune the model on one seed's questions as the arm has it, and return the cell's figures."""
    from ...models import load_model

    model = load_model(experiment.model)
    hidden: dict[str, float] = {}
    if arm in UNTUNED:
        network = model.network("generate")
    else:
        spec, share = spec_of(experiment, arm, seed, model)
        rows = _rows(training_questions(experiment, seed), seed, arm)
        network = loaded(tuned(spec, rows, folder, arm), spec.task)
        hidden = {"hidden": share}
    return {**hidden, **_figures(experiment, arm, seed, network, model)}


def training_questions(experiment: Experiment, seed: int) -> list[Question]:
    """Return the questions to train on, k = 0, 1, 2 by blocks of rows."""
    return [
        question(i, seed, TRAINED[i // _BLOCK % len(TRAINED)], split="train")
        for i in range(experiment.rows)
    ]


def spec_of(experiment: Experiment, arm: str, seed: int, model: Model) -> tuple[RunSpec, float]:
    """Return the run of a tuned arm, and the share of words that its mask hides."""
    from ...training.defaults import by_size
    from ...training.spec.spec import RunSpec

    values = {
        "task": "causal", "model": experiment.model, "seed": seed, "max_steps": experiment.steps,
        "learning_rate": experiment.learning_rate, "eval_steps": experiment.steps,
        "save_steps": experiment.steps, "per_device_train_batch_size": experiment.batch,
        "max_length": min(512, model.max_length),
    }  # fmt: skip
    spec, _ = by_size(RunSpec.build(**values), values)
    masking, share = masking_of(experiment, arm, training_questions(experiment, seed), seed)
    return replace(spec, masking=masking), share


def masking_of(
    experiment: Experiment, arm: str, asked: Sequence[Question], seed: int
) -> tuple[MaskingSpec, float]:
    """Return what an arm hides in training, and the share of words that is.

    `random` and `sentence` hide as large a share as `oracle` does, as near as whole words and
    sentences come to it.
    """
    from ...training.spec.mask_spec import NO_STRATEGY, MaskingSpec

    if arm not in (*_HIDES, "oracle"):
        return MaskingSpec(NO_STRATEGY, experiment.operator), 0.0
    rows = [_taught(one, arm) for one in asked[: _BLOCK * len(TRAINED)]]
    if arm == "thought":
        thought = MaskingSpec(_HIDES[arm], "mask")
        return thought, _share(thought, rows, seed)
    wanted = _share(oracle(experiment.operator), rows, seed)
    if arm == "oracle":
        return oracle(experiment.operator), wanted
    masking = MaskingSpec(_HIDES[arm], experiment.operator)
    low, high = 0.01, 1.0
    for _ in range(7):
        middle = (low + high) / 2
        less = _share(replace(masking, ratio=middle), rows, seed) < wanted
        low, high = (middle, high) if less else (low, middle)
    both = [(replace(masking, ratio=round(ratio, 3))) for ratio in (low, high)]
    shares = [_share(one, rows, seed) for one in both]
    nearest = min((0, 1), key=lambda i: abs(shares[i] - wanted))
    return both[nearest], shares[nearest]


def _share(masking: MaskingSpec, rows: Sequence[Any], seed: int) -> float:
    """Return the mean share of all words of the rows that a mask hides, in [0, 1]."""
    from ...text.document import Document
    from ...training.data.masking import drawn

    found = []
    for number, row in enumerate(rows):
        document = Document.of(row.conversation, marked=row.marked)
        found.append(drawn(masking, document, seed, 0, number).realised_ratio)
    return sum(found) / len(found)


def _taught(one: Question, arm: str) -> Spoken:
    """Return a question as an arm is tuned on it."""
    thought = one.thought if arm in THINKING else ""
    return spoken(one, before=_SAID.get(arm, ""), thought=thought)


def _rows(asked: Sequence[Question], seed: int, arm: str) -> Rows:
    """Return the rows a run trains on; a few of dev suffice, the tests are measured apart."""
    from ...training.data.rows import Part, Rows

    def part(some: Sequence[Question]) -> Part:
        rows = tuple(_taught(one, arm) for one in some)
        return Part(tuple(row.conversation.text for row in rows), rows)

    dev = [question(len(asked) + i, seed, 1, split="train") for i in range(12)]
    return Rows(part(asked), {"dev": part(dev)}, ("text",))


def _figures(
    experiment: Experiment, arm: str, seed: int, network: Any, model: Model
) -> dict[str, float]:
    """Return what is right at each k beside irrelevant sentences, filler, and with both hidden."""
    from ...training.spec.mask_spec import NO_STRATEGY, MaskingSpec

    plain, hidden = MaskingSpec(NO_STRATEGY, experiment.operator), oracle(experiment.operator)
    own = hidden if arm == "masked" else plain
    length = _Tokens(model)
    figures: dict[str, float] = {}

    def asked(kind: str, k: int) -> Asked:
        found = questions(experiment.tests, seed, k, kind=kind, length=length)
        before = _SAID[arm] if arm == "instruction" else ""
        return Asked(model, found, before, arm in THINKING)

    for k in COUNTS:
        beside = asked("irrelevant", k)
        answered = beside.put(network, own if k else plain)
        figures |= _means(answered, f"irrelevant_{k}") | _by_family(beside.asked, answered, k)
        if arm not in UNTUNED:
            unseen = beside.put(network, hidden) if k else answered
            figures |= _means(unseen, f"masked_{k}")
        if k:
            figures |= _means(asked("filler", k).put(network, own), f"filler_{k}")
    for name in ("accuracy", "log_p", "preferred", "tokens"):  # at 0 there is nothing beside
        figures[f"{name}_filler_0"] = figures[f"{name}_irrelevant_0"]
    return {**figures, **summary(figures)}


class _Tokens:
    """How many tokens of the model's a sentence has."""

    def __init__(self, model: Model) -> None:
        self.tokenizer, self.name = model.tokenizer, model.name

    def __call__(self, text: str) -> int:
        return len(self.tokenizer(f" {text}", add_special_tokens=False)["input_ids"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Tokens) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


def _means(answered: Answered, name: str) -> dict[str, float]:
    return {
        f"accuracy_{name}": _mean(answered.right),
        f"log_p_{name}": _mean(answered.log_p),
        f"preferred_{name}": _mean(answered.preferred),
        f"tokens_{name}": _mean(answered.tokens),
    }


def _by_family(asked: Sequence[Question], answered: Answered, k: int) -> dict[str, float]:
    found: dict[str, list[bool]] = {family: [] for family in FAMILIES}
    for one, right in zip(asked, answered.right, strict=True):
        found[one.family].append(right)
    return {f"accuracy_{family}_{k}": _mean(rows) for family, rows in found.items()}


def summary(figures: Mapping[str, float]) -> dict[str, float]:
    """Return slopes per irrelevant sentence, what they cost beside filler, and accuracy beyond.

    slope: least squares over k. cost: the mean over k > 0 of what is right beside filler − beside
    irrelevant sentences. beyond: what is right where k is larger than in training.

    >>> found = {f"{name}_{kind}_{k}": 1 - k / 10 * (kind == "irrelevant") for k in COUNTS
    ...          for name in ("accuracy", "log_p") for kind in ("irrelevant", "filler")}
    >>> {name: round(value, 3) for name, value in summary(found).items()}["cost"]
    0.375
    """
    found: dict[str, float] = {}
    for name in ("accuracy", "log_p"):
        for kind, said in (("irrelevant", ""), ("filler", "_filler")):
            found[f"slope_{name}{said}"] = _slope([figures[f"{name}_{kind}_{k}"] for k in COUNTS])
        gaps = [figures[f"{name}_filler_{k}"] - figures[f"{name}_irrelevant_{k}"] for k in COUNTS]
        found["cost" if name == "accuracy" else "cost_log_p"] = _mean(gaps[1:])
    found["beyond"] = _mean([figures[f"accuracy_irrelevant_{k}"] for k in BEYOND])
    return found


def _slope(values: Sequence[float]) -> float:
    middle, mean = _mean(COUNTS), _mean(values)
    across = sum((k - middle) * (value - mean) for k, value in zip(COUNTS, values, strict=True))
    return across / sum((k - middle) ** 2 for k in COUNTS)


def _mean(values: Sequence[float]) -> float:
    return float(sum(values)) / len(values)
