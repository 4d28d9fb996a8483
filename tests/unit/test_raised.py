"""What an architecture raises is one sentence that names it, at every door."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

import maskviz
from maskviz import cli
from maskviz.attention.pairs import join_pair
from maskviz.errors import CapabilityError, DiskFullError
from maskviz.inside.core import core_of
from maskviz.inside.target import target_of
from maskviz.masks import apply, mask
from maskviz.models import Model, load_model
from maskviz.models.checks import finding
from maskviz.models.raised import naming, said_of
from maskviz.readings import predict
from maskviz.readings.windows import windows
from maskviz.readings.written import generate
from maskviz.training.loop.failures import explain
from maskviz.training.model.hooks import CoreHooks, require_matrix

TEXT = "Anna loved this great film, but Paris was a dull story."
SAID = (
    r"^The architecture '{}' cannot be run like this \(TypeError: no such layer\): choose another"
)


@contextmanager
def _broken(network) -> Iterator[None]:
    """Let a network raise what none of ours does."""

    def raises(*_):
        raise TypeError("no such layer\nand more")

    handle = core_of(network).register_forward_pre_hook(raises)
    try:
        yield
    finally:
        handle.remove()


def _hidden(model: Model):
    return mask(TEXT, "pattern", words="great,dull")


@pytest.mark.parametrize(
    ("family", "head", "ask"),
    [
        ("bert", "SequenceClassification", lambda m: predict(m, [apply(TEXT, model=m)])),
        ("bert", "SequenceClassification", lambda m: maskviz.attend(TEXT, m)),
        ("bert", "SequenceClassification", lambda m: maskviz.attend(TEXT, m, method="relevance")),
        ("bert", "SequenceClassification", lambda m: maskviz.explain(TEXT, m, "gradient-input")),
        ("bert", "MaskedLM", lambda m: maskviz.fill(_hidden(m), m)),
        ("bert", "MaskedLM", lambda m: apply(_hidden(m), "infill", m)),
        ("t5", "Seq2SeqLM", lambda m: apply(_hidden(m), "infill", m)),
        ("t5", "Seq2SeqLM", lambda m: target_of(m, TEXT, None)),
        ("t5", "Seq2SeqLM", lambda m: generate([TEXT], m)),
    ],
)
def test_a_network_that_raises_is_named(
    family: str, head: str, ask: Callable[[Model], object], tiny
) -> None:
    model = load_model(tiny(family, head))
    assert model.max_length  # it and the checks look at the network, before it is broken
    for name in ("direction", "padding"):
        assert finding(model, name).passed
    with _broken(model.main_network()), pytest.raises(CapabilityError, match=SAID.format(family)):
        ask(model)


@pytest.mark.parametrize(
    ("family", "head", "ask"),
    [
        ("bert", "SequenceClassification", lambda m: join_pair("Is it?", "It is.", m)),
        ("bert", "SequenceClassification", lambda m: windows(m, "A text never seen. " * 90)),
        ("bert", "SequenceClassification", lambda m: m.tokenise("Another text never seen.")),
        ("t5", "Seq2SeqLM", lambda m: target_of(m, TEXT, "A target.")),
    ],
)
def test_a_tokenizer_that_raises_is_named(
    family: str, head: str, ask: Callable[[Model], object], tiny, monkeypatch
) -> None:
    model = load_model(tiny(family, head))
    assert model.max_length

    def raises(*_, **__):
        raise TypeError("no such layer")

    monkeypatch.setattr(type(model.tokenizer), "_encode_plus", raises)
    with pytest.raises(CapabilityError, match=SAID.format(family)):
        ask(model)


def test_what_is_no_architectures_stays_as_it_is(tiny) -> None:
    network = load_model(tiny("bert")).main_network()
    for error in (KeyError("own"), MemoryError(), DiskFullError("full"), RuntimeError("own")):
        with pytest.raises(type(error)), naming("bert"):
            raise error
        assert said_of(error) is None
    with pytest.raises(RuntimeError, match="out of memory"), naming("bert"):
        _raised(network, RuntimeError("CUDA out of memory"))


def _raised(network, error: Exception | None = None) -> None:
    def raises(*_):
        raise error or AttributeError("'NoneType' object has no attribute 'shape'")

    handle = core_of(network).register_forward_pre_hook(raises)
    try:
        network(torch.tensor([[2, 5, 3]]))
    finally:
        handle.remove()


def test_the_command_line_has_a_last_net(tiny, monkeypatch, capsys) -> None:
    network = load_model(tiny("bert")).main_network()
    monkeypatch.setattr(cli, "_run", lambda _: _raised(network))
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("maskviz: The architecture 'bert' cannot be run like this (Attribute")
    monkeypatch.setattr(cli, "_run", lambda _: [][0])
    with pytest.raises(IndexError):  # a mistake of ours is no architecture's
        cli.main()


def test_a_run_says_what_its_architecture_cannot(tiny, tmp_path: Path) -> None:
    network = load_model(tiny("bert")).main_network()
    with pytest.raises(AttributeError) as raised:
        _raised(network)
    assert explain(raised.value, tmp_path) == (
        "The architecture 'bert' cannot be trained like this (AttributeError: 'NoneType' object "
        "has no attribute 'shape'): choose another method or another model. Its log says where."
    )
    with (
        _broken(network),
        pytest.raises(CapabilityError, match=r"'bert' takes no attention matrix \(TypeError: no"),
    ):
        require_matrix(network, CoreHooks(network), "bert")
