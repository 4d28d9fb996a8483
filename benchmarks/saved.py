"""What a forward pass keeps for the way back, by architecture: the bytes behind a GPU's estimate.

    python benchmarks/saved.py                        # a minute on 2 idle cores

torch says what it keeps (`saved_tensors_hooks`), on any device; weights are left out, a storage
counts once. Of batches of three lengths n the bytes are a polynomial in n: what grows with the
tokens is printed by layer and channel, of which a part grows with the channels inside the MLP;
what grows with their square, by layer. On a CPU attention with dropout keeps its probabilities,
which a GPU's kernels compute again: there the square is the attention mask's, as of an architecture
without dropout.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

LENGTHS = (64, 128, 256)
RATIOS = 2, 4  # channels inside the MLP, of the width
ROWS, LAYERS, WIDTH, HEADS = 8, 4, 256, 4


def architectures(inner: int) -> Iterator[tuple[str, Any]]:
    """Yield the name and a random network of each architecture, `inner` channels in its MLP."""
    import transformers as t

    usual = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
             "intermediate_size": inner}  # fmt: skip
    special = {f"{name}_token_id": 1 for name in ("pad", "cls", "sep", "bos", "eos")}
    half = {"encoder_layers": LAYERS // 2, "decoder_layers": LAYERS // 2,
            "encoder_attention_heads": HEADS, "decoder_attention_heads": HEADS,
            "encoder_ffn_dim": inner, "decoder_ffn_dim": inner}  # fmt: skip
    deberta = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]}
    yield "modernbert", t.ModernBertModel(t.ModernBertConfig(**usual, **special))
    yield "bert", t.BertModel(t.BertConfig(**usual))
    yield (
        "distilbert",
        t.DistilBertModel(
            t.DistilBertConfig(dim=WIDTH, n_layers=LAYERS, n_heads=HEADS, hidden_dim=inner)
        ),
    )
    yield (
        "gpt2",
        t.GPT2Model(t.GPT2Config(n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, n_inner=inner)),
    )
    yield "llama", t.LlamaModel(t.LlamaConfig(**usual))
    yield (
        "t5",
        t.T5Model(t.T5Config(d_model=WIDTH, d_ff=inner, num_layers=LAYERS // 2, num_heads=HEADS)),
    )
    yield "bart", t.BartModel(t.BartConfig(d_model=WIDTH, **half))
    yield "deberta-v2", t.DebertaV2Model(t.DebertaV2Config(**usual, **deberta))


def kept(network: Any, length: int, bf16: bool) -> int:
    """Return the bytes kept for the backward pass of one batch, without the weights."""
    import torch

    weights = {p.untyped_storage().data_ptr() for p in network.parameters()}
    storages: dict[int, int] = {}

    def note(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.randint(10, 200, (ROWS, length))
    visible = torch.ones_like(ids)
    visible[0, -1] = 0  # as in a batch with padding
    batch = {"input_ids": ids, "attention_mask": visible}
    if network.config.is_encoder_decoder:
        batch["decoder_input_ids"] = ids
    network.train()
    network.config.use_cache = False
    hooks = torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor)
    with hooks, torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        network(**batch).last_hidden_state.float().sum()
    return sum(storages.values())


def polynomial(network: Any, bf16: bool) -> tuple[float, float]:
    """Return the bytes of a token, layer and channel, and of a pair of tokens and layer."""
    import numpy as np
    import torch

    torch.manual_seed(0)
    sizes = [kept(network, length, bf16) for length in LENGTHS]
    square, linear, _ = np.polyfit(LENGTHS, sizes, 2)
    return linear / ROWS / LAYERS / WIDTH, square / ROWS / LAYERS


def main() -> None:
    """Measure and print."""
    print(f"{'bytes a token, layer, channel':<44}and a pair of tokens, layer")
    narrow, wide = (architectures(ratio * WIDTH) for ratio in RATIOS)
    for (name, less), (_, more) in zip(narrow, wide, strict=True):
        for bf16 in (False, True):
            few, square = polynomial(less, bf16)
            many, _ = polynomial(more, bf16)
            each = (many - few) / (RATIOS[1] - RATIOS[0])
            print(
                f"{name:<12}{'bf16' if bf16 else 'float32':<9}"
                f"{few - each * RATIOS[0]:5.1f} + {each:4.1f} x inner / width"
                f"{square:12.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
