"""What is written as it comes: the same tokens as at once, and what is there after a stop."""

from __future__ import annotations

import pytest

from maskviz.masks import Mask, MaskSpan, apply
from maskviz.models import load_model
from maskviz.readings.language.answering import decoded, generated
from maskviz.readings.language.writing import Writing
from maskviz.readings.question import asked
from maskviz.text.conversation import Conversation, Turn
from tests.tiny_chat import chat_model

SPOKEN = Conversation((Turn("system", "Ann lives in Rome."), Turn("user", "Where is Ann? Ünï 🙂")))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model(chat_model(tmp_path_factory.mktemp("chat")))


@pytest.fixture(scope="module")
def prompts(model):
    put = asked(model, {"name": "answer", "conversation": SPOKEN}).model
    mask = Mask(SPOKEN.text, (MaskSpan(0, 3), MaskSpan(13, 17)))
    plain = apply(SPOKEN.text, "attention", put)
    return put, [plain, *(apply(mask, name, put) for name in ("delete", "attention"))]


@pytest.mark.parametrize("longest", [1, 4, 24])
def test_it_is_what_the_model_writes_at_once(prompts, longest: int) -> None:
    model, reads = prompts
    writing = Writing(model, reads, longest)
    writing.wait(60)
    assert writing.finished
    assert not writing.error
    expected = [generated(model, read, longest) for read in reads]
    assert list(writing.tokens) == expected
    assert list(writing.texts) == [decoded(model, ids).rstrip("\ufffd") for ids in expected]


def test_a_stop_keeps_what_is_there(prompts) -> None:
    model, reads = prompts
    whole = [generated(model, read, 256) for read in reads]
    writing = Writing(model, reads, 256)
    while writing.running and min(map(len, writing.tokens)) < 2:
        writing.wait(0.005)
    writing.stop()
    writing.wait(60)
    assert not writing.running
    assert writing.stopped
    assert not writing.finished
    for ids, all_of_it in zip(writing.tokens, whole, strict=True):
        assert 0 < len(ids) < len(all_of_it)
        assert ids == all_of_it[: len(ids)]


def test_what_the_network_raises_is_said(prompts, monkeypatch) -> None:
    from maskviz.errors import CapabilityError
    from maskviz.readings.language import writing as module

    def fails(*_, **__):
        raise CapabilityError("The model cannot: choose another one.")

    monkeypatch.setattr(module, "generated", fails)
    model, reads = prompts
    writing = Writing(model, reads[:1], 4)
    writing.wait(60)
    assert writing.error == "The model cannot: choose another one."
    assert not writing.finished
    assert writing.texts == ("",)
