"""Where a model's files are: bundled, a tuned run, a folder, a GGUF file, pulled, or the Hub."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..errors import ModelNotFoundError
from ..paths import assets, home
from .gguf import folder_of as converted
from .pulled import PULLED, pulled_folder

BUNDLED = "mini"
BUNDLED_TRANSLATOR = "mini-translate"
BUNDLED_CHAT = "mini-chat"
BUNDLED_IMAGES = "mini-digits"  # read by maskviz.vision alone

# Those that an installation may come without, and what makes them.
_MADE_BY = {BUNDLED_TRANSLATOR: "translate.py", BUNDLED_CHAT: "mini_chat.py"}


def locate(name: str) -> str:
    """Return the folder or the Hub name that `from_pretrained` takes for `name`.

    A GGUF file is read here, once, and kept as a folder. Raises ModelNotFoundError, with what to
    do, where there is no such model, this server may not load it, or it must be fetched and
    cannot; and what `gguf.folder_of` raises.
    """
    if not name or not name.strip():
        raise ModelNotFoundError("No model is named: use 'mini', a folder, or a name on the Hub.")
    allowed(name)
    if name == BUNDLED or name in _MADE_BY:
        return _bundled_folder(name)
    from .tuned import tuned_models

    tuned = dict(tuned_models())
    if name in tuned:
        return str(tuned[name])
    if name in PULLED:
        return pulled_folder(name)
    place = Path(name).expanduser()
    try:
        is_folder, is_file = place.is_dir(), place.is_file()
    except (OSError, ValueError):  # a name longer than the file system takes, or no path at all
        raise ModelNotFoundError(f"There is no model or folder {name[:80]!r}…: {_NEXT}") from None
    if is_folder:
        return _checked_folder(place)
    if is_file:
        return str(converted(place))
    if not _may_be_on_hub(name):
        raise ModelNotFoundError(f"There is no model or folder {name[:80]!r}: {_NEXT}")
    return _checked_hub(name)


def folder_of(name: str) -> Path | None:
    """Return the folder with a model's files, or None where it must be fetched first."""
    place = Path(locate(name))
    if place.is_dir():
        return place
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(name, "config.json")
    folder = Path(found).parent if isinstance(found, str) else None
    return folder if folder and any(folder.glob("*.safetensors")) else None


def _may_be_on_hub(name: str) -> bool:
    """Tell whether the Hub allows such a name."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return name.isascii()


_NEXT = "see 'maskviz models list', or give a folder or a name on the Hub."


def public_name(model: str) -> str:
    """Return a model's name as others may read it: of a folder only its own, of a run's the run.

    >>> public_name("org/tiny"), public_name("/models/tiny")
    ('org/tiny', 'tiny')
    """
    folder = Path(model)
    if not folder.is_absolute():
        return model
    return folder.parent.name if run_of(model) else folder.name


def run_of(model: str) -> Path | None:
    """Return the spec of the run whose tuned model lies in a folder, None where it is no run's."""
    folder = Path(model)
    if not folder.is_absolute():
        folder = home() / "runs" / model / "model"
    spec = folder.parent / "spec.toml"
    return spec if folder.name == "model" and spec.is_file() else None


def bundled() -> tuple[str, ...]:
    """Return the names of the bundled models, the default first."""
    return tuple(
        name
        for name in (BUNDLED, *_MADE_BY)
        if name == BUNDLED or (assets() / name / "config.json").is_file()
    )


def _bundled_folder(name: str) -> str:
    if name not in bundled():
        raise ModelNotFoundError(
            f"This installation comes without {name!r}: make it with 'python "
            f"recipes/{_MADE_BY[name]}', or give a folder or a name on the Hub."
        )
    return str(assets() / name)


def allowed(name: str) -> None:
    """Raise ModelNotFoundError where MASKVIZ_MODELS is set and does not list `name`.

    What was tuned here came from a model that may be loaded, and may be loaded itself.
    """
    if (listed := listed_models()) is None:
        return
    names = list(dict.fromkeys([*bundled(), *listed]))
    if name not in names and not _made_here(name):
        raise ModelNotFoundError(
            f"This server does not load {name[:80]!r}: choose one of {', '.join(names)}."
        )


