"""Data sets of the Hugging Face Hub, read as the Parquet files that the Hub keeps of each.

`hub:NAME[:SPLIT]` or `hub:NAME[:CONFIG]:SPLIT` names one, such as `hub:stanfordnlp/imdb:test`. The
files come from the branch `refs/convert/parquet`; no code of the data set's own is run.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import DataError

PREFIX = "hub:"
_BRANCH = "refs/convert/parquet"


def resolve(source: str) -> str | Path:
    """Return the path of a file, or of the downloaded Parquet file of `hub:…`.

    Raises DataError, with what there is, where there is no such data set or split.
    """
    if not source.startswith(PREFIX):
        return source
    name, *chosen = source.removeprefix(PREFIX).split(":")
    if not name or len(chosen) > 2:
        raise DataError(
            f"The data set {source[:80]!r} cannot be read: write such as hub:stanfordnlp/imdb:test."
        )
    files = _files(name)
    return _download(name, _pick(name, files, chosen))


def _files(name: str) -> list[str]:
    """Return the Parquet files of a data set: of the Hub, or without a network what is cached."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        info = HfApi().dataset_info(name, revision=_BRANCH, timeout=10)
    except GatedRepoError:
        raise _gated(name) from None
    except RevisionNotFoundError:
        return []
    except (RepositoryNotFoundError, HFValidationError):
        raise DataError(
            f"There is no data set {name[:80]!r} on the Hub: check its name, or give a file."
        ) from None
    except Exception as error:  # noqa: BLE001  the Hub's HTTP library, and so its errors, differ by version
        if cached := _cached(name):
            return cached
        raise DataError(
            f"The data set {name[:80]!r} is not on this machine and the Hub cannot be reached "
            f"({type(error).__name__}): check your network, or give a file."
        ) from None
    names = (file.rfilename for file in info.siblings or ())
    return sorted(file for file in names if file.endswith(".parquet"))


def _cached(name: str) -> list[str]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(name, repo_type="dataset", revision=_BRANCH, local_files_only=True)
        )
    except LocalEntryNotFoundError:
        return []
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet"))


def _gated(name: str) -> DataError:
    return DataError(
        f"The data set {name[:80]!r} on the Hub is gated: accept its terms there, run 'hf auth "
        "login', then try again."
    )


def _pick(name: str, files: list[str], chosen: list[str]) -> str:
    """Return the first file of the split (config/split/0000.parquet); the first of all without."""
    splits = {"/".join(file.split("/")[:2]): file for file in reversed(files)}
    wanted = [s for s in splits if all(part in s.split("/") for part in chosen)]
    if not wanted:
        known = ", ".join(sorted(s.replace("/", ":") for s in splits)[:12]) or "none as Parquet"
        raise DataError(
            f"The data set {name!r} has no split {':'.join(chosen)!r}: choose one of {known}."
        )
    return splits[sorted(wanted)[0]]


def _download(name: str, file: str) -> Path:
    """Return the path of a file of a data set; one that is cached is not asked for again."""
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import GatedRepoError

    cached = try_to_load_from_cache(name, file, repo_type="dataset", revision=_BRANCH)
    if isinstance(cached, str):
        return Path(cached)
    try:
        return Path(hf_hub_download(name, file, repo_type="dataset", revision=_BRANCH))
    except GatedRepoError:
        raise _gated(name) from None
    except Exception as error:  # noqa: BLE001  as above
        raise DataError(
            f"The file {file!r} of the data set {name!r} cannot be fetched "
            f"({type(error).__name__}): check your network."
        ) from None
