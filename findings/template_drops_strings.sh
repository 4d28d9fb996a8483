#!/bin/sh
# An expert expects that a message whose content is a string is rendered, or refused. The templates
# of SmolVLM and Idefics3 (as TRL 1.16.0 ships them) walk through a string's characters and write
# none: the prompt is empty of what was said, and the training mask learns the end mark alone.
# With transformers 5.23.0, which says nothing; contents as lists of parts are written.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
pip="$folder/venv/bin/python -m pip install --quiet --disable-pip-version-check"
$pip transformers==5.23.0 jinja2==3.1.6 2>/dev/null
$pip --no-deps trl==1.16.0 2>/dev/null
cat > "$folder/try.py" <<'PYTHON'
import importlib.util
import sys
from pathlib import Path

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

QUESTION, ANSWER = "Where does the river end?", "In the sea."
alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
inner = Tokenizer(models.BPE({c: i for i, c in enumerate(alphabet)}, []))
inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
inner.decoder = decoders.ByteLevel()
tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner)
trl = Path(importlib.util.find_spec("trl").submodule_search_locations[0])


def parts(text):
    return [{"type": "text", "text": text}]


def talk(form):
    said = (("user", QUESTION), ("assistant", ANSWER))
    return [{"role": role, "content": form(text)} for role, text in said]


print("Python", sys.version.split()[0], "transformers", transformers.__version__, "trl 1.16.0")
as_told = True
for name in ("smolvlm", "idefics3"):
    for form in (str, parts):
        tokenizer.chat_template = (trl / "chat_templates" / f"{name}.jinja").read_text()
        written = tokenizer.apply_chat_template(talk(form), tokenize=False)
        tokenizer.chat_template = (trl / "chat_templates" / f"{name}_training.jinja").read_text()
        read = tokenizer.apply_chat_template(
            talk(form), return_dict=True, return_assistant_tokens_mask=True
        )
        both = zip(read["input_ids"], read["assistant_masks"], strict=True)
        learned = tokenizer.decode([i for i, mask in both if mask])
        kind = "strings" if form is str else "parts"
        print(f"{name}, {kind}: {written!r}; learned: {learned!r}")
        there = QUESTION in written and ANSWER in written and ANSWER in learned
        as_told = as_told and there == (form is parts)
sys.exit(not as_told)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/try.py"
