"""GGUF files: their numbers are those of the same weights in transformers, or they are refused."""

from __future__ import annotations

import json
import shutil
import struct
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from maskviz.errors import DiskFullError, MissingDependencyError, ModelError, ModelNotFoundError
from maskviz.models import gguf, load_model, memory
from maskviz.models.gguf import convert
from maskviz.models.gguf.header import read_header
from tests.tiny_gguf import KINDS, TEMPLATE, write
from tests.tiny_models import CORPUS, tokenizer

TEXT = "The quick brown fox jumps over the lazy dog, and Anna of Paris sees it in 2003."


def logits(network, ids) -> torch.Tensor:
    with torch.inference_mode():
        return network(input_ids=torch.tensor([ids])).logits[0]


def same_numbers(file: Path, plain) -> bool:
    model = load_model(file)
    ids = list(model.tokenise(TEXT).input_ids)
    expected = logits(plain, ids)
    assert len(ids) > 20
    assert expected.std() > 0.3
    return torch.allclose(logits(model.network("generate"), ids), expected, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_numbers_are_those_of_the_same_weights(kind: str, tmp_path: Path) -> None:
    assert same_numbers(tmp_path / "tiny.gguf", write(tmp_path / "tiny.gguf", kind))


@pytest.mark.parametrize("quantised", ["F16", "BF16", "Q8_0", "Q4_1", "Q5_0"])
def test_quantised_weights_are_what_is_left_of_them(quantised: str, tmp_path: Path) -> None:
    file = tmp_path / "tiny.gguf"
    assert same_numbers(file, write(file, quantise=quantised, hidden_size=64))
    assert load_model(file).quantised_to == quantised


def scaled(writer) -> None:
    writer.add_string("llama.rope.scaling.type", "linear")
    writer.add_float32("llama.rope.scaling.factor", 4.0)


def factors(writer, factor: float = 8.0, first: int = 8192) -> None:
    waves = 2 * np.pi * 10_000.0 ** (np.arange(0, 16, 2) / 16)
    smooth = ((first / waves - 1) / 3).clip(0, 1)
    values = 1 / ((1 - smooth) / factor + smooth)
    writer.add_tensor("rope_freqs.weight", values.astype(np.float32))


LINEAR = {"rope_type": "linear", "factor": 4.0, "rope_theta": 10_000.0}
LLAMA3 = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192, "rope_theta": 10_000.0,
}  # fmt: skip


@pytest.mark.parametrize(("add", "rope"), [(scaled, LINEAR), (factors, LLAMA3)])
def test_scaled_positions_are_read(add, rope, tmp_path: Path) -> None:
    plain = write(tmp_path / "tiny.gguf", add=add, rope_parameters=rope)
    assert same_numbers(tmp_path / "tiny.gguf", plain)


def says(key: str, value, kind: str = "uint32"):
    return lambda writer: getattr(writer, f"add_{kind}")(key, value)


@pytest.mark.parametrize(
    ("add", "sentence"),
    [
        (says("llama.expert_count", 8), "says expert_count is 8"),
        (says("llama.rope.scaling.type", "yarn", "string"), r"rope\.scaling\.type is yarn"),
        (says("llama.attention.sliding_window", 4), "sliding_window is 4"),
        (says("llama.logit_scale", 0.5, "float32"), r"logit_scale is 0\.5"),
        (says("llama.final_logit_softcapping", 30.0, "float32"), r"softcapping is 30\.0"),
        (lambda writer: factors(writer, first=4096), r"rope_freqs\.weight is a scaling of up to 8"),
        (lambda writer: writer.add_tensor("blk.0.attn_q.bias", np.ones(64, np.float32)),
         "does not fit the architecture 'llama'"),
        (says("split.count", 3, "uint16"), "one of 3 parts"),
    ],
)  # fmt: skip
def test_what_would_be_passed_by_is_refused_by_name(add, sentence: str, tmp_path: Path) -> None:
    write(tmp_path / "tiny.gguf", add=add)
    with pytest.raises(ModelError, match=sentence) as raised:
        load_model(tmp_path / "tiny.gguf")
    assert str(raised.value).count("\n") == 0
    assert not list(convert.home().glob("gguf/*-*"))


def test_a_setting_that_says_nothing_is_no_reason_to_refuse(tmp_path: Path) -> None:
    def add(writer) -> None:
        says("llama.expert_count", 0)(writer)
        says("llama.attention.sliding_window", 4096)(writer)  # no text is longer than the window
        says("llama.rope.scaling.type", "none", "string")(writer)
        says("llama.rope.scaling.original_context_length", 64)(writer)

    assert same_numbers(tmp_path / "tiny.gguf", write(tmp_path / "tiny.gguf", add=add))


