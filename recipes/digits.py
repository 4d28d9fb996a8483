"""mini-digits: a small Vision Transformer on scikit-learn's digits, for pages that work offline.

    python recipes/digits.py --out maskviz/assets/mini-digits

1,797 images of 8 × 8 pixels (UCI ML hand-written digits, bundled with scikit-learn), drawn twice
as large and read in 4 × 4 patches, each of 2 × 2 of the original pixels. Four fifths are trained
on, with shifts by a pixel and a share of patches hidden, so that a hidden patch is nothing new to
the model. About a minute on one core.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from checksums import write_checksums
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

SIZE, PATCH = 16, 4
CARD = """\
---
license: apache-2.0
library_name: transformers
pipeline_tag: image-classification
---
# mini-digits

A Vision Transformer of {layers} layers, width {width}, {heads} heads and {parameters:,} parameters
that tells hand-written digits apart, bundled with maskviz so that the Images page works offline.

Made by `recipes/digits.py` from scikit-learn's digits (E. Alpaydin and C. Kaynak, UCI Machine
Learning Repository, CC BY 4.0): {train:,} images to train on, {test:,} held out, seed {seed}.

| held-out images | right |
|---|---:|
| as they are | {plain:.1%} |
| a quarter of the patches hidden at random | {quarter:.1%} |
| half of them | {half:.1%} |

It knows nothing but digits of 8 × 8 grey pixels.
"""


def main() -> None:
    """Train, measure and write the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    images, labels, order = data(options.seed)
    cut = len(order) * 4 // 5
    train, test = order[:cut], order[cut:]
    network = train_on(images[train], labels[train], options.epochs, options.seed)
    figures = {
        name: accuracy(network, images[test], labels[test], share)
        for name, share in (("plain", 0.0), ("quarter", 0.25), ("half", 0.5))
    }
    print(figures)
    write(network, options.out, images, labels, test, figures, len(train), options.seed)


def data(seed: int) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    """Return images (n, 3, 16, 16) in −1 … 1, labels (n,) and a drawn order."""
    from sklearn.datasets import load_digits

    found = load_digits()
    grey = torch.tensor(found.images, dtype=torch.float32)[:, None] / 16 * 2 - 1
    large = torch.nn.functional.interpolate(grey, size=(SIZE, SIZE), mode="nearest")
    order = np.random.default_rng(seed).permutation(len(large))
    return large.repeat(1, 3, 1, 1), torch.tensor(found.target), order


def train_on(
    images: torch.Tensor, labels: torch.Tensor, epochs: int, seed: int
) -> ViTForImageClassification:
    """Train with shifts of a pixel of the original and up to half of the patches hidden."""
    names = {i: str(i) for i in range(10)}
    config = ViTConfig(
        hidden_size=64, num_hidden_layers=4, num_attention_heads=4, intermediate_size=128,
        image_size=SIZE, patch_size=PATCH, num_channels=3, hidden_dropout_prob=0.05,
        id2label=names, label2id={v: k for k, v in names.items()},
    )  # fmt: skip
    network = ViTForImageClassification(config)
    steps = epochs * -(-len(images) // 64)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 2e-3, total_steps=steps, pct_start=0.1
    )
    generator = torch.Generator().manual_seed(seed)
    network.train()
    for epoch in range(epochs):
        for rows in torch.randperm(len(images), generator=generator).split(64):
            shown = shifted(images[rows], generator)
            shown = hidden(shown, 0.5 * torch.rand((), generator=generator).item(), generator)
            loss = network(pixel_values=shown, labels=labels[rows]).loss
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {loss.item():.3f}", flush=True)
    return network.eval()


def shifted(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Move each image by up to one pixel of the original; what comes in is background."""
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2), value=-1.0)
    moves = 2 * torch.randint(0, 3, (len(images), 2), generator=generator)
    return torch.stack(
        [p[:, y : y + SIZE, x : x + SIZE] for p, (y, x) in zip(padded, moves.tolist(), strict=True)]
    )


def hidden(images: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """Set a share of the patches of each image to 0."""
    side = SIZE // PATCH
    drawn = torch.rand((len(images), 1, side, side), generator=generator) < share
    whole = drawn.repeat_interleave(PATCH, 2).repeat_interleave(PATCH, 3)
    return images.masked_fill(whole, 0.0)


def accuracy(network, images: torch.Tensor, labels: torch.Tensor, share: float) -> float:
    """Return the share of right answers with a share of the patches hidden."""
    shown = hidden(images, share, torch.Generator().manual_seed(1))
    with torch.inference_mode():
        return (network(pixel_values=shown).logits.argmax(-1) == labels).float().mean().item()


def write(network, out: Path, images, labels, test, figures, train: int, seed: int) -> None:
    """Write weights, processor, examples, card and checksums."""
    out.mkdir(parents=True, exist_ok=True)
    network.save_pretrained(out)
    ViTImageProcessor(
        size={"height": SIZE, "width": SIZE}, resample=0, image_mean=[0.5] * 3, image_std=[0.5] * 3
    ).save_pretrained(out)
    firsts = [next(int(i) for i in test if labels[i] == digit) for digit in range(10)]
    examples = [
        {"label": str(int(labels[i])),
         "pixels": ((images[i, 0, ::2, ::2] + 1) / 2 * 255).round().int().tolist()}
        for i in firsts
    ]  # fmt: skip
    (out / "examples.json").write_text(json.dumps(examples, separators=(",", ":")))
    config = network.config
    card = CARD.format(
        layers=config.num_hidden_layers, width=config.hidden_size, heads=config.num_attention_heads,
        parameters=sum(p.numel() for p in network.parameters()), train=train, test=len(test),
        seed=seed, **figures,
    )  # fmt: skip
    (out / "README.md").write_text(card)
    write_checksums(out)


if __name__ == "__main__":
    main()