def listed_models() -> list[str] | None:
    """Return the names in MASKVIZ_MODELS; None where every model may be loaded."""
    listed = os.environ.get("MASKVIZ_MODELS")
    return None if listed is None else [n.strip() for n in listed.split(",") if n.strip()]


def _made_here(name: str) -> bool:
    """Tell whether `name` is a run that left a model, or a folder that maskviz itself keeps."""
    own = home().resolve()
    folder = Path(name) if os.sep in name else own / "runs" / name / "model"
    try:
        return folder.is_dir() and folder.resolve().is_relative_to(own)
    except (OSError, ValueError):  # a name longer than the file system takes, or no path at all
        return False


def _checked_folder(folder: Path) -> str:
    whole = (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))
    if not whole and (files := sorted(folder.glob("*.gguf"))):
        return str(converted(_only(folder, files)))
    if not (folder / "config.json").is_file():
        raise ModelNotFoundError(
            f"The folder {folder.name!r} has no config.json: give a folder that "
            "save_pretrained wrote."
        )
    if not any(folder.glob("*.safetensors")):
        raise ModelNotFoundError(
            f"The folder {folder.name!r} has no *.safetensors weights, the only kind maskviz "
            "loads beside GGUF: save it anew with save_pretrained."
        )
    if lacking := _lacking(folder):
        raise ModelNotFoundError(
            f"The folder {folder.name!r} lacks {lacking[0]!r}, one of the files that its weights "
            "are in: copy or fetch it again, all of it."
        )
    return str(folder)


def _only(folder: Path, files: list[Path]) -> Path:
    if len(files) > 1:
        names = ", ".join(file.name for file in files[:5])
        raise ModelNotFoundError(
            f"The folder {folder.name!r} has {len(files)} GGUF files ({names}"
            f"{', …' if len(files) > 5 else ''}): give one of them by its path."
        )
    return files[0]


def _checked_hub(name: str) -> str:
    """Return the folder where all of it is cached, or the name where it can be fetched.

    The Hub is asked once, without retries, and nothing is asked of it for a cached model.
    """
    from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RepositoryNotFoundError

    config = try_to_load_from_cache(name, "config.json")
    if isinstance(config, str) and _complete(Path(config).parent):
        return str(Path(config).parent)
    try:
        info = HfApi().model_info(name, timeout=10)
        hf_hub_download(name, "config.json")
    except GatedRepoError:
        raise ModelNotFoundError(
            f"The model {name!r} on the Hub is gated: accept its terms there, run 'hf auth login', "
            "then try again."
        ) from None
    except RepositoryNotFoundError:
        raise ModelNotFoundError(f"There is no model {name!r} on the Hub: {_NEXT}") from None
    except EntryNotFoundError:
        raise ModelNotFoundError(
            f"The model {name!r} on the Hub has no config.json: choose one made for transformers, "
            "or download its GGUF file and give that by its path."
        ) from None
    except Exception as error:  # noqa: BLE001  the Hub's HTTP library, and so its errors, differ by version
        raise ModelNotFoundError(
            f"The model {name!r} is not on this machine and the Hub cannot be reached "
            f"({type(error).__name__}): use 'mini', or run 'maskviz models pull {name}' "
            "once where there is a network."
        ) from None
    if not any(file.rfilename.endswith(".safetensors") for file in info.siblings or ()):
        raise ModelNotFoundError(
            f"The model {name!r} on the Hub has no *.safetensors weights, the only kind maskviz "
            "loads: choose another one."
        )
    return name


def _complete(folder: Path) -> bool:
    """Tell whether a cached model has its weights, all of them where they are in several files."""
    return any(folder.glob("*.safetensors")) and not _lacking(folder)


def _lacking(folder: Path) -> list[str]:
    """Return the files of weights that an index names and that are not there."""
    index = folder / "model.safetensors.index.json"
    try:
        needed = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        return sorted(name for name in set(needed) if not (folder / name).is_file())
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return []  # all in one file, or loading it says what is wrong


def parameters_on_hub(name: str) -> int:
    """Return how many parameters the Hub says that a model has; 0 where it does not say."""
    from huggingface_hub import HfApi

    try:
        said = HfApi().model_info(name, timeout=10).safetensors
    except Exception:  # noqa: BLE001  the Hub's HTTP library, and so its errors, differ by version
        return 0
    return int(said.total) if said else 0