@pytest.mark.parametrize(("every", "fits"), [(6, True), (2, False)])
def test_which_layers_have_a_window_is_compared(every: int, fits: bool, tmp_path: Path) -> None:
    add = says("gemma3.attention.sliding_window_pattern", every)
    plain = write(tmp_path / "tiny.gguf", "gemma3", add=add)
    if fits:
        assert same_numbers(tmp_path / "tiny.gguf", plain)
        return
    with pytest.raises(ModelError, match=r"attention\.sliding_window_pattern is 2"):
        load_model(tmp_path / "tiny.gguf")


def patched(file: Path, old: bytes, new: bytes) -> Path:
    assert len(old) == len(new)
    content = file.read_bytes()
    assert old in content
    file.write_bytes(content.replace(old, new))
    return file


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b"llama", b"lynxo", "does not read the GGUF file 'tiny.gguf' .architecture 'lynxo'"),
        (b"gpt-2", b"gpt-7", "splits text by 'gpt-7'"),
        (b"blk.1.ffn_up.weight", b"blk.1.ffn_xx.weight", r"does not fit|is not in it"),
        (b"GGUF\x03", b"GGUF\x01", "version 1"),
        (b"GGUF\x03\0\0\0", b"GGUF\0\0\0\x03", "version 50331648"),
        (b"GGUF\x03", b"GGML\x03", "is no GGUF"),
    ],
)
def test_a_file_that_is_not_read_is_one_sentence(old, new, sentence, tmp_path: Path) -> None:
    write(tmp_path / "tiny.gguf")
    with pytest.raises(ModelError, match=sentence) as raised:
        load_model(patched(tmp_path / "tiny.gguf", old, new))
    assert str(raised.value).count("\n") == 0


def test_a_cut_file_is_one_sentence_wherever_it_is_cut(tmp_path: Path) -> None:
    write(tmp_path / "tiny.gguf")
    whole = (tmp_path / "tiny.gguf").read_bytes()
    file = tmp_path / "cut.gguf"
    for length in [0, 1, 4, 7, 12, 23, *np.linspace(24, len(whole) - 1, 40).astype(int)]:
        file.write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"cut|no GGUF") as raised:
            load_model(file)
        assert str(raised.value).count("\n") == 0


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def head(tensors: int, settings: int, *more: bytes) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, settings) + b"".join(more)


ARCHITECTURE = text(b"general.architecture") + struct.pack("<I", 8) + text(b"llama")
MANY = 2**62


