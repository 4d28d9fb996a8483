"""Training `mini-translate`: Muon for the matrices, AdamW for the rest, averaged weights.

The learning rate rises over a short warm-up and falls linearly to zero within the budget of
minutes, so a run that is stopped and resumed ends where it would have ended.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from translate_batches import PairStream
from translate_model import Translator


@dataclass(frozen=True)
class Plan:
    """Budget and settings of a run; minutes are wall time of training alone."""

    minutes: float = 75.0
    muon_rate: float = 3e-3
    adam_rate: float = 2e-3
    embedding_rate: float = 5e-3
    warmup_steps: int = 100
    average: float = 0.998
    save_seconds: float = 180.0
    validate_seconds: float = 600.0
    max_steps: int = 0  # 0 = the clock alone decides
    seed: int = 0


@dataclass
class Progress:
    """How far the run is; lives in its checkpoint."""

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0


class Optimizers:
    """Muon for the matrices inside the layers, AdamW for embeddings, positions and norms."""

    def __init__(self, model: Translator, plan: Plan) -> None:
        inner, embedding, outer = [], [], []
        for name, parameter in model.named_parameters():
            if "shared" in name:
                embedding.append(parameter)
            else:
                matrix = parameter.ndim == 2 and "relative_attention_bias" not in name
                (inner if matrix else outer).append(parameter)
        self.parameters = [*inner, *embedding, *outer]
        self.muon = torch.optim.Muon(
            inner, lr=plan.muon_rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"
        )
        self.adam = torch.optim.AdamW(
            [
                {"params": embedding, "rate": plan.embedding_rate},
                {"params": outer, "rate": plan.adam_rate},
            ],
            betas=(0.9, 0.98),
            weight_decay=0.0,
            fused=True,
        )
        self.muon.param_groups[0]["rate"] = plan.muon_rate

    def step(self, factor: float) -> None:
        """One update at `factor` times the full rates, with gradients clipped at norm 1."""
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer in (self.muon, self.adam):
            for group in optimizer.param_groups:
                group["lr"] = group["rate"] * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> dict:
        """Both states."""
        return {"muon": self.muon.state_dict(), "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Restore both states."""
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])


class Trainer:
    """Model, averaged weights, optimizers, batches and clock, saved and resumed together."""

    def __init__(
        self,
        model: Translator,
        stream: PairStream,
        validation: PairStream,
        plan: Plan,
        work: Path,
    ) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = model.to(self.device)
        self.stream, self.validation, self.plan, self.work = stream, validation, plan, work
        self.optimizers = Optimizers(model, plan)
        if self.device.type == "cpu":
            # The plain softmax is faster backwards than CPU flash attention.
            model.t5.set_attn_implementation("eager")
        self.progress = Progress()
        self.average = [p.detach().clone() for p in self.optimizers.parameters]
        # Not compiled: with lengths this short it takes minutes and gains nothing on a CPU.
        self.loss = model.loss

    def save(self) -> None:
        """Write the checkpoint, all or nothing."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average,
            "optimizers": self.optimizers.state_dict(),
            "progress": asdict(self.progress),
            "drawn": self.stream.drawn,
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
        self.average = state["average"]
        self.optimizers.load_state_dict(state["optimizers"])
        self.stream.drawn = state["drawn"]
        self.progress = Progress(**state["progress"])
        print(f"resumed: {self.progress}", flush=True)
        return True

    def start_from(self, vectors: Tensor) -> None:
        """Begin from these vectors (V, d)."""
        self.model.start_from(vectors)
        self.average = [p.detach().clone() for p in self.optimizers.parameters]

    def step(self, share: float) -> float:
        """One update; the rate falls linearly to zero as `share` of the budget nears 1."""
        batch = self.stream.batch().to(self.device)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            loss: Tensor = self.loss(batch)
        loss.backward()
        warm = min(1.0, (self.progress.step + 1) / self.plan.warmup_steps)
        self.optimizers.step(warm * (1.0 - share))
        self.progress.tokens += int(batch.attention_mask.sum() + (batch.labels >= 0).sum())
        decay = min(self.plan.average, (self.progress.step + 1) / (self.progress.step + 10))
        current = [p.detach() for p in self.optimizers.parameters]
        torch._foreach_lerp_(self.average, current, 1.0 - decay)
        return loss.item()

    def run(self) -> None:
        """Train until the minutes, or `max_steps`, are used up."""
        progress, plan = self.progress, self.plan
        mean: float | None = None
        self.model.train()
        last = saved = validated = time.monotonic()
        while (share := self.share()) < 1.0:
            loss = self.step(share)
            mean = loss if mean is None else 0.98 * mean + 0.02 * loss
            progress.step += 1
            now = time.monotonic()
            progress.seconds += now - last
            last = now
            if progress.step % 50 == 0:
                self._report({"loss": mean})
            if now - validated > plan.validate_seconds:
                self._report({"validation_loss": self.validate()})
                validated = time.monotonic()
            if now - saved > plan.save_seconds:
                self.save()
                saved = now
        self.save()

    def share(self) -> float:
        """How much of the budget is used, 0 … 1."""
        share = self.progress.seconds / (self.plan.minutes * 60)
        if self.plan.max_steps:
            share = max(share, self.progress.step / self.plan.max_steps)
        return min(1.0, share)

    def use_average(self) -> None:
        """Exchange the current weights and the averaged ones."""
        with torch.no_grad():
            for parameter, average in zip(self.optimizers.parameters, self.average, strict=True):
                kept = parameter.detach().clone()
                parameter.copy_(average)
                average.copy_(kept)

    @torch.inference_mode()
    def validate(self) -> float:
        """Loss per token of the averaged weights on the held-out slice, without smoothing."""
        self.model.eval()
        self.use_average()
        total, count = 0.0, 0
        for batch in self.validation.in_order():
            batch = batch.to(self.device)
            with torch.autocast(self.device.type, dtype=torch.bfloat16):
                loss = self.model.loss(batch)
            tokens = int((batch.labels >= 0).sum())
            total, count = total + loss.item() * tokens, count + tokens
        self.use_average()
        self.model.train()
        return total / max(1, count)

    def _report(self, values: dict[str, float]) -> None:
        progress = self.progress
        line = {
            "step": progress.step,
            "epoch": round(self.stream.drawn / self.stream.per_epoch, 2),
            "done": round(self.share(), 3),
            "seconds": round(progress.seconds),
            "tokens_per_second": round(progress.tokens / max(1.0, progress.seconds)),
            **{key: round(value, 4) for key, value in values.items()},
        }
        print(json.dumps(line), flush=True)
