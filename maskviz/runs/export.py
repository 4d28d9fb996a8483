"""A tuned model taken away: copied to a folder, packed for a download, or pushed to the Hub."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
import uuid
import zipfile
from pathlib import Path

from ..errors import ParameterError, RunError
from ..training.folder import Run
from ..training.loop.script import write_script
from .service import load_run

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+|[\w.-]+")


def export(run_id: str, folder: str | Path, *, adapter: bool = False) -> Path:
    """Copy the tuned model to a new folder, whole or not at all; return it.

    Weights (safetensors), settings, tokenizer and model card: what `from_pretrained` of
    transformers loads. Of a LoRA run `adapter` takes the small matrices alone, which
    `PeftModel.from_pretrained(base, folder)` loads. Raises RunError, ParameterError where the
    folder is there already.
    """
    source = _taken(load_run(run_id), adapter)
    target = Path(folder).expanduser().absolute()
    if target.exists():
        raise ParameterError(f"{target.name!r} is there already: name a new folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        shutil.copytree(source, staged)
        staged.rename(target)
    except OSError as error:
        raise RunError(
            f"The model cannot be written to {target.name!r} ({error.strerror}): choose another "
            "folder or make room."
        ) from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return target


def packed(run_id: str, *, adapter: bool = False) -> bytes:
    """Return what `export` copies as one ZIP archive with a folder of the run's name."""
    run = load_run(run_id)
    source = _taken(run, adapter)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:  # weights hardly shrink
        for path in sorted(p for p in source.rglob("*") if p.is_file()):
            archive.write(path, f"{run.id}/{path.relative_to(source)}")
    return content.getvalue()


def script_packed(run: Run) -> tuple[bytes, str]:
    """Return a run as a script with its batches, one ZIP archive, and the script's text."""
    with tempfile.TemporaryDirectory(prefix="maskviz-") as scratch:
        folder = write_script(run.spec, Path(scratch) / "script", run.id)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                archive.write(path, f"{run.id}-script/{path.relative_to(folder)}")
        return content.getvalue(), (folder / "train.py").read_text(encoding="utf-8")


def push(run_id: str, repository: str, *, private: bool = True, adapter: bool = False) -> str:
    """Push what `export` copies to the Hugging Face Hub, with this machine's login; return its URL.

    A new repository is private unless said otherwise. Raises RunError with what to do.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise ParameterError(
            f"{repository[:60]!r} names no repository: write it as user/name, such as me/my-model."
        )
    source = _taken(load_run(run_id), adapter)
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        made = api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(repo_id=made.repo_id, folder_path=source)
    except Exception as error:  # noqa: BLE001  the Hub's HTTP library, and so its errors, differ by version
        raise RunError(f"The model cannot be pushed to {repository!r}: {_why(error)}") from None
    return str(made)


def _why(error: Exception) -> str:
    """Return why the Hub took nothing, and what to do."""
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled

    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, LocalTokenNotFoundError) or status in (401, 403):
        return "the Hub does not accept this machine's login: run 'hf auth login'."
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set: unset it first."
    if isinstance(error, (HfHubHTTPError, ValueError)):
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return f"the Hub refuses it ({first[:120]}): check its name."
    return f"the Hub cannot be reached ({type(error).__name__}): check the network."


def _taken(run: Run, adapter: bool) -> Path:
    """Return the folder that is taken away: the whole model, or LoRA's matrices alone."""
    if run.model_path is None or run.state != "done":
        raise RunError(f"The run {run.id!r} is {run.state}: only one that is done has a model.")
    if not adapter:
        return run.model_path
    if run.adapter_path is None:
        raise RunError(
            f"The run {run.id!r} has no adapter: tune one with lora_r above 0, or take the model."
        )
    return run.adapter_path