@pytest.mark.parametrize(
    "content",
    [
        head(MANY, 1, ARCHITECTURE),
        head(0, MANY, ARCHITECTURE),
        head(1, 1, ARCHITECTURE),
        head(0, 1, ARCHITECTURE),
        head(0, 1, struct.pack("<Q", MANY), b"x"),
        head(0, 1, text(b"x" * 5000), struct.pack("<II", 4, 1)),
        head(0, 1, text(b"a"), struct.pack("<IIQ", 9, 8, MANY)),
        head(0, 1, text(b"a"), struct.pack("<IIQ", 9, 0, MANY)),
        head(0, 1, text(b"a"), struct.pack("<IIQ", 9, 9, 1), struct.pack("<IQ", 9, 1)),
        head(0, 1, text(b"a"), struct.pack("<IIQ", 9, 0, 4 * 10**6), bytes(4 * 10**6)),
        head(0, 1, text(b"a"), struct.pack("<I", 99)),
        head(0, 2, ARCHITECTURE, ARCHITECTURE),
        head(0, 1, text(b"a\xff"), struct.pack("<II", 4, 1)),
        head(0, 2, ARCHITECTURE, text(b"general.alignment"), struct.pack("<II", 4, 0)),
        head(1, 1, ARCHITECTURE, text(b"w"), struct.pack("<IQQIQ", 2, MANY, MANY, 0, 0), bytes(99)),
        head(1, 1, ARCHITECTURE, text(b"w"), struct.pack("<IQIQ", 1, 4, 0, MANY), bytes(99)),
        head(1, 1, ARCHITECTURE, text(b"w"), struct.pack("<IQIQ", 1, 4, 77, 0), bytes(99)),
        head(1, 1, ARCHITECTURE, text(b"w"), struct.pack("<I", 2**31), bytes(99)),
        head(1, 1, ARCHITECTURE, text(b"w"), struct.pack("<IQIQ", 1, 33, 2, 0), bytes(99)),
        head(2, 1, ARCHITECTURE, *(2 * [text(b"w") + struct.pack("<IQIQ", 1, 1, 0, 0)]), bytes(99)),
    ],
)
def test_a_hostile_header_takes_no_memory(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "hostile.gguf"
    file.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(ModelError) as raised:
        read_header(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * 10**6
    assert str(raised.value).count("\n") == 0
    with pytest.raises(ModelError):
        load_model(file)


def test_more_layers_than_weights_are_refused_before_a_network_is_built(tmp_path: Path) -> None:
    write(tmp_path / "tiny.gguf")
    key = text(b"llama.block_count") + struct.pack("<I", 4)
    patched(tmp_path / "tiny.gguf", key + struct.pack("<I", 2), key + struct.pack("<I", 2**31))
    with pytest.raises(ModelError, match="speaks of 2147483648 layers and has 20 weights"):
        load_model(tmp_path / "tiny.gguf")


def test_a_file_is_read_once_by_its_content(tmp_path: Path, monkeypatch) -> None:
    write(tmp_path / "tiny.gguf")
    first = load_model(tmp_path / "tiny.gguf")
    memory.NETWORKS.clear()
    monkeypatch.setattr(convert, "convert", lambda *_: pytest.fail("read a second time"))
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(tmp_path / "tiny.gguf", tmp_path / "elsewhere" / "other.gguf")
    names = [tmp_path / "tiny.gguf", tmp_path / "elsewhere" / "other.gguf", tmp_path / "elsewhere"]
    assert {load_model(name).path for name in names} == {first.path}


def test_a_changed_file_of_the_same_name_is_read_anew(tmp_path: Path) -> None:
    write(tmp_path / "tiny.gguf")
    first = load_model(tmp_path / "tiny.gguf").path
    memory.NETWORKS.clear()
    plain = write(tmp_path / "tiny.gguf", "qwen3")
    assert same_numbers(tmp_path / "tiny.gguf", plain)
    assert load_model(tmp_path / "tiny.gguf").path != first


def test_a_folder_has_one_gguf_file_or_safetensors(tmp_path: Path, tiny) -> None:
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).write_bytes(b"GGUF")
    with pytest.raises(ModelNotFoundError, match=r"2 GGUF files \(a\.gguf, b\.gguf\): give one"):
        load_model(tmp_path)
    both = shutil.copytree(tiny("llama", "CausalLM"), tmp_path / "both")
    (both / "a.gguf").write_bytes(b"GGUF")
    assert load_model(both).path == str(both)


def test_what_lies_beside_the_file_changes_nothing(tmp_path: Path, tiny) -> None:
    plain = write(tmp_path / "tiny.gguf")
    for other in Path(tiny("bert")).glob("*token*"):
        shutil.copy(other, tmp_path)
    (tmp_path / "chat_template.jinja").write_text("another", encoding="utf-8")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    adapter = {"peft_type": "LORA", "base_model_name_or_path": "no-such/model"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(adapter), encoding="utf-8")
    assert same_numbers(tmp_path / "tiny.gguf", plain)
    model = load_model(tmp_path / "tiny.gguf")
    assert (model.family, model.tokenizer.chat_template) == ("llama", TEMPLATE)


def left(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "gguf").glob("*") if path.name != "known")


