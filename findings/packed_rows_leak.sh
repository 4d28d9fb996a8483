#!/bin/sh
# An expert expects that rows packed behind one another with position_ids that start anew are kept
# apart, whatever the mask of ones and the cache are set to. With transformers 5.23.0 they are only
# with use_cache=False and without attention_mask; else each row reads the one before it, unsaid.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.23.0 numpy 2>/dev/null
cat > "$folder/try.py" <<'PYTHON'
import sys

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

LENGTH = 8
KINDS = (LlamaConfig, LlamaForCausalLM), (Qwen2Config, Qwen2ForCausalLM)
SIZES = {
    "vocab_size": 300, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "initializer_range": 0.3,
}
ONES = torch.ones(1, 2 * LENGTH, dtype=torch.long)
WAYS = {
    "no mask, use_cache=False": {"use_cache": False},
    "no mask, cache as it comes": {},
    "mask of ones, use_cache=False": {"attention_mask": ONES, "use_cache": False},
}

print("Python", sys.version.split()[0], "torch", torch.__version__, end=" ")
print("transformers", transformers.__version__)
places = torch.arange(LENGTH).repeat(2)[None]
as_told = True
for config, network_class in KINDS:
    torch.manual_seed(0)
    network = network_class(config(**SIZES)).eval()
    row, before, other = (torch.randint(0, 300, (1, LENGTH)) for _ in range(3))
    for way, settings in WAYS.items():
        with torch.inference_mode():
            one, two = (
                network(torch.cat([first, row], 1), position_ids=places, **settings).logits[:, LENGTH:]
                for first in (before, other)
            )
        moved = float((one - two).abs().max())
        print(f"{network_class.__name__}, {way}: logits of row 2 move by {moved:.3g} with row 1")
        as_told = as_told and (moved == 0) == (way == next(iter(WAYS)))
sys.exit(not as_told)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/try.py"
