"""RunSpec: a fine-tune as asked for. Checked when made; TOML in and out.

The hyperparameters carry the names of Hugging Face's TrainingArguments. A spec file:

    name = "names-hidden"
    task = "classification"
    model = "mini"
    seed = 0

    [data]
    path = "reviews.csv"
    text_column = "text"
    label_column = "label"

    [masking]
    strategy = "attribute"
    operator = "mask"
    parameters = {types = ["names"]}

    [training]
    learning_rate = 1e-4
    num_train_epochs = 3.0
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ...errors import ParameterError, UnknownNameError
from ...masks import Choice
from ...text.languages import checked_language
from .loss_spec import SIDES, LossSpec
from .mask_spec import NO_STRATEGY, MaskingSpec
from .toml import to_toml

EXAMPLE = "example"  # the generated example set
CAUSAL = "causal"
TASKS = ("classification", "mlm", "seq2seq", CAUSAL)
SINGLE, MULTI, REGRESSION = PROBLEMS = (
    "single_label_classification",
    "multi_label_classification",
    "regression",
)
DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "float32", "bf16")
SCHEDULES = ("linear", "cosine", "constant", "constant_with_warmup")
CLASS_WEIGHTS = ("none", "balanced")
BEST = ("loss", "accuracy", "worst_group_accuracy")  # what the kept weights are best in


@dataclass(frozen=True)
class DataSpec:
    """Where the rows come from. Empty columns are guessed; a `split` column is heeded."""

    path: str = EXAMPLE
    text_column: str = ""
    label_column: str = ""
    target_column: str = ""  # what a seq2seq model is to write, or the answer to a prompt
    group_columns: str = ""  # separated by commas: whom a classification fails
    spans_column: str = ""  # what a person marked in each row, for the strategy 'spans'
    eval_path: str = ""  # a table of its own to evaluate on
    eval_fraction: float = 0.1  # of the rows, where nothing else says what to evaluate on
    max_rows: int = 0  # 0 = all
    strength: float = 0.9  # of the example set's distractor
    kind: str = "name"  # of the example set's distractor
    language: str = ""  # of the rows, by its code; empty: each row's is found

    def __post_init__(self) -> None:
        object.__setattr__(self, "language", checked_language(self.language))
        _range("eval_fraction", self.eval_fraction, 0.01, 0.5)
        _range("max_rows", self.max_rows, 0, math.inf)
        _range("strength", self.strength, 0.5, 1)
        if not self.path:
            raise ParameterError("There is no data: name a file, or 'example' for the example set.")

    def located(self, folder: Path) -> DataSpec:
        """Return the same with relative paths made absolute, as seen from `folder`."""

        def absolute(path: str) -> str:
            return (
                path if path in ("", EXAMPLE) else str((folder / Path(path).expanduser()).resolve())
            )

        return replace(self, path=absolute(self.path), eval_path=absolute(self.eval_path))


@dataclass(frozen=True)
class TrainingSpec:
    """Hyperparameters under their TrainingArguments names, and the budget.

    The budget is the first of max_minutes, max_steps and num_train_epochs that is set.
    """

    learning_rate: float = 1e-4
    num_train_epochs: float = 3.0
    max_steps: int = -1
    max_minutes: float = 0.0
    per_device_train_batch_size: int = 32
    per_device_eval_batch_size: int = 64
    gradient_accumulation_steps: int = 1
    weight_decay: float = 0.01
    warmup_steps: float = 0.1  # below 1 a share of all steps, otherwise a count
    lr_scheduler_type: str = "linear"
    max_grad_norm: float = 1.0
    label_smoothing_factor: float = 0.0
    class_weights: str = "none"  # balanced: the loss weighs a class by 1 / its share of the rows
    early_stopping_patience: int = 0  # evaluations without a better one; 0 = never stop early
    metric_for_best_model: str = "loss"  # another one: the weights that are best in it are taken
    max_length: int = 256  # tokens; the model's own limit where that is lower
    max_target_length: int = 128  # tokens of what a seq2seq model is to write
    lora_r: int = 0  # rank of the LoRA matrices; 0 = all weights are tuned
    lora_alpha: int = 16
    lora_dropout: float = 0.05
    lora_target_modules: str = "all-linear"  # or names, separated by commas
    gradient_checkpointing: bool = False  # less memory, about a third more time
    packing: bool = False  # of a decoder: several rows in one, each attending to itself alone
    padding_side: str = "right"  # of a decoder's batches
    torch_compile: bool = False  # half a minute before the first step; each later one is shorter
    logging_steps: int = 5
    eval_steps: int = 0  # 0 = ten times in a run
    save_steps: int = 0  # 0 = ten times in a run
    save_total_limit: int = 2

    def __post_init__(self) -> None:
        _range("learning_rate", self.learning_rate, 1e-8, 1)
        _range("num_train_epochs", self.num_train_epochs, 0.01, 1000)
        _range("max_minutes", self.max_minutes, 0, 60 * 24 * 30)
        _range("per_device_train_batch_size", self.per_device_train_batch_size, 1, 4096)
        _range("per_device_eval_batch_size", self.per_device_eval_batch_size, 1, 4096)
        _range("gradient_accumulation_steps", self.gradient_accumulation_steps, 1, 1024)
        _range("weight_decay", self.weight_decay, 0, 1)
        _range("warmup_steps", self.warmup_steps, 0, math.inf)
        _range("max_grad_norm", self.max_grad_norm, 0, math.inf)
        _range("label_smoothing_factor", self.label_smoothing_factor, 0, 0.5)
        _range("max_length", self.max_length, 4, 131_072)
        _range("max_target_length", self.max_target_length, 2, 131_072)
        _range("early_stopping_patience", self.early_stopping_patience, 0, 1000)
        _range("lora_r", self.lora_r, 0, 1024)
        _range("lora_alpha", self.lora_alpha, 1, 4096)
        _range("lora_dropout", self.lora_dropout, 0, 0.9)
        for name in ("logging_steps", "save_total_limit"):
            _range(name, getattr(self, name), 1, math.inf)
        for name in ("eval_steps", "save_steps"):
            _range(name, getattr(self, name), 0, math.inf)
        if self.max_steps == 0 or self.max_steps < -1:
            raise ParameterError(f"max_steps is {self.max_steps}: give 1 or more, or -1 for none.")
        for name, known in (
            ("lr_scheduler_type", SCHEDULES),
            ("class_weights", CLASS_WEIGHTS),
            ("metric_for_best_model", BEST),
            ("padding_side", SIDES),
        ):
            if getattr(self, name) not in known:
                raise UnknownNameError.of(name, getattr(self, name), known)


@dataclass(frozen=True)
class RunSpec:
    """A fine-tune as asked for.

    `evaluation` is the mask of the masked evaluation, by default the one of training; `loss` says
    what a decoder learns of its rows (task causal), and other tasks leave it out. Raises
    ParameterError or UnknownNameError for a value outside its limits.

    >>> RunSpec.build(strategy="random", ratio=0.3, seed=1).masking.ratio
    0.3
    """

    name: str = ""
    task: str = "classification"
    problem_type: str = SINGLE  # of a classification, as transformers names them
    model: str = "mini"
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    data: DataSpec = field(default_factory=DataSpec)
    masking: MaskingSpec = field(default_factory=MaskingSpec)
    evaluation: MaskingSpec | None = None
    training: TrainingSpec = field(default_factory=TrainingSpec)
    loss: LossSpec = field(default_factory=LossSpec)

    def __post_init__(self) -> None:
        for kind, value, known in (
            ("task", self.task, TASKS),
            ("problem_type", self.problem_type, PROBLEMS),
            ("device", self.device, DEVICES),
            ("precision", self.precision, PRECISIONS),
        ):
            if value not in known:
                raise UnknownNameError.of(kind, value, known)
        _range("seed", self.seed, 0, 2**31 - 1)
        if len(self.name) > 80:
            raise ParameterError(f"The name has {len(self.name)} characters: give at most 80.")
        if self.training.class_weights != "none" and self.kind != SINGLE:
            raise ParameterError(
                "class_weights weigh the labels of a classification with one label a row: set it "
                "to 'none'."
            )
        if self.training.label_smoothing_factor and self.kind in (MULTI, REGRESSION):
            raise ParameterError(
                "label_smoothing_factor spreads the one label of a row: set it to 0."
            )
        if self.task == "mlm" and (not self.masking.active or self.masking.operator != "mask"):
            raise ParameterError(
                "The task mlm learns what a mask hides: choose a strategy, with operator 'mask'."
            )
        self._check_groups()
        if self.task == CAUSAL:
            self._check_causal()

    def _check_groups(self) -> None:
        best, grouped = self.training.metric_for_best_model, bool(self.data.group_columns)
        if self.kind != SINGLE and (grouped or best != "loss"):
            raise ParameterError(
                "group_columns and metric_for_best_model are of classifications with one label a "
                "row: leave them out."
            )
        if best == "worst_group_accuracy" and not grouped:
            raise ParameterError(
                "metric_for_best_model is 'worst_group_accuracy' and no column says what the "
                "groups are: name some in group_columns."
            )

    def _check_causal(self) -> None:
        for masking in (self.masking, self.evaluated_mask):
            if masking.active and masking.operator in ("mask", "corrupt") and self.training.lora_r:
                raise ParameterError(
                    "The operator 'mask' gives a decoder a token to learn, and LoRA leaves its "
                    "table of words as it is: set lora_r to 0, or hide words by 'attention' or "
                    "'delete'."
                )
            if masking.matrix:
                raise ParameterError(
                    "The task causal takes no attention matrix: hide words with the operator "
                    "'attention' or 'delete'."
                )
        if self.training.torch_compile:
            raise ParameterError("The task causal is not compiled: set torch_compile to false.")

    @property
    def kind(self) -> str:
        """What is learned: `mlm`, `seq2seq`, `causal`, or the kind of classification."""
        return self.problem_type if self.task == "classification" else self.task

    @property
    def evaluated_mask(self) -> MaskingSpec:
        """The mask of the masked evaluation; drawn once, so that evaluations compare."""
        return replace(self.evaluation or self.masking, dynamic=False)

    def to_toml(self) -> str:
        """Return the spec as a TOML document, defaults included."""
        return to_toml(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as nested dictionaries, without what only another task heeds."""
        table = asdict(self)
        if not self.data.group_columns:
            del table["data"]["group_columns"]
        if self.training.metric_for_best_model == "loss":
            del table["training"]["metric_for_best_model"]
        if not self.data.spans_column:
            del table["data"]["spans_column"]
        if not self.loss.rows:
            del table["loss"]["rows"]
        if self.task != CAUSAL:
            del table["loss"]
            for name in _OF_DECODERS:
                del table["training"][name]
        return table

    @classmethod
    def from_toml(cls, document: str) -> RunSpec:
        """Read a TOML document; raises ParameterError where it is none or a key is unknown."""
        try:
            table = tomllib.loads(document)
        except tomllib.TOMLDecodeError as error:
            raise ParameterError(f"The spec is not TOML ({error}): correct that line.") from None
        return cls.from_dict(table)

    @classmethod
    def from_file(cls, path: str | Path) -> RunSpec:
        """Read a spec file; a relative data path is meant from the file's own folder."""
        path = Path(path).expanduser()
        try:
            spec = cls.from_toml(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ParameterError(f"There is no spec file {str(path)!r}: check the path.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ParameterError(f"The spec {path.name!r} cannot be read ({error}).") from None
        return replace(spec, data=spec.data.located(path.parent))

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> RunSpec:
        """Build a spec from nested dictionaries, such as a TOML document gives."""
        parts = dict(table)
        kinds: dict[str, type] = {
            "data": DataSpec,
            "masking": MaskingSpec,
            "training": TrainingSpec,
            "loss": LossSpec,
            "evaluation": MaskingSpec,
        }
        for key, kind in kinds.items():
            if parts.get(key) is not None:
                parts[key] = _construct(kind, parts[key], key)
        return _construct(cls, parts, "the spec")

    @classmethod
    def build(cls, **values: Any) -> RunSpec:
        """Build a spec from flat names, each put where it belongs; None means the default."""
        return cls().changed(**for_task(values))

    def changed(self, **values: Any) -> RunSpec:
        """Return a spec with some values changed, by their flat names."""
        table = asdict(self)
        for key, value in values.items():
            if value is not None:
                where, name = _LOSS.get(key, ("", _ALIASES.get(key, key)))
                (table[where] if where else _home(table, name))[name] = value
        return RunSpec.from_dict(table)


_ALIASES = {
    "data": "path",
    "epochs": "num_train_epochs",
    "batch_size": "per_device_train_batch_size",
}


_LOSS = {
    "loss_strategy": ("loss", "strategy"),
    "prompt_weight": ("loss", "prompt_weight"),
    "end_of_turn": ("loss", "end_of_turn"),
    "cut": ("loss", "cut"),
    "loss_rows": ("loss", "rows"),
}
_OF_DECODERS = ("packing", "padding_side")


def for_task(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return flat settings with what a task begins with: a decoder learns with nothing hidden.

    >>> for_task({"task": "causal"})["strategy"]
    'none'
    """
    given = {key: value for key, value in values.items() if value is not None}
    if given.get("task") != CAUSAL:
        return given
    return {"strategy": NO_STRATEGY, "operator": "delete", **given}


def _home(table: dict[str, Any], key: str) -> dict[str, Any]:
    for part in (table, table["data"], table["masking"], table["training"]):
        if key in part:
            return part
    known = [k for part in ("data", "masking", "training") for k in table[part]]
    raise UnknownNameError.of("setting", key, [*table, *known, *_LOSS])


def _construct(kind: type, table: Any, where: str) -> Any:
    if not isinstance(table, Mapping):
        raise ParameterError(f"{where} is {str(table)[:40]!r} and must be a table.")
    types = {f.name: str(f.type) for f in fields(kind)}
    for key in table:
        if key not in types:
            raise UnknownNameError.of(f"setting in {where}", key, types)
    return kind(**{key: _typed(key, value, types[key]) for key, value in table.items()})


def _typed(key: str, value: Any, kind: str) -> Any:
    """Return the value as its field's type; an int serves where a float is asked."""
    if kind == "Choice | None" and isinstance(value, Mapping):
        return _construct(Choice, value, key)
    wanted: dict[str, type | tuple[type, ...]] = {
        "float": (int, float), "float | None": (int, float, type(None)), "int": int,
        "str": str, "bool": bool,
    }  # fmt: skip
    if kind not in wanted:
        return value
    wrong = isinstance(value, bool) and kind != "bool"
    right = not wrong and isinstance(value, wanted[kind])
    if not right:
        raise ParameterError(f"{key} is {str(value)[:40]!r} and must be {_article(kind)}.")
    return float(value) if kind.startswith("float") and value is not None else value


def _article(kind: str) -> str:
    words = {"int": "a whole number", "str": "text", "bool": "true or false"}
    return words.get(kind, "a number")


def _range(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        limit = f"{low:g} or more" if high == math.inf else f"{low:g} to {high:g}"
        raise ParameterError(f"{name} is {value}: give {limit}.")
