from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from maskviz.checksums import sha256, verify
from maskviz.errors import (
    CapabilityError,
    MissingDependencyError,
    ModelError,
    ModelNotFoundError,
    ParameterError,
)
from maskviz.masks import apply, mask
from maskviz.models import list_models, load_model
from maskviz.models.locate import bundled
from maskviz.readings import fill, predict

TEXT = "Anna saw the quick brown fox in Paris."


def test_predictions_are_those_of_the_network_itself(classifier: str) -> None:
    model = load_model(classifier)
    texts = [TEXT, "a dull film", "Anna"]
    answers = predict(model, [apply(t, "mask", model) for t in texts])
    network = model.network("classify")
    for text, answer in zip(texts, answers, strict=True):
        ids = torch.tensor([model.tokenise(text).input_ids])
        with torch.inference_mode():
            expected = network(input_ids=ids).logits.softmax(-1)[0]
        assert list(answer.probabilities.values()) == pytest.approx(expected.tolist(), abs=1e-5)
        assert answer.label == model.labels[int(expected.argmax())]
        assert answer.confidence == max(answer.probabilities.values())


def test_fills_are_the_networks_own_best_tokens(tiny) -> None:
    model = load_model(tiny("bert", "MaskedLM"))
    chosen = mask(TEXT, "pattern", words="fox")
    encoding = apply(chosen, "mask", model)
    hidden = [i for i, h in enumerate(encoding.hidden) if h]
    (place,) = fill(chosen, model, top_k=3)
    assert place.text == "fox"
    with torch.inference_mode():
        logits = model.network("fill")(input_ids=torch.tensor([encoding.input_ids])).logits[0]
        logits[:, model.tokenizer.all_special_ids] = -torch.inf
    names = model.tokenizer.convert_ids_to_tokens(range(logits.shape[-1]))
    continues = torch.tensor([name.startswith("##") for name in names])
    expected = 1.0
    for n, i in enumerate(hidden):
        expected *= float(logits[i].softmax(-1)[continues == bool(n)].max())
    assert place.candidates[0].probability == pytest.approx(expected, rel=1e-5)
    probabilities = [c.probability for c in place.candidates]
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(place.candidates) == 3


def test_each_hidden_word_is_a_place_of_its_own(tiny) -> None:
    chosen = mask(TEXT, "random", ratio=1)
    fills = fill(chosen, tiny("bert", "MaskedLM"))
    assert [f.text for f in fills] == TEXT.rstrip(".").split()


def test_what_a_model_cannot_do_is_said_by_name(tiny) -> None:
    with pytest.raises(CapabilityError, match="cannot fill"):
        fill(mask(TEXT), tiny("bert"))
    with pytest.raises(CapabilityError, match="cannot classify"):
        predict(tiny("bert", "MaskedLM"), [])
    with pytest.raises(ParameterError, match="top_k is 0"):
        fill(mask(TEXT), tiny("bert", "MaskedLM"), top_k=0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no-such/model", "use 'mini'"),
        ("", "No model is named"),
        ("../../no/such/file", "no model or folder"),
        ("a b c", "no model or folder"),
        ("-dash", "no model or folder"),
        ("a--b", "no model or folder"),
        ("..up", "no model or folder"),
    ],
)
def test_a_model_that_is_not_there_is_one_sentence(name: str, message: str) -> None:
    with pytest.raises(ModelNotFoundError, match=message):
        load_model(name)


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"config\.json"):
        load_model(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelNotFoundError, match="safetensors"):
        load_model(str(tmp_path))


def test_a_damaged_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(str(tmp_path))


def test_a_server_can_limit_its_models(monkeypatch: pytest.MonkeyPatch, tiny) -> None:
    monkeypatch.setenv("MASKVIZ_MODELS", "bert-base-cased")
    with pytest.raises(ModelNotFoundError, match="does not load"):
        load_model(tiny("distilbert"))
    assert [m.name for m in list_models()] == [*bundled(), "bert-base-cased"]


