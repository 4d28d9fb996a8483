"""The bundled translator."""

from __future__ import annotations

import maskviz
from maskviz.models import load_model


def test_it_translates_an_easy_sentence() -> None:
    found = maskviz.translate("I am happy. Where is the cat?")
    first, second = (sentence.text for sentence in found.sentences)
    assert first.startswith("Je suis ")
    assert second.startswith("Où ")
    assert "chat" in second
    assert second.endswith("\u202f?")
    assert found.notice == ""


def test_its_tokenizer_gives_back_every_text() -> None:
    tokenizer = load_model("mini-translate").tokenizer
    for text in ("L'été, «\u00a0ça\u00a0» va\u202f?", "don't  stop ", "l’œuf 12,5\u00a0% 🙂"):
        assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True) == text
