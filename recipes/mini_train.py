"""The two stages of training `mini`: masked language modelling, then sentiment beside it.

The learning rate is constant after a warm-up in the first stage and falls linearly to zero over
the second, so the first stage may be stopped, resumed or lengthened at any point. Matrices of
the layers are updated by Muon (Jordan 2024), everything else by AdamW.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from mini_batches import Labelled, Pieces
from mini_model import Mini
from optimizers import Optimizers
from torch import Tensor, nn

# Most is learnt on short pieces; in the second stage every fourth batch is the longest there is.
SHORT, LONG = 128, 512


@dataclass(frozen=True)
class Plan:
    """Budgets and settings of a run; minutes are wall time of training alone."""

    pretrain_minutes: float = 40.0
    joint_minutes: float = 50.0
    muon_rate: float = 3e-3
    adam_rate: float = 2e-3
    warmup_steps: int = 150
    tokens_per_step: int = 4096
    mask_ratio: float = 0.25
    joint_mask_ratio: float = 0.2
    label_weight: float = 1.0
    label_batches: int = 1  # a step of the second stage; a teacher has more to say
    save_seconds: float = 120.0
    max_steps: int = 0  # 0 = the clock alone decides
    seed: int = 0


@dataclass
class Progress:
    """How far a stage is; lives in its checkpoint."""

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0


class Trainer:
    """Model, optimizers, batches and clock, saved together and resumed together."""

    def __init__(
        self, model: Mini, pieces: Pieces, labelled: Labelled, plan: Plan, work: Path
    ) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = model.to(self.device)
        self.pieces, self.labelled, self.plan, self.work = pieces, labelled, plan, work
        self.optimizers = Optimizers(
            model, (".layers.", "head.dense"), (plan.muon_rate, plan.adam_rate), decay=(0.01, 0.01)
        )
        if self.device.type == "cpu":
            # Compiled, the plain softmax is four times faster backwards than CPU flash attention.
            model.masked_lm.model.config._attn_implementation = "eager"
        self.progress = Progress()
        # Compiled, a step on two cores is about seven times faster than eager bfloat16.
        self.mlm_loss = torch.compile(model.mlm_loss, dynamic=False)
        self.label_logits = torch.compile(model.label_logits, dynamic=False)
        torch._dynamo.config.recompile_limit = 32

    def save(self, stage: str) -> None:
        """Write the checkpoint of a stage, all or nothing."""
        state = {
            "model": self.model.state_dict(),
            "optimizers": self.optimizers.state_dict(),
            "progress": asdict(self.progress),
            "drawn": self.pieces.drawn,
            "labelled": self.labelled.step,
        }
        temporary = self.work / f"{stage}.pt.tmp"
        torch.save(state, temporary)
        temporary.replace(self.work / f"{stage}.pt")

    def load(self, stage: str, fresh_clock: bool = False) -> bool:
        """Resume a stage from its checkpoint, if there is one."""
        path = self.work / f"{stage}.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizers.load_state_dict(state["optimizers"])
        self.pieces.drawn = state["drawn"]
        self.labelled.step = state["labelled"]
        self.progress = Progress() if fresh_clock else Progress(**state["progress"])
        print(f"resumed {stage}: {self.progress}", flush=True)
        return True

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def masked_loss(self, length: int, ratio: float) -> Tensor:
        """Loss of the next masked batch of pieces of `length` tokens."""
        count = self.plan.tokens_per_step // length
        batch = self.pieces.batch(length, count, ratio)
        self.progress.tokens += batch.input_ids.numel()
        with self._autocast():
            return self.mlm_loss(
                batch.input_ids.to(self.device),
                batch.positions.to(self.device),
                batch.labels.to(self.device),
            )

    def sentiment_loss(self) -> Tensor:
        """Cross-entropy of the next labelled batch, against people's labels or a teacher's."""
        batch = self.labelled.batch()
        self.progress.tokens += batch.input_ids.numel()
        with self._autocast():
            logits = self.label_logits(
                batch.input_ids.to(self.device), batch.attention_mask.to(self.device)
            )
        positive = batch.targets.to(self.device)
        return nn.functional.cross_entropy(logits.float(), torch.stack([1 - positive, positive], 1))

    def pretrain_step(self, share: float) -> dict[str, float]:
        """One update on hidden words alone, in short pieces."""
        loss = self.masked_loss(SHORT, self.plan.mask_ratio)
        loss.backward()
        self.optimizers.step(min(1.0, (self.progress.step + 1) / self.plan.warmup_steps))
        return {"mlm": loss.item()}

    def joint_step(self, share: float) -> dict[str, float]:
        """One update on hidden words and on labels, at a rate that falls to zero."""
        length = LONG if self.progress.step % 4 == 3 else SHORT
        masked = self.masked_loss(length, self.plan.joint_mask_ratio)
        masked.backward()
        losses = {"mlm": masked.item()}
        for _ in range(self.plan.label_batches):
            label = self.sentiment_loss()
            (self.plan.label_weight / self.plan.label_batches * label).backward()
            losses["label"] = label.item()
        self.optimizers.step(max(0.0, 1.0 - share))
        return losses

    def run(self, stage: str, minutes: float) -> None:
        """Train one stage until its minutes, or `max_steps`, are used up."""
        step = self.pretrain_step if stage == "pretrain" else self.joint_step
        progress, plan = self.progress, self.plan
        means: dict[str, float] = {}
        last, saved = time.monotonic(), time.monotonic()
        while progress.seconds < minutes * 60:
            share = progress.seconds / (minutes * 60)
            if plan.max_steps:
                share = max(share, progress.step / plan.max_steps)
            if share >= 1.0:
                break
            for key, value in step(share).items():
                means[key] = 0.98 * means.get(key, value) + 0.02 * value
            progress.step += 1
            now = time.monotonic()
            progress.seconds += now - last
            last = now
            if progress.step % 50 == 0:
                self._report(stage, share, means)
            if now - saved > plan.save_seconds:
                self.save(stage)
                saved = now
        self.save(stage)

    def _report(self, stage: str, share: float, means: dict[str, float]) -> None:
        progress = self.progress
        line = {
            "stage": stage,
            "step": progress.step,
            "done": round(share, 3),
            "seconds": round(progress.seconds),
            "tokens_per_second": round(progress.tokens / progress.seconds),
            **{key: round(value, 4) for key, value in means.items()},
        }
        print(json.dumps(line), flush=True)
