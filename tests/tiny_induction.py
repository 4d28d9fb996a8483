"""A two-layer attention-only decoder that has learned to copy: induction, trained in seconds.

Sequences of random words repeat; behind the second time a word is met, the next one is what stood
behind it the first time. A head of the first layer looks at the previous token, one of the second
at what stands behind the earlier occurrence (Olsson et al. 2022, https://arxiv.org/abs/2209.11895).
"""

from __future__ import annotations

from pathlib import Path

import torch

WORDS = [f"w{i}" for i in range(24)]
STEPS, BATCH, HALF = 700, 48, (6, 12)
LAYERS, HEADS = 2, 4
LEADERS = (2, 1)  # the head of each layer that learns, from 0
SIZE = 32  # of a head


def tokenizer():
    """Return a tokenizer that knows the words alone."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    from tests.tiny_models import wrapped

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    core = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, "[UNK]"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return wrapped(core)


def sequences(count: int, generator: torch.Generator, half: int) -> torch.Tensor:
    """Return rows of different words that come twice, (count, 2 · half)."""
    order = torch.rand(count, len(WORDS), generator=generator).argsort(1)[:, :half]
    return torch.cat([order, order], 1) + 5


def build(folder: Path, steps: int = STEPS) -> float:
    """Train the model, write it, and return how often it copies right."""
    import transformers

    torch.manual_seed(1)
    tok = tokenizer()
    tok.mask_token = None
    config = transformers.LlamaConfig(
        vocab_size=len(tok), hidden_size=64, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        num_key_value_heads=HEADS, head_dim=SIZE, intermediate_size=8, max_position_embeddings=64,
        pad_token_id=0, bos_token_id=2, eos_token_id=3,
    )  # fmt: skip
    network = transformers.LlamaForCausalLM(config)
    for layer in network.model.layers:  # attention alone: what the MLPs add is nothing
        torch.nn.init.zeros_(layer.mlp.down_proj.weight)
        layer.mlp.requires_grad_(False)
    _one_head_leads(network)
    right = _train(network, steps)
    network.eval().save_pretrained(folder)
    tok.save_pretrained(folder)
    return right


def _one_head_leads(network) -> None:
    """Let one head of each layer learn, so that what is learned is not shared out.

    The others stay as they were drawn: they attend, and what they say is noise.
    """
    for layer, leader in zip(network.model.layers, LEADERS, strict=True):
        kept = torch.zeros(HEADS, SIZE)
        kept[leader] = 1
        for name in ("q_proj", "k_proj", "v_proj"):
            weight = getattr(layer.self_attn, name).weight
            weight.register_hook(lambda grad, kept=kept: grad * kept.view(-1, 1))
        layer.self_attn.o_proj.weight.register_hook(lambda grad, kept=kept: grad * kept.view(1, -1))


def _train(network, steps: int) -> float:
    generator = torch.Generator().manual_seed(0)
    weights = [one for one in network.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=4e-3, betas=(0.9, 0.98), weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 4e-3, total_steps=steps, pct_start=0.2
    )
    right = 0.0
    for step in range(steps):
        half = HALF[0] + step % (HALF[1] - HALF[0] + 1)
        ids = sequences(BATCH, generator, half)
        logits = network(input_ids=ids, use_cache=False).logits[:, half:-1]
        wanted = ids[:, half + 1 :]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        right = float((logits.argmax(-1) == wanted).float().mean())
        if step > 150 and loss.item() < 0.02:
            break
    return right


def rows(count: int, half: int = 9) -> list[str]:
    """Return texts that end in the middle of their second half."""
    ids = sequences(count, torch.Generator().manual_seed(7), half)
    ends = half + 3
    return [" ".join(WORDS[i - 5] for i in row[:ends]) for row in ids.tolist()]
