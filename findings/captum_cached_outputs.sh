#!/bin/sh
# An expert expects of LLMAttribution over FeatureAblation a leave-one-out: for each token of the
# prompt, how far the answer's log-probability falls without it. With captum 0.9.0's default
# (use_cached_outputs=True) the scores are others; with False they are equal to it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.23.0 captum==0.9.0 2>/dev/null
cat > "$folder/try.py" <<'PYTHON'
import sys

import captum
import torch
import transformers
from captum.attr import FeatureAblation, LLMAttribution, TextTokenInput
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

WORDS = "the a film story was very dull warm and in Rome Paris <unk>".split()
PROMPT, ANSWER = "the film in Paris was very", "dull and warm"

print("Python", sys.version.split()[0], "torch", torch.__version__, end=" ")
print("transformers", transformers.__version__, "captum", captum.__version__)
words = models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>")
inner = Tokenizer(words)
inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>", pad_token="<unk>")
torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=len(WORDS), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
    num_attention_heads=4, initializer_range=0.3,
)
network = LlamaForCausalLM(config).eval()
unknown = tokenizer.unk_token_id
prompt = tokenizer(PROMPT, return_tensors="pt").input_ids
answer = tokenizer(ANSWER, return_tensors="pt").input_ids


def log_probability(ids: torch.Tensor) -> float:
    with torch.inference_mode():
        logits = network(torch.cat([ids, answer], 1), use_cache=False).logits.log_softmax(-1)
    return float(logits[0, ids.shape[1] - 1 : -1].gather(1, answer[0][:, None]).sum())


def without(place: int) -> torch.Tensor:
    ids = prompt.clone()
    ids[0, place] = unknown
    return ids


def by_captum(**settings: bool) -> list[float]:
    method = LLMAttribution(FeatureAblation(network), tokenizer)
    given = TextTokenInput(PROMPT, tokenizer, baselines=unknown)
    return method.attribute(given, target=ANSWER, **settings).seq_attr.tolist()


whole = log_probability(prompt)
right = [whole - log_probability(without(place)) for place in range(prompt.shape[1])]
rows = {"by hand": right, "default": by_captum(), "False": by_captum(use_cached_outputs=False)}
off = {}
for name, scores in rows.items():
    off[name] = max(abs(a - b) for a, b in zip(scores, right))
    print(f"{name:8}", *(f"{score:7.3f}" for score in scores), f" off by up to {off[name]:.2g}")
sys.exit(not (off["default"] > 0.5 and off["False"] < 1e-4))
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/try.py"
