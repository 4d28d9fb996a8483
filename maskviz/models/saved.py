"""The tokenizer that was saved with a model, where transformers gives back another one.

A class of tokenizer that transformers has for an architecture builds its normaliser and its way to
cut a text into words itself, whatever `tokenizer.json` says: in a folder of the Qwen2 architecture
the words come out otherwise than the model was trained on. Both read a few lines here, and where
they differ the file is right, under what `tokenizer_config.json` says of it. A folder with
`vocab.json` and `merges.txt` alone does not say that the mask token takes the space before it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LINES = (
    "He didn't see 2003's naïve café,  twice\n\tor 1,234.50 times: IT'S “odd” (e-mail a@b.org)…",
    "我们喜欢 这部电影。 שלום مرحبا 🙂 Ελλάς 한국어",
    " it begins and ends with a space ",
)
_WORDS = 200  # of the vocabulary, which may be of any language
# What a configuration says, and where a normaliser or a pre-tokenizer has it.
_SAYS = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
    "add_prefix_space": "add_prefix_space",
}
_NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token")


def as_saved(tokenizer: Any, path: str) -> tuple[Any, str]:
    """Return a loaded tokenizer, which reads as it was saved, and what had to be done to it.

    path: its folder, or its name on the Hub. The sentence is empty where nothing was done.
    """
    from transformers import PreTrainedTokenizerFast

    if not tokenizer.is_fast or type(tokenizer) is PreTrainedTokenizerFast:
        return tokenizer, ""  # that class takes tokenizer.json as it is
    file = _file(path, "tokenizer.json")
    if file is None:
        return tokenizer, _mask_takes_the_space(tokenizer)
    config = _json(_file(path, "tokenizer_config.json"))
    saved = _backend(_json(file), config)
    lines = _lines(saved)
    theirs, ours = _read(tokenizer.backend_tokenizer, lines), _read(saved, lines)
    if theirs == ours:
        return tokenizer, ""
    otherwise = sum(one != other for one, other in zip(theirs, ours, strict=True))
    _put(tokenizer, saved, config)
    return tokenizer, (
        f"Its tokenizer is the one saved in tokenizer.json: {type(tokenizer).__name__} of "
        f"transformers reads {otherwise} of {len(ours)} lines otherwise."
    )


def _file(path: str, name: str) -> Path | None:
    """Return a file of a folder, or of the Hub's cache; None where there is none."""
    folder = Path(path)
    if folder.is_dir():
        return folder / name if (folder / name).is_file() else None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(path, name)
    return Path(found) if isinstance(found, str) else None


def _json(file: Path | None) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8")) if file else {}


def _backend(state: dict[str, Any], config: dict[str, Any]) -> Any:
    """Return the tokenizer of a file, under what its configuration says otherwise."""
    from tokenizers import Tokenizer

    said = {field: config[name] for name, field in _SAYS.items() if name in config}
    for part in ("normalizer", "pre_tokenizer"):
        _say(state.get(part), said)
    saved = Tokenizer.from_str(json.dumps(state))
    saved.no_truncation()
    saved.no_padding()
    return saved


def _say(part: Any, said: dict[str, Any]) -> None:
    """Put what is said into a normaliser or a pre-tokenizer, and into those it is made of."""
    if not isinstance(part, dict):
        return
    part.update({field: value for field, value in said.items() if field in part})
    for inner in (*part.get("normalizers", ()), *part.get("pretokenizers", ())):
        _say(inner, said)


def _lines(saved: Any) -> list[str]:
    """Return what both read: lines, special tokens within a text, words of the vocabulary."""
    named = [token.content for token in saved.get_added_tokens_decoder().values()][:8]
    words = sorted(saved.get_vocab())
    known = (word.strip("Ġ▁#") for word in words[:: max(1, len(words) // _WORDS)])
    return [*LINES, *(f"a {token} b" for token in named), " ".join(known)]


def _read(backend: Any, lines: list[str]) -> list[list[int]]:
    return [backend.encode(line, add_special_tokens=False).ids for line in lines]


def _put(tokenizer: Any, saved: Any, config: dict[str, Any]) -> None:
    """Let a tokenizer read by what was saved; what it puts around a text stays as it is.

    Special tokens that its class alone names are none of this model.
    """
    saved.post_processor = tokenizer.backend_tokenizer.post_processor
    for name in _NAMES:
        token = getattr(tokenizer, name)
        if token is not None and name not in config and saved.token_to_id(token) is None:
            setattr(tokenizer, name, None)
    tokenizer._tokenizer = saved
    missing = [t for t in tokenizer.all_special_tokens if saved.token_to_id(t) is None]
    tokenizer.add_tokens(missing, special_tokens=True)


def _mask_takes_the_space(tokenizer: Any) -> str:
    """Let the mask token take the space before it, where a folder has nothing to say of it.

    A byte-level vocabulary has the space in the word behind it, and the mask stands for both.
    """
    from tokenizers import AddedToken

    given, mask = tokenizer.init_kwargs, tokenizer.mask_token
    if mask is None or not given.get("merges_file"):
        return ""
    said = [given.get("mask_token"), *given.get("added_tokens_decoder", {}).values()]
    if any(isinstance(token, AddedToken) and token.content == mask for token in said):
        return ""
    taking = AddedToken(mask, lstrip=True, normalized=False, special=True)
    tokenizer.add_special_tokens({"mask_token": taking})
    return f"Its mask token {mask} takes the space before it, which its files do not say."
