"""What a model can do is told alike from its files and from the model that is loaded."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from maskviz.models import load_model
from maskviz.models.abilities import _TABLES, _table, abilities
from tests.tiny_models import build


@pytest.mark.parametrize("what", _TABLES)
def test_the_heads_are_those_of_transformers(what) -> None:
    from transformers.models.auto import modeling_auto

    theirs = getattr(modeling_auto, f"MODEL_FOR_{_TABLES[what]}_MAPPING_NAMES")
    assert _table(what) == dict(theirs)


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize(
    ("family", "head"),
    [
        ("bert", "MaskedLM"),
        ("bert", "SequenceClassification"),
        ("bert", "TokenClassification"),
        ("bert", "PreTraining"),
        ("modernbert", "MaskedLM"),
        ("bart", "Seq2SeqLM"),
        ("t5", "Seq2SeqLM"),
        ("marian", "Seq2SeqLM"),
        ("gpt2", "CausalLM"),
        ("llama", "SequenceClassification"),
        ("gemma3_text", "SequenceClassification"),
    ],
)
def test_files_tell_what_the_loaded_model_can_do(tmp_path, family, head, names) -> None:
    folder = build(family, tmp_path, head)
    path = folder / "tokenizer_config.json"
    core = json.loads(path.read_text())
    path.write_text(json.dumps({**core, "mask_token": "[MASK]" if names else None}))
    model, can = load_model(folder), abilities(str(folder))
    assert can.mask is (model.mask_token_id is not None)
    assert can.fill is ("fill" in model.capabilities)
    assert can.classify is ("classify" in model.capabilities)


def test_a_page_can_ask_without_torch(tmp_path) -> None:
    folder = build("bert", tmp_path)
    code = (
        "import sys; from maskviz.models.abilities import abilities; "
        f"assert not abilities({str(folder)!r}).fill; "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["no/such", "", "/no/such/folder"])
def test_what_cannot_be_told_is_not_ruled_out(name) -> None:
    assert abilities(name) == abilities("mini")
