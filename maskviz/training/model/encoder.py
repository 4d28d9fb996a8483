"""A model's pretrained encoder alone: what a fine-tune of another task starts from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import CapabilityError


def without_classifier(model: str, folder: Path) -> Path:
    """Return a folder that holds the model without its classifier, written into `folder`.

    A classifier tuned from there gets a head drawn with the run's seed, whatever the model knew of
    the task. A model that has no classifier is what it is: its own folder is returned. A folder
    that is complete is left as it is. Raises CapabilityError for a classifier alone, whose encoder
    was tuned with it.
    """
    from ...models import load_model

    if (folder / "config.json").is_file():
        return folder
    loaded = load_model(model)
    if "classify" not in loaded.capabilities:
        return Path(loaded.path)
    if "fill" not in loaded.capabilities:
        raise CapabilityError(
            f"The model {model!r} is a classifier alone, and its encoder was tuned with it: choose "
            "'mini', another masked language model, or the encoder it was tuned from."
        )
    staged = folder.with_name(f".{folder.name}")
    shutil.rmtree(staged, ignore_errors=True)
    with without_bars():
        loaded.network("fill").save_pretrained(staged)
    loaded.tokenizer.save_pretrained(staged)
    staged.rename(folder)
    return folder


@contextmanager
def without_bars() -> Iterator[None]:
    """Load or write without transformers' progress bar."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
