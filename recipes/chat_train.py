"""Training `mini-chat`: Muon for the matrices, AdamW for the rest; warm-up, constant, decay.

The rate rises over a short warm-up, stays, and falls linearly to zero over the last part of the
budget, on longer rows. A file named `finish` in the working folder begins that part at once.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from chat_batches import Batch, Rows
from chat_model import MAX_LENGTH, Chat, visible
from optimizers import Optimizers
from torch import Tensor


@dataclass(frozen=True)
class Plan:
    """Budget and settings of a run; minutes are wall time of training alone."""

    minutes: float = 80.0
    decay: float = 0.25  # the share of the budget over which the rate falls
    muon_rate: float = 4e-3
    adam_rate: float = 3e-3
    warmup_steps: int = 100
    tokens_per_step: int = 4096
    length: int = 256
    long: int = MAX_LENGTH  # of the rows while the rate falls
    examples: float = 0.375  # the share of the rows that are examples
    answer_weight: float = 0.5
    save_seconds: float = 120.0
    max_steps: int = 0  # 0 = the clock alone decides
    seed: int = 0


@dataclass
class Progress:
    """How far the run is; lives in its checkpoint."""

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    decay_from: float = -1.0  # the share of the budget at which the rate began to fall


class Trainer:
    """Model, optimizers, rows and clock, saved together and resumed together."""

    def __init__(
        self, model: Chat, rows: Rows, plan: Plan, work: Path, compiled: bool = True
    ) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model, self.rows, self.plan, self.work = model.to(self.device), rows, plan, work
        self.optimizers = Optimizers(
            model, (".layers.",), (plan.muon_rate, plan.adam_rate), decay=(0.05, 0.0)
        )
        self.progress = Progress()
        self.losses = torch.compile(model.losses, dynamic=False) if compiled else model.losses

    def save(self) -> None:
        """Write the checkpoint, all or nothing."""
        state = {
            "model": self.model.state_dict(),
            "optimizers": self.optimizers.state_dict(),
            "progress": asdict(self.progress),
            "pieces_drawn": self.rows.pieces_drawn,
            "examples_drawn": self.rows.examples_drawn,
        }
        temporary = self.work / "train.pt.tmp"
        torch.save(state, temporary)
        temporary.replace(self.work / "train.pt")

    def load(self) -> bool:
        """Resume from the checkpoint, if there is one."""
        path = self.work / "train.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizers.load_state_dict(state["optimizers"])
        self.rows.pieces_drawn = state["pieces_drawn"]
        self.rows.examples_drawn = state["examples_drawn"]
        self.progress = Progress(**state["progress"])
        print(f"resumed: {self.progress}", flush=True)
        return True

    def share(self) -> float:
        """How much of the budget is used, 0 … 1; by the steps where those are set."""
        if self.plan.max_steps:
            return self.progress.step / self.plan.max_steps
        return self.progress.seconds / (self.plan.minutes * 60)

    def factor(self, share: float) -> float:
        """The share of the full rates at this share of the budget; 0 = the end."""
        progress, plan = self.progress, self.plan
        if progress.decay_from < 0 and (
            share >= 1.0 - plan.decay or (self.work / "finish").exists()
        ):
            progress.decay_from = share
        warm = min(1.0, (progress.step + 1) / plan.warmup_steps)
        if progress.decay_from < 0:
            return warm
        left = 1.0 - (share - progress.decay_from) / plan.decay
        return warm * left if left > 1e-9 else 0.0

    def batch(self) -> Batch:
        """The next rows: short ones, and long ones while the rate falls."""
        plan = self.plan
        length = plan.length if self.progress.decay_from < 0 else plan.long
        rows = plan.tokens_per_step // length
        examples = round(rows * plan.examples)
        return self.rows.batch(length, rows - examples, examples, examples * length // 4)

    def step(self, factor: float) -> dict[str, float]:
        """One update on plain text and on answers, each by its mean loss."""
        batch = self.batch()
        tensors = (
            batch.input_ids,
            batch.position_ids,
            visible(batch),
            batch.places,
            batch.labels,
        )
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            losses: Tensor = self.losses(*(tensor.to(self.device) for tensor in tensors))
        plain, answer = losses[: batch.plain], losses[batch.plain :]
        plain_loss = plain.sum() / (batch.labels[: batch.plain] >= 0).sum()
        answer_loss = answer.sum() / (batch.labels[batch.plain :] >= 0).sum().clamp(min=1)
        (plain_loss + self.plan.answer_weight * answer_loss).backward()
        self.optimizers.step(factor)
        self.progress.tokens += batch.input_ids.numel()
        return {"plain": plain_loss.item(), "answer": answer_loss.item()}

    def run(self) -> None:
        """Train until the rate is zero."""
        progress = self.progress
        means: dict[str, float] = {}
        self.model.train()
        last = saved = time.monotonic()
        while (factor := self.factor(self.share())) > 0.0:
            for key, value in self.step(factor).items():
                means[key] = 0.98 * means.get(key, value) + 0.02 * value
            progress.step += 1
            now = time.monotonic()
            progress.seconds += now - last
            last = now
            if progress.step % 50 == 0:
                self._report(factor, means)
            if now - saved > self.plan.save_seconds:
                self.save()
                saved = now
        self.save()

    def _report(self, factor: float, means: dict[str, float]) -> None:
        progress = self.progress
        line = {
            "step": progress.step,
            "epoch": round(self.rows.pieces_drawn, 2),
            "done": round(self.share(), 3),
            "rate": round(factor, 3),
            "seconds": round(progress.seconds),
            "tokens_per_second": round(progress.tokens / progress.seconds),
            **{key: round(value, 4) for key, value in means.items()},
        }
        print(json.dumps(line), flush=True)