@pytest.mark.parametrize("where", ["reading the settings", "reading the weights", "writing"])
def test_stopped_half_way_nothing_is_left_and_the_next_time_works(
    where: str, tmp_path: Path, maskviz_home: Path
) -> None:
    plain = write(tmp_path / "tiny.gguf")

    def watch(what: str, share: float) -> None:
        if what == where and (share or what == "reading the settings"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gguf.folder_of(tmp_path / "tiny.gguf", watch)
    assert left(maskviz_home) == []
    assert same_numbers(tmp_path / "tiny.gguf", plain)
    assert len(left(maskviz_home)) == 1


def test_two_at_once_leave_one_whole_folder(tmp_path: Path, maskviz_home: Path) -> None:
    plain = write(tmp_path / "tiny.gguf")
    digest = convert.sha256(tmp_path / "tiny.gguf")
    with ThreadPoolExecutor(2) as pool:  # as two processes: neither asks whether it is there
        list(pool.map(lambda _: convert.convert(tmp_path / "tiny.gguf", digest), range(2)))
    assert len(left(maskviz_home)) == 1
    assert same_numbers(tmp_path / "tiny.gguf", plain)


def test_without_room_or_package_one_sentence_says_so(tmp_path: Path, monkeypatch) -> None:
    write(tmp_path / "tiny.gguf")
    usage = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as full:
        full.setattr(convert.shutil, "disk_usage", lambda _: usage._replace(free=10**6))
        with pytest.raises(DiskFullError, match=r"takes 0\.1 GB .* and 0\.0 GB of the disk"):
            load_model(tmp_path / "tiny.gguf")
    with monkeypatch.context() as bare:
        bare.setattr(convert.importlib.util, "find_spec", lambda name: None)
        with pytest.raises(MissingDependencyError, match=r"pip install 'maskviz\[gguf\]'"):
            load_model(tmp_path / "tiny.gguf")
    with monkeypatch.context() as filled:
        filled.setattr(convert, "_save", lambda *_: (_ for _ in ()).throw(OSError(28, "no room")))
        with pytest.raises(DiskFullError, match="The disk is full"):
            load_model(tmp_path / "tiny.gguf")
    assert load_model(tmp_path / "tiny.gguf").family == "llama"


def read(file: Path, said: str) -> list[int]:
    return list(load_model(file).tokenise(said).input_ids)


SAMPLES = ("Anna likes 2003!", "  two  spaces\n", "Naïve café 我们 🙂 שלום", "a", "[MASK] it")


def test_texts_are_cut_into_the_same_tokens(tmp_path: Path) -> None:
    write(tmp_path / "tiny.gguf")
    model, plain = load_model(tmp_path / "tiny.gguf"), tokenizer("bytes")
    for said in SAMPLES:
        found = model.tokenizer(said, return_offsets_mapping=True)
        expected = plain(said, add_special_tokens=False, return_offsets_mapping=True)
        assert found["input_ids"] == expected["input_ids"] == read(tmp_path / "tiny.gguf", said)
        assert found["offset_mapping"] == expected["offset_mapping"]
    assert model.max_length == 128
    rendered = model.tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True
    )
    assert (model.tokenizer.chat_template, rendered) == (TEMPLATE, "<|user|>Hi<|assistant|>")


def test_digits_stand_alone_where_the_file_says_so(tmp_path: Path) -> None:
    write(tmp_path / "tiny.gguf", pre="smollm")
    split = load_model(tmp_path / "tiny.gguf").tokenizer.backend_tokenizer.pre_tokenizer
    pieces = [piece for piece, _ in split.pre_tokenize_str("in 2003 it's")]
    assert pieces == ["in", "Ġ", "2", "0", "0", "3", "Ġit", "'s"]


def test_a_text_of_llama_3_has_a_start_and_whole_words(tmp_path: Path) -> None:
    write(tmp_path / "tiny.gguf", pre="llama-bpe")
    model = load_model(tmp_path / "tiny.gguf")
    assert read(tmp_path / "tiny.gguf", "a fox")[0] == model.tokenizer.bos_token_id
    core = json.loads(model.tokenizer.backend_tokenizer.to_str())
    assert core["model"]["ignore_merges"] is True


@pytest.mark.parametrize(("flag", "begins"), [(True, [2]), (False, [])])
def test_the_file_says_whether_a_text_has_a_start(flag: bool, begins, tmp_path: Path) -> None:
    write(tmp_path / "tiny.gguf", pre="llama-bpe", add=lambda w: w.add_add_bos_token(flag))
    plain = tokenizer("bytes")("a", add_special_tokens=False)["input_ids"]
    assert read(tmp_path / "tiny.gguf", "a") == [*begins, *plain]


@pytest.mark.parametrize("prefix", [True, False])
def test_sentencepiece_cuts_into_the_same_tokens(prefix: bool, tmp_path: Path) -> None:
    import sentencepiece

    (tmp_path / "corpus.txt").write_text("\n".join(CORPUS * 20), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "corpus.txt"), model_prefix=str(tmp_path / "spm"), vocab_size=480,
        model_type="bpe", byte_fallback=True, normalization_rule_name="identity",
        remove_extra_whitespaces=False, add_dummy_prefix=prefix, pad_id=3, minloglevel=2,
    )  # fmt: skip
    plain = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "spm.model"))
    write(tmp_path / "tiny.gguf", core=plain, add=lambda w: w.add_add_space_prefix(prefix))
    for said in (TEXT, "Anna likes 2003!", "Naïve café 我们 🙂", "a", " a", "two  spaces"):
        assert read(tmp_path / "tiny.gguf", said) == [plain.bos_id(), *plain.encode(said)]
        assert load_model(tmp_path / "tiny.gguf").tokenizer.decode(plain.encode(said)) == said
