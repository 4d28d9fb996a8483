"""Run as a script: train where streamlit, plotly, spaCy and SQLAlchemy are not installed.

    python tests/bare.py        prints the versions, the shape of a capture and the run's figures

A bare GPU machine has torch, transformers, accelerate and pandas. The libraries it lacks are
hidden here from the import system itself, so that asking whether they are there says no, too.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder

ABSENT = {"streamlit", "plotly", "spacy", "thinc", "sqlalchemy", "platformdirs", "altair"}


class Bare(PathFinder):
    """Finds modules as Python does, but for those that are absent."""

    @classmethod
    def find_spec(cls, fullname: str, path=None, target=None) -> ModuleSpec | None:
        if fullname.partition(".")[0] in ABSENT:
            return None
        return PathFinder.find_spec(fullname, path, target)


def main() -> None:
    """Mask, capture and train on the bundled model."""
    sys.meta_path = [Bare if finder is PathFinder else finder for finder in sys.meta_path]
    import torch
    import transformers

    import maskviz

    print(
        sys.version.split()[0], "torch", torch.__version__, "transformers", transformers.__version__
    )
    mask = maskviz.mask("Anna loved the film.", "span")
    print(mask.masked_text(), maskviz.attend(mask).weights.shape)
    run = maskviz.train(strategy="random", max_steps=3, max_rows=100)
    print(run.state, run.reason, dict(run.metrics))
    sys.exit(run.state != "done" or bool(ABSENT & set(sys.modules)))


if __name__ == "__main__":
    main()
