"""Checks of answers: labels, guesses, what is written, alone and in batches."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path
from typing import Any

from .checks import check
from .marks import NoReference, must, own
from .subject import Subject, fresh
from .tiny import HIDDEN, TEXT, build

NEAR = 1e-3
SHORTER = ("The brown fox.", "Anna of Paris loved this great film.", "a dull and slow story")
_KINDS = """
    bert roberta deberta-v2 distilbert modernbert llama qwen3 gpt2 gemma3_text t5 bart xlnet
    electra albert
"""


@check("Loads")
def long(one: Subject) -> None:
    """A text longer than the network takes is cut, where its tokenizer names no limit."""
    import torch

    import maskviz
    from maskviz.inside.core import core_of

    folder = one.folder.with_name(f"{one.folder.name}-long")
    shutil.copytree(one.folder, folder, dirs_exist_ok=True)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_max_length": 10**6}))
    whole = " ".join([TEXT] * 20)
    mask = maskviz.mask(whole, "pattern", words=HIDDEN)
    try:
        loaded = maskviz.load_model(folder)
        found = maskviz.apply(whole, model=loaded)
        must(found.truncated_at is None or found.notice, "it is cut without a word")
        if one.head == "cls":
            maskviz.compare(mask, folder, operator="unk")
        elif one.head == "mlm":
            maskviz.fill(mask, folder)
        else:
            read = torch.tensor([found.input_ids])
            with torch.no_grad():
                core_of(loaded.main_network())(input_ids=read, attention_mask=torch.ones_like(read))
    finally:
        shutil.rmtree(folder)


@check("Fill", ("mlm",))
def fills(one: Subject) -> None:
    """The best guesses at a word are the reference's, among those that begin a word as it does."""
    import maskviz

    mask_id = one.tokenizer.mask_token_id
    if mask_id is None or len(one.hidden) != 1:
        raise NoReference("there is no mask token, or the hidden word has several tokens")
    (place,) = one.hidden
    (found,) = maskviz.fill(one.mask, one.model, top_k=5)
    logits = own(lambda: one.passed(one.changed(mask_id)).logits[0, place].clone())
    names = [name or "" for name in one.tokenizer.convert_ids_to_tokens(range(len(logits)))]
    logits[one.tokenizer.all_special_ids] = -math.inf
    chances = logits.softmax(-1).numpy()
    begins = _begins(names)
    chances[begins != begins[one.ids[place]]] = 0
    best = [(one.tokenizer.decode([i]).strip(), chances[i]) for i in chances.argsort()[::-1][:5]]
    shown = [(guess.token, guess.probability) for guess in found.candidates]
    for (token, chance), (name, want) in zip(shown, best, strict=True):
        tie = want < 1e-9 or abs(chance - want) < 1e-6
        must(abs(chance - want) < 1e-4 and (token == name or tie), f"{shown} and {best}")


def _begins(names: list[str]) -> Any:
    """Return which tokens begin a word."""
    import numpy as np

    if any(name.startswith("##") for name in names):
        return np.array([not name.startswith("##") for name in names])
    return np.array([name.startswith(("Ġ", "▁")) for name in names])


@check("Compare", ("cls",))
def compares(one: Subject) -> None:
    """Labels of the text, and with a word masked, deleted and unknown, are the reference's."""
    import maskviz
    from maskviz.errors import CapabilityError

    tokens = one.tokenizer
    for operator, changed in (
        ("mask", tokens.mask_token_id), ("delete", None), ("unk", tokens.unk_token_id),
    ):  # fmt: skip
        if operator == "mask" and changed is None:
            try:
                maskviz.compare(one.mask, one.model, operator="mask")
            except CapabilityError:
                continue
            must(False, "mask is not refused, though there is no mask token")
        found = maskviz.compare(one.mask, one.model, operator=operator)
        ids = one.kept() if changed is None else one.changed(changed)
        _near(found.original, one.chances(one.ids), "the text")
        _near(found.masked, one.chances(ids), operator)


