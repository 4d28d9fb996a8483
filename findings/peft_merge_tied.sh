#!/bin/sh
# An expert expects that merging an adapter leaves the model's answers as they were, also where input
# and output embeddings are tied and LoraConfig is told to keep them so (ensure_weight_tying=True).
# With peft 0.21.2 the merged model is another one; without tying, and for other layers, it is not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.23.0 peft==0.21.2 2>/dev/null
cat > "$folder/try.py" <<'PYTHON'
import sys

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

SIZES = {"vocab_size": 120, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
CASES = [("embed_tokens", True), ("embed_tokens", False), ("q_proj", True)]


def moved(layer: str, tied: bool) -> float:
    """How far the logits move when the adapter of this layer is merged."""
    torch.manual_seed(0)
    config = LlamaConfig(
        tie_word_embeddings=tied, num_attention_heads=4, initializer_range=0.3, **SIZES
    )
    lora = LoraConfig(
        r=4, target_modules=[layer], init_lora_weights=False, ensure_weight_tying=tied
    )
    network = get_peft_model(LlamaForCausalLM(config), lora).eval()
    ids = torch.randint(0, 120, (2, 9))
    with torch.inference_mode():
        before = network(input_ids=ids, use_cache=False).logits
        after = network.merge_and_unload().eval()(input_ids=ids, use_cache=False).logits
    return float((before - after).abs().max())


print("Python", sys.version.split()[0], "torch", torch.__version__, end=" ")
print("transformers", transformers.__version__, "peft", peft.__version__)
as_told = True
for layer, tied in CASES:
    far = moved(layer, tied)
    print(f"{layer}, embeddings tied: {tied}: merging moves the logits by {far:.2g}")
    as_told = as_told and (far > 0.1) == (layer == "embed_tokens" and tied)
sys.exit(not as_told)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/try.py"
