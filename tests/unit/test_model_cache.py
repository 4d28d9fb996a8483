"""Models and networks are kept as far as the memory for them goes, and used after that."""

from __future__ import annotations

import gc
import shutil
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from maskviz.errors import ParameterError
from maskviz.evidence import compare, control, explain
from maskviz.evidence.words.worth import worth
from maskviz.masks import Mask, apply, mask
from maskviz.models import held, load_model, memory
from maskviz.models import model as module
from maskviz.paths import assets
from maskviz.readings import fill, predict

TEXT = "Anna saw the quick brown fox in Paris."


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Begin and end with nothing kept."""
    memory.NETWORKS.clear()
    yield
    memory.NETWORKS.clear()


def names() -> list[str]:
    return [f"{one['model'].rsplit('/', 1)[-1]}:{one['what']}" for one in held()]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("4GB", 4 * 10**9), ("4 gb", 4 * 10**9), ("1.5GiB", 3 * 2**29), ("800MB", 8 * 10**8),
        ("12kB", 12_000), ("0B", 0), ("2TB", 2 * 10**12), (" 3MiB ", 3 * 2**20),
    ],
)  # fmt: skip
def test_the_limit_is_read_as_a_size(said: str, expected: int, monkeypatch) -> None:
    monkeypatch.setenv(memory.VARIABLE, said)
    assert memory.limit() == expected


@pytest.mark.parametrize("said", ["4", "much", "-1GB", "4 GB or so", "1e9", "GB", "4GBit", "4,5GB"])
def test_a_limit_that_is_no_size_is_one_sentence(said: str, monkeypatch) -> None:
    monkeypatch.setenv(memory.VARIABLE, said)
    with pytest.raises(ParameterError, match=f"is '{said}' and must be a size with its unit"):
        load_model("mini")


def test_the_limit_is_half_of_what_was_free_at_first(monkeypatch) -> None:
    free = iter([1000, 10])
    monkeypatch.delenv(memory.VARIABLE, raising=False)
    monkeypatch.setattr(memory, "free_bytes", lambda: next(free))
    memory.free_at_first.cache_clear()
    assert (memory.limit(), memory.limit()) == (500, 500)
    memory.free_at_first.cache_clear()


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({"memory.max": "1000", "memory.current": "700"}, [300]),
        (
            {
                "memory.max": "1000",
                "memory.current": "700",
                "memory.stat": "anon 1\ninactive_file 200\n",
            },
            [500],
        ),
        ({"memory.max": "max", "memory.current": "700"}, []),
        ({}, []),
    ],
)
def test_a_containers_memory_counts(files: dict[str, str], left: list[int], tmp_path: Path) -> None:
    for name, said in files.items():
        (tmp_path / name).write_text(said, encoding="ascii")
    assert list(dict.fromkeys(memory._free_in_groups(tmp_path))) == left


def test_the_model_longest_unused_goes_first(tiny, monkeypatch) -> None:
    folders = [tiny(family) for family in ("bert", "distilbert", "roberta")]
    for folder in folders:
        load_model(folder).network("classify")
    monkeypatch.setenv(memory.VARIABLE, f"{memory.NETWORKS.bytes}B")
    load_model(folders[0]).network("classify")
    load_model("mini").network("classify")  # far larger than all of them: alone
    assert names() == ["mini:classify"]
    assert memory.NETWORKS.bytes > memory.limit()
    load_model(folders[1]).network("classify")
    assert "mini:classify" not in names()
    assert memory.NETWORKS.bytes <= memory.limit()


def test_a_dropped_network_answers_whoever_holds_it(tiny) -> None:
    model = load_model(tiny("bert"))
    network, ids = model.network("classify"), torch.tensor([model.tokenise(TEXT).input_ids])
    with torch.inference_mode():
        before = network(input_ids=ids).logits
        memory.NETWORKS.clear()
        assert torch.equal(network(input_ids=ids).logits, before)
    assert model.network("classify") is network  # it is not loaded a second time
    assert load_model(tiny("bert")) is model


def test_a_dropped_network_that_nobody_holds_is_gone(tiny) -> None:
    gone = weakref.ref(load_model(tiny("bert")).network("classify"))
    assert gone() is not None
    memory.NETWORKS.clear()
    assert gone() is None


def asked(model) -> list[object]:
    """Ask all that keeps its answers with a model."""
    chosen = mask(TEXT, "pattern", words="fox")
    found: list[object] = [explain(TEXT, model), compare(chosen, model, long="windows")]
    found += [control(chosen, model), worth(TEXT, model)]
    found += [apply(chosen, "corrupt", model), explain(TEXT, model, "attention-rollout")]
    return [*found, fill(chosen, model)] if "fill" in model.capabilities else found


@pytest.mark.parametrize("name", ["mini", "bert", "distilbert", "modernbert"])
def test_what_is_remembered_of_a_model_goes_with_it(name: str, tiny, tmp_path) -> None:
    # A copy of its own: tests before this one may hold the bundled model.
    folder = assets() / "mini" if name == "mini" else tiny(name)
    model = load_model(shutil.copytree(folder, tmp_path / name))
    first = asked(model)
    assert asked(model)[0] is first[0]
    gone = weakref.ref(model)
    del model
    memory.NETWORKS.clear()
    gc.collect()  # watching attention leaves a circle behind
    assert gone() is None


@pytest.mark.parametrize("name", ["bert", "modernbert"])
def test_a_model_that_was_asked_is_gone_as_soon_as_nobody_holds_it(
    name: str, tiny, tmp_path
) -> None:
    model = load_model(shutil.copytree(tiny(name), tmp_path / name))
    chosen = mask(TEXT, "pattern", words="fox")
    answers = [compare(chosen, model), control(chosen, model), explain(TEXT, model)]
    gone = weakref.ref(model)
    gc.collect()
    gc.disable()
    try:
        del model
        memory.NETWORKS.clear()
        assert gone() is None
    finally:
        gc.enable()
    assert all(answers)


def test_a_question_put_again_remembers(tiny) -> None:
    model = load_model(tiny("bert"))
    chosen = mask(TEXT, "pattern", words="fox")
    first = control(chosen, model)
    assert control(chosen, model, question="labels") is first
    others = [Mask(TEXT, chosen.spans, seed=seed) for seed in range(8)]
    found = {compare(one, model, "corrupt").masked.confidence for one in others}
    assert len(found) > 1  # the same words under other draws are another question
    assert all(compare(one, model, "corrupt").mask is one for one in others)


@pytest.mark.parametrize("capability", ["fill", "classify", "encode"])
def test_heads_of_one_model_share_its_encoder(capability: str) -> None:
    model = load_model("mini")
    alone = module._network(model, capability)
    for other in ("fill", "classify", "encode"):
        model.network(other)
    one = sum(memory.size_of_network(alone).values())
    assert memory.NETWORKS.bytes < 1.01 * one + memory.size_of_tokenizer(model.tokenizer)
    shared, ids = model.network(capability), torch.tensor([model.tokenise(TEXT).input_ids])
    with torch.inference_mode():
        assert torch.equal(shared(input_ids=ids)[0], alone(input_ids=ids)[0])


def test_weights_of_two_models_are_not_mixed(tiny, tmp_path: Path) -> None:
    one, other = load_model(tiny("bert")), load_model(tiny("bert", "MaskedLM"))
    found = [m.main_network().get_input_embeddings().weight for m in (one, other)]
    assert found[0] is not found[1]
    assert one is not other


def test_two_threads_that_ask_for_a_model_load_it_once(tiny, monkeypatch) -> None:
    made = []
    real = module._network
    monkeypatch.setattr(module, "_network", lambda *given: made.append(given[1]) or real(*given))
    folder = tiny("distilbert")

    def ask(_: int) -> object:
        model = load_model(folder)
        return model, model.network("classify")

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(8)))
    assert made == ["classify"]
    assert len({id(network) for _, network in found}) == len({id(model) for model, _ in found}) == 1


def test_image_models_count_as_well(monkeypatch, tiny) -> None:
    from maskviz.vision import load_vit

    load_model(tiny("bert")).network("classify")
    vit = load_vit()
    assert names()[-1] == "mini-digits:image"
    assert held()[-1]["bytes"] == sum(memory.size_of_network(vit.network).values())
    monkeypatch.setenv(memory.VARIABLE, "1B")
    assert load_vit() is vit  # kept, and used
    load_model(tiny("distilbert"))
    assert len(names()) == 1


def test_answers_are_the_same_under_the_smallest_limit(tiny, monkeypatch) -> None:
    folder = tiny("bert")
    wide = predict(folder, [apply(TEXT, "mask", folder)])
    memory.NETWORKS.clear()
    monkeypatch.setenv(memory.VARIABLE, "0B")
    assert predict(folder, [apply(TEXT, "mask", folder)]) == wide
    assert len(held()) == 1
