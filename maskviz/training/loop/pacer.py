"""The pace of a run: when to log, evaluate, save and stop, by steps or by the clock."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback, TrainingArguments

from ..machine.device import Usage
from ..spec.spec import REGRESSION
from .metrics import FIGURES
from .patience import Patience
from .recorder import check_finite

if TYPE_CHECKING:
    from .trainer import MaskTrainer

EVALUATIONS = 10  # in a run, where nothing else is asked for


class Cancelled(Exception):
    """The run was asked to stop."""


class Pacer(TrainerCallback):
    """Decides when to log, evaluate, save and stop, and tells the recorder."""

    def __init__(self, trainer: MaskTrainer) -> None:
        self.trainer = trainer
        self.spec = trainer.spec.training
        self.recorder = trainer.recorder
        self.stop_asked = False
        self.usage = Usage(trainer.args.device.type)
        self.patience = Patience(
            self.spec.early_stopping_patience, trainer.spec.task, self.recorder.folder,
            self.spec.metric_for_best_model,
        )  # fmt: skip
        self._busy = 0.0  # seconds in training steps of this attempt
        self._marks = 0  # tenths of a budget in minutes that are evaluated
        self._step_began = 0.0
        self._began_step = 0
        self._began_seconds = 0.0

    def stop(self) -> None:
        """Ask for a checkpoint and an end at the next step."""
        self.stop_asked = True

    # Trainer's events -----------------------------------------------------------------------

    def on_train_begin(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> None:
        """Start the clock."""
        self.recorder.start_clock()
        self._began_step, self._began_seconds = state.global_step, self.recorder.seconds
        self._marks = int(self._budget_used() * EVALUATIONS)
        self.trainer.best_step = self.patience.best_step  # of the attempts before
        self.recorder.update(force=True, phase="training", steps=self._steps(state))

    def on_epoch_begin(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> None:
        """Draw the masks and the order of the epoch."""
        self.trainer.set_epoch(int(state.epoch or 0))

    def on_step_begin(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> None:
        """Note the time."""
        self._step_began = self.recorder.seconds

    def on_step_end(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> Any:
        """Decide what is due."""
        self._busy += self.recorder.seconds - self._step_began
        last = state.global_step >= state.max_steps or self._budget_used() >= 1
        control.should_log = last or state.global_step % self.spec.logging_steps == 0
        tenth = int(self._budget_used() * EVALUATIONS)
        if self.spec.max_minutes and tenth > self._marks:
            self._marks = tenth
            control.should_evaluate = control.should_save = True
        if not self.spec.max_minutes:
            control.should_evaluate = self._due(state, self.spec.eval_steps)
            control.should_save = self._due(state, self.spec.save_steps)
        if last:
            control.should_evaluate = control.should_save = control.should_training_stop = True
        if self._anybody_stops():
            control.should_save = control.should_training_stop = True
            control.should_evaluate = False
        # What is saved was looked at before, and a resumed run logs what an unbroken one does.
        control.should_log |= control.should_save or control.should_evaluate
        if state.global_step == 1:
            self.recorder.log(f"first step after {self.recorder.seconds:.2f} s in training")
        self._report(state)
        return control

    def _anybody_stops(self) -> bool:
        """Tell whether any process of the run was asked to stop: all stop at the same step."""
        if self.trainer.args.world_size > 1:
            import torch

            asked = torch.tensor(float(self.stop_asked), device=self.trainer.args.device)
            self.stop_asked = bool(self.trainer.accelerator.reduce(asked) > 0)
        return self.stop_asked

    def on_epoch_end(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> Any:
        """Undo what Trainer would do at the end of an epoch: the pace is by steps."""
        control.should_evaluate = control.should_save = control.should_log = False
        return control

    def on_prediction_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop in the middle of an evaluation where that is asked for."""
        if self.stop_asked and not self.trainer.is_in_train:
            raise Cancelled
        self.recorder.update()

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Write down what Trainer measured."""
        logs = logs or {}
        if "loss" in logs:
            check_finite(logs, state.global_step, self.spec.learning_rate, self._largest)
            kept = {k: logs[k] for k in ("loss", "grad_norm", "learning_rate") if k in logs}
            speed = self.tokens_per_second
            use = self.usage.share()
            self.recorder.metric(
                step=state.global_step,
                epoch=state.epoch,
                tokens_per_second=speed,
                device_use=use,
                **kept,
            )
            self.recorder.update(device_use=use)
        evaluated = {
            k.removeprefix("eval_"): v
            for k, v in logs.items()
            if k.startswith("eval_") and k.endswith(tuple(f"_{name}" for name in FIGURES))
        }
        if evaluated and self.trainer.is_in_train:
            self.recorder.metric(step=state.global_step, epoch=state.epoch, **evaluated)
            latest = {**self.recorder.status["metrics"], **flat_metrics(evaluated)}
            self.recorder.update(force=True, metrics=latest)
            self.patience.look(control, state.global_step)
            self.trainer.best_step = self.patience.best_step

    @cached_property
    def _largest(self) -> float:
        """Return the largest value that a regression learns, without its sign; else 0."""
        regression = self.trainer.spec.kind == REGRESSION
        return max(map(abs, self.trainer.train_dataset.labels)) if regression else 0.0

    # figures --------------------------------------------------------------------------------

    @property
    def tokens_per_second(self) -> float | None:
        """Real tokens per second of this attempt's steps, without evaluations and waits for masks.

        An estimate of another run counts those by themselves.
        """
        tokens = self.trainer.tokens * self.trainer.args.world_size
        return tokens / self._busy if self._busy > 0 else None

    def _due(self, state: Any, every: int) -> bool:
        return state.global_step % (every or self._tenth(state)) == 0

    def _tenth(self, state: Any) -> int:
        """Return a tenth of the run in steps, a multiple of logging_steps.

        A checkpoint at a logged step keeps the averages of the log the same after a resume.
        """
        every = self.spec.logging_steps
        return max(1, round(state.max_steps / EVALUATIONS / every)) * every

    def _budget_used(self) -> float:
        minutes = self.spec.max_minutes
        return self.recorder.seconds / (minutes * 60) if minutes else 0.0

    def _steps(self, state: Any) -> int:
        used = self._budget_used()
        if not self.spec.max_minutes:
            return state.max_steps
        return max(state.global_step, round(state.global_step / used)) if used > 0.01 else 0

    def _report(self, state: Any) -> None:
        steps = self._steps(state)
        left = None
        if self.spec.max_minutes:
            left = max(0.0, self.spec.max_minutes * 60 - self.recorder.seconds)
        elif state.global_step > self._began_step:
            spent = self.recorder.seconds - self._began_seconds
            left = spent / (state.global_step - self._began_step) * (steps - state.global_step)
        self.recorder.update(
            force=state.global_step == 1,
            step=state.global_step,
            steps=steps,
            epoch=state.epoch,
            seconds_left=left,
            tokens_per_second=self.tokens_per_second,
        )


def flat_metrics(evaluated: dict[str, Any]) -> dict[str, float]:
    """Turn `plain_accuracy` into `accuracy_plain`, the way results are keyed.

    >>> flat_metrics({"plain_macro_f1": 0.5})
    {'macro_f1_plain': 0.5}
    """
    flat = {}
    for key, value in evaluated.items():
        mask, _, figure = key.partition("_")
        flat[f"{figure}_{mask}"] = value
    return flat
