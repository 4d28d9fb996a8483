#!/bin/sh
# An expert expects that the first token which generate writes greedily is the argmax of a forward
# pass over the same ids and the same attention mask. With transformers 5.23.0 and a mask that hides
# a token inside the text it often is not: generate counts the positions of visible tokens alone,
# the forward pass those of all. With position_ids given both agree.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.23.0 numpy 2>/dev/null
cat > "$folder/try.py" <<'PYTHON'
import sys

import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
NETWORKS = {
    "llama": lambda: LlamaForCausalLM(
        LlamaConfig(vocab_size=300, intermediate_size=64, initializer_range=0.5, **SIZES)
    ),
    "gpt2": lambda: GPT2LMHeadModel(
        GPT2Config(
            vocab_size=300, n_embd=32, n_layer=2, n_head=2, initializer_range=0.5,
            bos_token_id=298, eos_token_id=299,
        )
    ),
}
TRIALS, LENGTH = 40, 12
OWN = {"max_new_tokens": 1, "do_sample": False, "eos_token_id": 299, "pad_token_id": 299}

print("Python", sys.version.split()[0], "torch", torch.__version__, end=" ")
print("transformers", transformers.__version__)
as_told = True
for name, build in NETWORKS.items():
    torch.manual_seed(0)
    network = build().eval()
    apart = apart_with_positions = 0
    for _ in range(TRIALS):
        ids = torch.randint(0, 290, (1, LENGTH))
        seen = torch.ones_like(ids)
        seen[0, torch.randint(2, LENGTH - 2, (1,))] = 0
        with torch.inference_mode():
            best = network(input_ids=ids, attention_mask=seen).logits[0, -1].argmax()
            written = network.generate(ids, attention_mask=seen, **OWN)[0, -1]
            places = torch.arange(LENGTH)[None]
            placed = network.generate(ids, attention_mask=seen, position_ids=places, **OWN)[0, -1]
        apart += bool(written != best)
        apart_with_positions += bool(placed != best)
    print(f"{name}: generate differs from the forward pass in {apart} of {TRIALS} prompts,", end=" ")
    print(f"with position_ids in {apart_with_positions}")
    as_told = as_told and apart > 0 and apart_with_positions == 0
sys.exit(not as_told)
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
