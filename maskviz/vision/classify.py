"""A Vision Transformer's answer and attention, on an image plain and with patches hidden.

A hidden patch has the value 0 after normalisation in all its pixels: the mean of what the model
was trained on (Jain et al. 2022, https://arxiv.org/abs/2204.08945, discuss what else it could be).
Attention over the image: rollout (Abnar and Zuidema 2020), Ã = (A + I)/2 with A the mean over
heads, from the classifier's token, or the mean over tokens where there is none.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import CapabilityError, DataError, ModelNotFoundError
from ..models.building import LOADING
from ..models.linear import quickened
from ..models.locate import BUNDLED_IMAGES, locate
from ..models.memory import NETWORKS, size_of_network
from ..models.size import bytes_when_loaded
from ..paths import assets
from .patches import PatchMask
from .picture import in_colours

BUNDLED = BUNDLED_IMAGES
_BATCH = 8  # images


@dataclass(frozen=True, eq=False)
class ViT:
    """An image classifier by patches; hold `lock` around a pass."""

    name: str
    network: Any
    processor: Any
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in the order of the outputs."""
        return tuple(str(self.network.config.id2label[i]) for i in range(self.network.num_labels))

    @property
    def patch(self) -> tuple[int, int]:
        """Height and width of a patch in pixels of the model's input."""
        size = _vision_config(self.network.config).patch_size
        return (size, size) if isinstance(size, int) else (size[0], size[1])


@dataclass(frozen=True)
class Look:
    """What the model says of one image.

    probabilities: label → probability, the highest first. attention: float (rows, columns) of
    patches, summing to 1. pixels: uint8 (height, width, 3), what the model was shown.
    """

    label: str
    probabilities: dict[str, float]
    attention: Any
    pixels: Any

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return self.attention.shape


def load_vit(name: str = BUNDLED) -> ViT:
    """Load an image classifier: `mini-digits` (bundled), a folder, or a name on the Hub.

    It is loaded once while it is kept or used, under the same limit as models for text. Weights
    come from safetensors only and no code of the model's own is run. Raises ModelNotFoundError or
    CapabilityError.

    >>> load_vit().labels[:3]
    ('0', '1', '2')
    """
    if (found := NETWORKS.find(("image", name), _size)) is not None:
        return found
    path = _located(name)
    return NETWORKS.get(
        ("image", name), lambda: _load(name, path), _size, lambda: bytes_when_loaded(Path(path))
    )


def _size(vit: ViT) -> dict[int, int]:
    return size_of_network(vit.network)


