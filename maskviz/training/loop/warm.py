"""What every run needs, imported once by the process that runs are forked from."""

from __future__ import annotations

from contextlib import suppress

_WARM = (
    "pandas",
    "transformers.models.auto.modeling_auto",
    "transformers.models.bert.modeling_bert",
    "transformers.models.modernbert.modeling_modernbert",
    "maskviz.models",
    *(f"maskviz.training.data.{name}" for name in ("collating", "masking")),
    "maskviz.training.machine.device",
    *(f"maskviz.training.model.{name}" for name in ("card", "hooks", "network")),
    *(
        f"maskviz.training.loop.{name}"
        for name in ("assemble", "execute", "metrics", "pacer", "result", "trainer")
    ),
)


def warm_up() -> None:
    """Import what training needs, and touch no tensor."""
    from importlib import import_module
    from importlib.util import find_spec

    from ...masks import STRATEGIES

    for name in _WARM:
        import_module(name)
    if find_spec("spacy"):  # a strategy may need it
        _warm_pipeline()
    list(STRATEGIES)
    _warm_model()


def _warm_pipeline() -> None:
    """Load the pipeline, and let it read a text: what it loads at its first is here then."""
    from ...masks import mask
    from ...text.document import Document
    from ...text.pipelines import BUNDLED
    from ...text.together import annotate_together

    document = Document("Ada Lovelace, 36, came to London.", BUNDLED)
    annotate_together([document])
    mask(document, "attribute")


def _warm_model() -> None:
    """Read the bundled model's tokenizer and settings; a run that tunes another reads its own."""
    from ...errors import ModelError
    from ...models import load_model

    with suppress(ModelError):  # a server's list may leave it out
        load_model()
