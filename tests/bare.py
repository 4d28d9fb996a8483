"""Run as a script: train where streamlit, plotly, spaCy and SQLAlchemy are not installed.

    PYTHONPATH=. python tests/bare.py

It prints the versions, the shape of a capture, and what each run reached. A bare GPU machine has
torch, transformers, accelerate and pandas. The libraries it lacks are hidden here from the import
system itself, so that asking whether they are there says no, too.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from tempfile import TemporaryDirectory

ABSENT = {"streamlit", "plotly", "spacy", "thinc", "sqlalchemy", "platformdirs", "altair"}


class Bare(PathFinder):
    """Finds modules as Python does, but for those that are absent."""

    @classmethod
    def find_spec(cls, fullname: str, path=None, target=None) -> ModuleSpec | None:
        if fullname.partition(".")[0] in ABSENT:
            return None
        return PathFinder.find_spec(fullname, path, target)


SPEC = """
task = "{task}"
model = "{model}"
device = "auto"
data = {{path = "rows.csv", text_column = "text", label_column = "label", target_column = "text"}}
masking = {{strategy = "random"}}
training = {{max_steps = 2, max_length = 32, max_target_length = 8}}
"""
MODELS = {"classification": "mini", "mlm": "mini", "seq2seq": "mini-translate"}


def main() -> None:
    """Mask, capture, and train each task on a bundled model from a spec file."""
    sys.meta_path = [Bare if finder is PathFinder else finder for finder in sys.meta_path]
    import torch
    import transformers

    import maskviz
    from maskviz.data import make_example
    from maskviz.errors import MissingDependencyError

    print(
        sys.version.split()[0], "torch", torch.__version__, "transformers", transformers.__version__
    )
    mask = maskviz.mask("Anna loved the film.", "span")
    print(mask.masked_text(), maskviz.attend(mask).weights.shape)
    states = []
    with TemporaryDirectory() as name:
        spec = Path(name) / "spec.toml"
        make_example(40)[["text", "label"]].to_csv(spec.with_name("rows.csv"), index=False)
        for task, model in MODELS.items():
            spec.write_text(SPEC.format(task=task, model=model))
            run = maskviz.train(spec)
            states.append(run.state)
            print(task, run.state, run.device, run.reason, dict(run.metrics))
        for needs in ({"strategy": "entity"}, {"matrix": "same-sentence"}):
            try:
                maskviz.train(spec, **needs)
            except MissingDependencyError as error:
                states.append("done")
                print(error)
    absent = not ABSENT & set(sys.modules)
    sys.exit(states != ["done"] * 5 or not absent)


if __name__ == "__main__":
    main()