def _load(name: str, path: str) -> ViT:
    from ..models import auto  # noqa: F401  (before any other name of transformers, see there)

    # isort: split
    import torch
    from safetensors import SafetensorError
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    try:
        with LOADING:
            network = AutoModelForImageClassification.from_pretrained(
                path, use_safetensors=True, trust_remote_code=False,
                attn_implementation="eager", dtype=torch.float32,
            )  # fmt: skip
        processor = AutoImageProcessor.from_pretrained(path, trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        first = str(error).strip().split("\n")[0].replace(str(path), name)
        raise ModelNotFoundError(
            f"The image model {name[:80]!r} cannot be loaded ({first[:160]}): check the name, its "
            "files and your network, or use 'mini-digits'."
        ) from None
    if not isinstance(
        getattr(_vision_config(network.config), "patch_size", None), int | list | tuple
    ):
        raise CapabilityError(
            f"The model {name!r} ({network.config.model_type}) does not read an image in patches: "
            "choose a Vision Transformer such as 'google/vit-base-patch16-224'."
        )
    return ViT(name, quickened(network.eval()), processor)


def _vision_config(config: Any) -> Any:
    """Return the settings of the part that sees: CLIP and SigLIP keep them apart."""
    return getattr(config, "vision_config", config)


def _located(name: str) -> str:
    """Return the folder or Hub name; the bundled one's files are checked."""
    if name == BUNDLED:
        from ..checksums import verify

        folder = assets() / BUNDLED
        verify(folder)
        return str(folder)
    return locate(name)


def look(model: ViT | str, image: Any, mask: PatchMask | None = None) -> Look:
    """Return the answer and attention on an image, with the mask's patches hidden.

    image: a PIL image or uint8 array (height, width[, 3]). Raises DataError for a mask of another
    grid.

    >>> import numpy as np
    >>> look("mini-digits", np.zeros((8, 8), dtype=np.uint8)).attention.shape
    (4, 4)
    """
    vit = load_vit(model) if isinstance(model, str) else model
    pixels = _pixels(vit, image)
    if mask is not None:
        pixels = _hide(vit, pixels, mask)
    answer = _answer(vit, pixels, output_attentions=True)
    chances = answer.logits[0].softmax(-1).tolist()
    ranked = sorted(zip(vit.labels, chances, strict=True), key=lambda item: -item[1])
    attention = _rollout(vit, getattr(answer, "attentions", None), pixels.shape)
    return Look(ranked[0][0], dict(ranked), attention, _shown(vit, pixels))


def labels_under(model: ViT | str, image: Any, masks: Sequence[PatchMask]) -> list[str]:
    """Return the answer on the image under each mask, without the attention; raises as `look`."""
    import torch

    vit = load_vit(model) if isinstance(model, str) else model
    pixels = _pixels(vit, image)
    found: list[str] = []
    for start in range(0, len(masks), _BATCH):
        batch = [_hide(vit, pixels, mask) for mask in masks[start : start + _BATCH]]
        best = _answer(vit, torch.cat(batch)).logits.argmax(-1).tolist()
        found += [vit.labels[i] for i in best]
    return found


def _answer(vit: ViT, pixels: Any, **more: bool) -> Any:
    """Return what the network says of normalised pixels (images, channels, height, width)."""
    import torch

    try:
        with vit.lock, torch.inference_mode():
            return vit.network(pixel_values=pixels, **more)
    except (TypeError, ValueError, RuntimeError) as error:  # no attention, other channels or sizes
        first = str(error).strip().split("\n")[0][:160]
        raise CapabilityError(
            f"The model {vit.name!r} cannot read the image or show its attention ({first}): choose "
            "a ViT that reads three colours."
        ) from None


def _pixels(vit: ViT, image: Any) -> Any:
    """Return the normalised input (1, channels, height, width)."""
    import numpy as np
    from PIL import Image

    picture = image if isinstance(image, Image.Image) else Image.fromarray(np.asarray(image))
    return vit.processor(in_colours(picture), return_tensors="pt")["pixel_values"]


def _hide(vit: ViT, pixels: Any, mask: PatchMask) -> Any:
    high, wide = vit.patch
    rows, columns = pixels.shape[2] // high, pixels.shape[3] // wide
    if (mask.rows, mask.columns) != (rows, columns):
        raise DataError(
            f"The mask is of {mask.rows} × {mask.columns} patches and the image has {rows} × "
            f"{columns}: make one for this model."
        )
    pixels = pixels.clone()
    for number in mask.hidden:
        row, column = divmod(number, columns)
        pixels[:, :, row * high : (row + 1) * high, column * wide : (column + 1) * wide] = 0
    return pixels


def _rollout(vit: ViT, attentions: Any, shape: Any) -> Any:
    """Return how much each patch flows into the answer, (rows, columns) summing to 1."""
    import numpy as np

    high, wide = vit.patch
    rows, columns = shape[2] // high, shape[3] // wide
    flow: Any = None
    for layer in attentions or ():
        mean = layer[0].mean(0).double().numpy()
        if mean.shape[0] != mean.shape[1] or (flow is not None and mean.shape != flow.shape):
            flow = None  # windows or stages of other sizes: no one map over the image
            break
        step = (mean + np.eye(len(mean))) / 2
        flow = step if flow is None else step @ flow
    if flow is None or flow.shape[0] < rows * columns:
        raise CapabilityError(
            f"The model {vit.name!r} does not show its attention over patches: choose a ViT."
        )
    first = flow.shape[0] - rows * columns  # the classifier's tokens stand before the patches
    row = flow[0] if first else flow.mean(0)
    patches = row[first:]
    return (patches / patches.sum()).reshape(rows, columns)


def _shown(vit: ViT, pixels: Any) -> Any:
    """Return the input as uint8 (height, width, 3); hidden patches are the mean colour."""
    import numpy as np

    mean, spread = (
        np.reshape(np.broadcast_to(getattr(vit.processor, name), (3,)), (3, 1, 1))
        for name in ("image_mean", "image_std")
    )
    back = pixels[0].numpy() * spread + mean
    return np.clip(np.rint(255 * back), 0, 255).astype(np.uint8).transpose(1, 2, 0)


def digits() -> list[tuple[str, Any]]:
    """Return the bundled examples: (label, uint8 (8, 8)) of digits the model was not trained on."""
    import json

    import numpy as np

    folder = Path(_located(BUNDLED))
    found = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    return [(row["label"], np.array(row["pixels"], dtype=np.uint8)) for row in found]