@check("Operator attention", ("cls",))
def out_of_sight(one: Subject) -> None:
    """With a word hidden from attention, labels are the reference's; another word moves none."""
    import maskviz
    from maskviz.readings.labels import predict

    hidden = maskviz.apply(one.mask, "attention", one.model)
    found = maskviz.compare(one.mask, one.model, operator="attention")
    _near(found.masked, one.hidden_chances(), "hidden from attention")
    other = next(token for token in one.ids[4:] if token not in one.kept()[:4] and
                 token != one.ids[one.hidden[0]])  # fmt: skip
    (moved,) = predict(
        one.model, [dataclasses.replace(hidden, input_ids=tuple(one.changed(other)))]
    )
    _near(moved, list(found.masked.probabilities.values()), "another word hidden there", 1e-4)


@check("Compare", ("cls",))
def batches(one: Subject) -> None:
    """Texts of unlike length answer in a batch what each answers alone."""
    import maskviz
    from maskviz.readings.labels import predict

    texts = (TEXT, *SHORTER)
    found = predict(
        one.model, [maskviz.apply(text, model=one.model) for text in texts], batch_size=4
    )
    for text, labels in zip(texts, found, strict=True):
        _near(labels, one.chances(one.tokenizer(text)["input_ids"]), text, 2 * NEAR)


@check("Compare", ("cls",))
def kinds(one: Subject) -> None:
    """Several labels at once, and numbers, are those that the logits make."""
    import torch

    import maskviz

    if one.name not in _KINDS.split():
        raise NoReference("tried on a few architectures")
    for kind, labels in (("multi_label_classification", 3), ("regression", 1)):
        folder = one.folder.with_name(f"{one.folder.name}-{kind}")
        cls, _ = build(one.name, one.head, folder, labels, kind, **one.given)
        network = fresh(cls, folder)
        found = maskviz.compare(one.mask, folder, operator="delete")
        for answer, ids in ((found.original, one.ids), (found.masked, one.kept())):
            logits = one.passed(ids, network=network).logits[0].double()
            want = torch.sigmoid(logits) if labels > 1 else logits
            _near(answer, want.numpy(), kind, NEAR * max(1, float(want.abs().max())))
            if labels > 1:
                chosen = {network.config.id2label[i] for i in range(3) if want[i] >= 0.5}
                must(set(answer.chosen) == chosen, f"chosen are {answer.chosen}, not {chosen}")
        shutil.rmtree(folder)


@check("Write", ("s2s",))
def writes(one: Subject) -> None:
    """What is written of the text, and of one with a hidden word, is what transformers writes."""
    import torch

    import maskviz
    from maskviz.readings.written import generate

    hidden = maskviz.apply(one.mask, "attention", one.model)
    for read, seen in ((TEXT, [1] * len(one.ids)), (hidden, one.seen)):
        (found,) = generate([read], one.model, num_beams=1, max_new_tokens=6)
        given = {"num_beams": 1, "do_sample": False, "max_new_tokens": 6}
        text, mask = torch.tensor([one.ids]), torch.tensor([seen])
        want = own(lambda t=text, m=mask, g=given: one.network.generate(t, attention_mask=m, **g))
        tokens = want[0].tolist()[1:]
        must(list(found.tokens) == tokens[: len(found.tokens)], f"{found.tokens} and {tokens}")


def _near(found: Any, want: Any, what: str, near: float = NEAR) -> None:
    import numpy as np

    have = np.array(list(found.probabilities.values()))
    off = np.abs(have - want).max()
    must(off < near, f"{what}: {have.round(4).tolist()} and {np.round(want, 4).tolist()}")


def folder_of(root: Path, name: str, head: str) -> Path:
    """Return an empty folder for a model."""
    folder = root / f"{name}-{head}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
