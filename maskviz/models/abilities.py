"""What a model can do, from its files alone: neither torch nor transformers is imported.

The names of transformers' heads are read from its source, since importing them takes torch along.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

from ..errors import MaskvizError
from .locate import BUNDLED, folder_of

_TABLES = {
    "fill": "MASKED_LM",
    "classify": "SEQUENCE_CLASSIFICATION",
    "generate": "CAUSAL_LM",
    "translate": "SEQ_TO_SEQ_CAUSAL_LM",
    "picture": "IMAGE_TEXT_TO_TEXT",
}


LEARNED = "mask_token_learned"  # in the config of a decoder that was tuned with a mask token

# Tokenizers without a class of their own: their special tokens are those that they name.
_PLAIN = ("PreTrainedTokenizerFast", "TokenizersBackend")


@dataclass(frozen=True)
class Abilities:
    """What a model can do; True where that cannot be told before it is loaded.

    mask: it has learned a mask token; infill: it puts words in the place of hidden ones. answers:
    it can be asked something, its labels or words.
    """

    classify: bool = True
    fill: bool = True
    mask: bool = True
    infill: bool = True
    answers: bool = True


def abilities(name: str) -> Abilities:
    """Return what a model can do, as far as its files are here. Raises nothing.

    >>> abilities("mini")
    Abilities(classify=True, fill=True, mask=True, infill=True, answers=True)
    """
    if name == BUNDLED:
        return Abilities()
    try:
        folder = folder_of(name)
        if folder is None:
            return Abilities()
        return _read(str(folder), (folder / "config.json").stat().st_mtime_ns)
    except (MaskvizError, OSError, ValueError):
        return Abilities()  # loading it says what is wrong


@lru_cache(maxsize=64)
def _read(path: str, _changed: int) -> Abilities:
    folder = Path(path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    family = str(config.get("model_type", ""))
    can = capabilities(config.get("architectures") or (), family, "text_config" in config)
    kinds = {family, str((config.get("text_config") or {}).get("model_type", family))}
    learned = mask_is_learned(can, kinds, bool(config.get("is_encoder_decoder")))
    learned = learned or bool(config.get(LEARNED))
    return Abilities(
        "classify" in can,
        "fill" in can,
        learned and _names_mask_token(folder),
        "fill" in can or ("translate" in can and _names(folder, "<extra_id_0>")),
        bool(can - {"encode"}),
    )


def capabilities(heads: Collection[str], family: str, composite: bool) -> frozenset[str]:
    """Read from the heads that a checkpoint names what is trained; see `Model.capabilities`.

    composite: a decoder of text is one part of a model that reads pictures or sound too.
    """
    named = set(heads)
    found = {what for what in _TABLES if named & set(_table(what).values())}
    if "picture" in found:
        found = (found - {"picture"}) | ({"generate"} if composite else set())
    if any(name.endswith("ForPreTraining") for name in named):
        found |= {"fill"} if family in _table("fill") else {"translate"}
    return frozenset(found | {"encode"})


def mask_is_learned(can: Collection[str], kinds: Collection[str], reads_again: bool) -> bool:
    """Tell whether a mask token means anything to a network: to a decoder it does not.

    kinds: the architecture, and that of its text part. reads_again: an encoder–decoder, which may
    be tuned on masked sources. LiLT and MarkupLM have no class that guesses, and none that writes.
    """
    guesses = "fill" in can or set(kinds) & _table("fill").keys()
    return bool(guesses) or reads_again or not set(kinds) & _table("generate").keys()


@cache
def _table(what: str) -> dict[str, str]:
    """Return the class of transformers for each architecture."""
    package = find_spec("transformers")
    source = Path(str(package and package.origin)).parent / "models" / "auto" / "modeling_auto.py"
    return _tables_of(source)[f"MODEL_FOR_{_TABLES[what]}_MAPPING_NAMES"]


@cache
def _tables_of(source: Path) -> dict[str, dict[str, str]]:
    wanted = {f"MODEL_FOR_{name}_MAPPING_NAMES" for name in _TABLES.values()}
    found = {}
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            name = getattr(node.targets[0], "id", "")
            if name in wanted:
                found[name] = dict(ast.literal_eval(node.value.args[0]))
    return found


def _names_mask_token(folder: Path) -> bool:
    """Tell whether a tokenizer has a mask token; what cannot be told from its files passes."""
    try:
        named = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        core = (folder / "tokenizer.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return True
    if named.get("mask_token") or named.get("tokenizer_class") in _PLAIN:
        return bool(named.get("mask_token"))
    added = json.loads(core).get("added_tokens") or ()
    return any("mask" in token["content"].lower() for token in added)


def _names(folder: Path, token: str) -> bool:
    path = folder / "tokenizer.json"
    return not path.is_file() or json.dumps(token) in path.read_text(encoding="utf-8")
