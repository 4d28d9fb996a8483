"""How much memory a run will take at its peak, without importing torch.

On a CPU: 24 bytes a weight (weight, gradient and Adam's two moments in float32, and a checkpoint on
its way to the disk), what is kept for the backward pass, and what Python and torch take.
Korthikanti et al. (2022, arXiv:2205.05198) count 34 bytes a token, layer and channel in half
precision; three times that fits what runs on a CPU were measured to take (benchmarks/memory.py): 92
bytes in bf16 and 116 in float32, with gradients on their way and the allocator's reserve.

A GPU holds tensors alone: weight and moments, and then either what is kept for the backward pass
or, at its end, the gradients. What is kept was measured, by architecture (benchmarks/saved.py);
the sum has not yet been checked on a GPU.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec

from ...masks.expression import asks
from ..spec.mask_spec import MaskingSpec
from ..spec.spec import CAUSAL, RunSpec
from .model_size import Shape

# Of a process that has imported torch and transformers: the CPU build, and the one for CUDA.
_CPU_BUILD_BYTES, _CUDA_BUILD_BYTES = 0.53e9, 0.91e9
# Of that, what pandas and transformers import where it is installed.
_IMPORTED_BYTES = {"pyarrow": 0.032e9, "scipy": 0.028e9, "peft": 0.02e9}
_BYTES_PER_WEIGHT = 24
_BYTES_PER_FIXED_WEIGHT = 8  # under LoRA: the weight, and once more when it is merged and saved
_BYTES_PER_CHANNEL = 34 * 3
_LORA_BYTES_PER_CHANNEL = 40  # the inputs of its matrices are kept beside
# Of a decoder's batch, which is read in parts.
_PART_CACHE = 8_000_000  # bytes of the widest thing that a layer computes of a part, in float32
_PART_FEWEST = 512  # tokens: below, reading the weights once more costs what it saves
_PART_LOGITS = 256_000_000  # bytes of the logits of a part
_INPUT_BYTES = 4 * 3  # of a layer whose activations are computed again
_BYTES_PER_LOGIT = 12  # the logit, its probability and its gradient in float32
_WRITING_BYTES = 0.2e9  # of what writes texts and scores them, at the end of a seq2seq run
_PIPELINE_BYTES = 0.1e9  # of spaCy with a small pipeline, where the strategy needs one
_ASKING_BYTES = 0.05e9  # of the texts with a word hidden each that are read at a time
_BYTES_PER_ASKED_WEIGHT = 8  # of the model that is asked: as loaded, and as oneDNN lays it out
# A GPU keeps so many bytes a token, layer and channel, and so many more for each time that the MLP
# is as wide as the layer, by architecture: in float32, and in bf16.
_GPU_BYTES_PER_CHANNEL = {
    "modernbert": ((41, 16), (25, 8)), "bert": ((43, 8), (36, 4)), "distilbert": ((38, 8), (34, 4)),
    "gpt2": ((42, 20), (32, 10)), "llama": ((42, 16), (36, 8)), "t5": ((73, 12), (65, 6)),
    "bart": ((59, 8), (42, 4)), "marian": ((59, 8), (42, 4)), "deberta-v2": ((174, 8), (96, 4)),
}  # fmt: skip
_GPU_BYTES_PER_PAIR = (4, 2)  # of the attention mask, a layer and pair of tokens
_GPU_INPUT_BYTES = 5  # as _INPUT_BYTES
_GPU_LORA_BYTES = 26
_GPU_WORKSPACE = 0.035e9  # of cuBLAS


def gigabytes(
    spec: RunSpec, shape: Shape | None, lengths: Sequence[int], gpu: bool
) -> float | None:
    """Return the peak of a run over rows of these lengths in tokens; None for a model unknown here.

    gpu: what torch holds on the GPU, else what the whole process holds.
    """
    if shape is None:
        return None
    longest = sorted(lengths)[int(0.98 * (len(lengths) - 1))]
    longest = spec.training.max_length if spec.training.packing else longest
    tokens = spec.training.per_device_train_batch_size * longest
    taught = tokens * _share_guessed(spec)
    if spec.task == CAUSAL and not gpu:
        together, learned = part_limits(shape.inner, shape.vocabulary)
        tokens = min(tokens, max(longest, together))
        taught = min(tokens, max(longest, learned))
    logits = taught * shape.vocabulary * _BYTES_PER_LOGIT
    if gpu:
        return _on_gpu(spec, shape, tokens, longest, logits) / 1e9
    channel = _BYTES_PER_CHANNEL + (_LORA_BYTES_PER_CHANNEL if spec.training.lora_r else 0)
    kept = tokens * shape.width * _layers_kept(spec, shape, channel, _INPUT_BYTES) + logits
    base = _base_bytes() + (_PIPELINE_BYTES if _needs_pipeline(spec) else 0)
    base += _WRITING_BYTES if spec.task == "seq2seq" else 0
    if asks_model(spec.masking) or asks_model(spec.evaluated_mask):
        base += _ASKING_BYTES + _BYTES_PER_ASKED_WEIGHT * shape.weights
    each = _BYTES_PER_FIXED_WEIGHT if spec.training.lora_r else _BYTES_PER_WEIGHT
    return (base + each * shape.weights + kept) / 1e9


def part_limits(inner: int, vocabulary: int) -> tuple[int, int]:
    """Return how many tokens of a decoder's batch, and learned ones, are read together on a CPU.

    inner: the width of the MLP. A row alone may be longer.
    """
    return max(_PART_FEWEST, _PART_CACHE // (4 * inner)), max(1, _PART_LOGITS // (4 * vocabulary))


def _on_gpu(spec: RunSpec, shape: Shape, tokens: int, longest: int, logits: float) -> float:
    half = spec.precision != "float32"
    lora = bool(spec.training.lora_r)
    known = _GPU_BYTES_PER_CHANNEL.get(shape.family, _GPU_BYTES_PER_CHANNEL["bert"])
    narrow, more = known[half]
    channel = narrow + more * shape.inner / shape.width + (_GPU_LORA_BYTES if lora else 0)
    kept = tokens * shape.width * _layers_kept(spec, shape, channel, _GPU_INPUT_BYTES) + logits
    kept += tokens * longest * shape.layers * _GPU_BYTES_PER_PAIR[half]
    kept += 2 * shape.dense if half else 0  # autocast's copies of the weights
    asked = asks_model(spec.masking) or asks_model(spec.evaluated_mask)
    weights = (1 + asked) * 4 * shape.weights
    moments, gradients = (0, 0) if lora else (8 * shape.weights, 4 * shape.weights)
    return _GPU_WORKSPACE + weights + moments + max(kept, gradients)


def _layers_kept(spec: RunSpec, shape: Shape, channel: float, input_bytes: float) -> float:
    """Return the bytes that all layers keep of a token and channel for the backward pass.

    With gradient checkpointing each keeps its input, and one at a time all that it computes.
    """
    if spec.training.gradient_checkpointing:
        return shape.layers * input_bytes + channel
    return shape.layers * channel


def _share_guessed(spec: RunSpec) -> float:
    """Return for which share of the tokens a batch has logits over the vocabulary."""
    if spec.task in ("seq2seq", CAUSAL):  # of a decoder's rows all may be learned
        return 1.0
    if spec.task != "mlm":
        return 0.0
    shares = [choice.ratio or 0.15 for choice in spec.masking.choices]
    share = min(1.0, sum(shares)) if spec.masking.join == "or" else shares[0]
    return 1 - share if spec.masking.complement else share


def _base_bytes() -> float:
    from importlib.metadata import version

    # Only Linux has builds for CUDA under torch's plain name; the small one says "+cpu".
    small = sys.platform != "linux" or version("torch").endswith("+cpu")
    absent = sum(size for name, size in _IMPORTED_BYTES.items() if not find_spec(name))
    return (_CPU_BUILD_BYTES if small else _CUDA_BUILD_BYTES) - absent


def _needs_pipeline(spec: RunSpec) -> bool:
    return "pipeline" in spec.masking.needs


def asks_model(masking: MaskingSpec) -> bool:
    """Tell whether a strategy asks a model once for each word of a row."""
    return any(asks(choice.strategy, choice.parameters) for choice in masking.choices)
