"""The names of transformers that load a model, imported together.

transformers fills itself while it is first imported, and a second thread that asks it meanwhile
misses names. Python lets that thread wait for a module of one's own, so whoever may be the first
to need transformers beside other threads imports this one before anything else of it.

It also reads all its 1,600 files of models twice, for two tables of the names in them, of which
the second is the first without a prefix: here the second is made of the first, a quarter of a
second of a processor sooner.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import Any

from transformers.utils import import_utils

_Table = dict[frozenset[str], dict[str, set[str]]]  # what they need → module → names
_PREFIX = "models."
_reads = import_utils.define_import_structure


def _known(module_path: str, prefix: str | None = None) -> Any:
    """Return the table of `transformers.models` from that of `transformers`; others are read."""
    whole = sys.modules["transformers"]
    try:
        modules, missing = whole._import_structure, whole._object_missing_backend
    except AttributeError:  # another version
        modules, missing = {}, {}
    of_models = module_path == f"{whole.__path__[0]}/models/__init__.py"
    if not of_models or not modules or not all(map(_plain, missing.values())):
        return _reads(module_path, prefix)
    table: _Table = defaultdict(dict)
    for module, names in modules.items():
        if module.startswith(_PREFIX):
            for name in names:
                needs = frozenset(missing.get(name, ()))
                table[needs].setdefault(module.removeprefix(_PREFIX), set()).add(name)
    return dict(table)


def _plain(needs: list[Any]) -> bool:
    return all(isinstance(one, str) for one in needs)


import_utils.define_import_structure = _known  # type: ignore[assignment]
try:
    from transformers import models  # noqa: F401
finally:
    import_utils.define_import_structure = _reads

from transformers import (  # noqa: E402
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

HEADS = {
    "fill": AutoModelForMaskedLM,
    "classify": AutoModelForSequenceClassification,
    "generate": AutoModelForCausalLM,
    "translate": AutoModelForSeq2SeqLM,
    "encode": AutoModel,
    "picture": AutoModelForImageTextToText,  # of which the text part alone is asked
}

__all__ = ["HEADS", "AutoConfig", "AutoTokenizer"]