def test_a_limited_server_loads_what_was_tuned_on_it(monkeypatch, tmp_path: Path) -> None:
    from maskviz.models.locate import locate

    monkeypatch.setenv("MASKVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MASKVIZ_MODELS", "mini,mini-digits")
    run = tmp_path / "home" / "runs" / "mini-entity-1" / "model"
    for folder in (run, tmp_path / "home" / "encoders" / "mini-0", tmp_path / "elsewhere"):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}", encoding="utf-8")
        (folder / "model.safetensors").write_bytes(b"")
    assert locate("mini-entity-1") == str(run)
    assert locate(str(run.parents[2] / "encoders" / "mini-0"))
    for name in (str(tmp_path / "elsewhere"), f"{run}/../../../../elsewhere", "x" * 999, "a/\0"):
        with pytest.raises(
            ModelNotFoundError, match="choose one of mini, mini-translate, mini-chat, mini-d"
        ):
            locate(name)
    assert [m.name for m in list_models()] == [*bundled(), "mini-entity-1"]  # no image model


def test_the_list_can_be_limited_to_what_a_model_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKVIZ_MODELS", "bert-base-cased")
    assert [m.name for m in list_models("classify")] == ["mini", "bert-base-cased"]
    assert "mini" not in [m.name for m in list_models("translate")]


def test_a_changed_weight_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"one")
    right = sha256(tmp_path / "model.safetensors")
    (tmp_path / "checksums.json").write_text(f'{{"model.safetensors": "{right}"}}', "utf-8")
    verify(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"two")
    verify.cache_clear()
    with pytest.raises(ModelError, match="damaged"):
        verify(tmp_path)


@pytest.mark.parametrize(
    ("said", "package"),
    [
        ("4-bit needs it: `pip install -U bitsandbytes>=0.46`", "bitsandbytes"),
        ("Loading a GPTQ model requires optimum (`pip install optimum`)", "optimum"),
        ("It is not here: pip install 'compressed-tensors'", "compressed-tensors"),
        ("You need sentencepiece, or tiktoken", "sentencepiece"),
        ("No module named 'x'", "a package that is not installed"),
    ],
)  # fmt: skip
def test_a_package_that_a_model_needs_is_named(said: str, package: str, tiny, monkeypatch) -> None:
    from maskviz.models import auto

    def missing(*_: object, **__: object) -> None:
        raise ImportError(said)

    monkeypatch.setattr(auto.AutoConfig, "from_pretrained", missing)
    with pytest.raises(MissingDependencyError, match=f" needs {package}: run 'pip install "):
        load_model(tiny("bert") + "/.")


def test_networks_loaded_at_once_in_several_threads_all_have_their_weights() -> None:
    from concurrent.futures import ThreadPoolExecutor

    from maskviz.models import model as module

    loaded = load_model("mini")
    tasks = ["fill", "classify", "encode"] * 4
    with ThreadPoolExecutor(6) as pool:  # past the cache, as at the first visits of a server
        networks = list(pool.map(lambda what: module._network(loaded, what), tasks))
    assert all(p.device.type != "meta" for n in networks for p in n.parameters())


_FIRST_VISITORS = """
import sys, threading
from maskviz.models import load_model
from maskviz.vision import load_vit

sys.setswitchinterval(1e-5)
labels = []
visits = [load_model, load_vit, load_model, load_vit]
threads = [threading.Thread(target=lambda v=visit: labels.append(v().labels)) for visit in visits]
[thread.start() for thread in threads], [thread.join() for thread in threads]
print(len(labels))
"""


def test_threads_that_need_transformers_first_at_once_all_get_their_model() -> None:
    command = [sys.executable, "-c", _FIRST_VISITORS]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "4\n"


def test_transformers_knows_its_models_as_where_it_reads_their_files_twice() -> None:
    from transformers import models
    from transformers.utils import import_utils

    from maskviz.models import auto

    assert import_utils.define_import_structure is auto._reads
    table = auto._reads(models.__file__)
    read = import_utils._LazyModule(models.__name__, models.__file__, table)
    assert models._modules == read._modules
    assert models._class_to_module == read._class_to_module
    missing = (one._object_missing_backend for one in (models, read))
    own, other = ({name: set(needs) for name, needs in each.items()} for each in missing)
    assert own == other
    assert auto._known(f"{models.__path__[0]}/bert/__init__.py") == auto._reads(
        f"{models.__path__[0]}/bert/__init__.py"
    )
