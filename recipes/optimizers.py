"""Two optimizers that step together: Muon for matrices (Jordan 2024), AdamW for all else."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn


class Optimizers:
    """Muon for the matrices inside the layers, AdamW for embeddings, norms and the rest.

    inside: what a matrix's name holds one of for Muon. rates, decay: of Muon and of AdamW.
    """

    def __init__(
        self,
        model: nn.Module,
        inside: Collection[str],
        rates: tuple[float, float],
        decay: tuple[float, float],
    ) -> None:
        inner, outer = [], []
        for name, parameter in model.named_parameters():
            matrix = parameter.ndim == 2 and any(part in name for part in inside)
            (inner if matrix else outer).append(parameter)
        self.parameters, self.rates = inner + outer, rates
        self.muon = torch.optim.Muon(
            inner, lr=rates[0], weight_decay=decay[0], adjust_lr_fn="match_rms_adamw"
        )
        self.adam = torch.optim.AdamW(
            outer, lr=rates[1], betas=(0.9, 0.98), weight_decay=decay[1], fused=True
        )

    def step(self, factor: float) -> None:
        """One update at `factor` times the full rates, with gradients clipped at norm 1."""
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer, rate in zip((self.muon, self.adam), self.rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> dict:
        """Both states."""
        return {"muon": self.muon.state_dict(), "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Restore both states."""
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])
