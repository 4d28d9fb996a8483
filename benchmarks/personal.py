"""What `pii` hides of a public set of made-up texts, kind by kind, beside plain Presidio.

    python benchmarks/personal.py --data synth_dataset_v2.json [--pipeline NAME] [--json]

The set is `data/synth_dataset_v2.json` of presidio-research (MIT), 1,500 texts whose personal data
are marked; it comes with the source archive of the package `presidio-evaluator`. Both read with the
same spaCy pipeline; Presidio as it is on its own, at its threshold (every hit) and at ours. A
marked span counts where every letter and digit of it is hidden. Street addresses come in parts
there; those that touch count once more as one.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from maskviz.masks import mask
from maskviz.text.document import Document
from maskviz.text.pipelines import BUNDLED, load_pipeline

Marked = tuple[int, int, str]
_STREET = "STREET_ADDRESS"
_OURS = 0.4


def main() -> None:
    """Print the figures."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--pipeline", default=BUNDLED)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    found = measured(json.loads(given.data.read_text("utf-8")), given.pipeline)
    print(json.dumps(found, indent=1) if given.json else "\n".join(lines(found)))


def lines(found: dict[str, dict[str, int]]) -> Iterator[str]:
    """Yield a line for each kind."""
    yield f"{'':24}{'marked':>8}{'Presidio':>10}{'at 0.4':>8}{'maskviz':>9}"
    for kind, n in found.items():
        yield (
            f"{kind:24}{n['marked']:>8}{n['presidio']:>10}{n['presidio at 0.4']:>8}"
            f"{n['maskviz']:>9}{'  less' * (n['maskviz'] < n['presidio'])}"
        )


def measured(rows: Iterable[dict[str, Any]], pipeline: str) -> dict[str, dict[str, int]]:
    """Return kind → how many are marked, and how many each hides whole."""
    analyser = plain_presidio(pipeline)
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        text = row["full_text"]
        hits = [(h.start, h.end, h.score) for h in analyser.analyze(text, "en")]
        hidden = {
            "presidio": {i for a, b, _ in hits for i in range(a, b)},
            "presidio at 0.4": {i for a, b, s in hits if s >= _OURS for i in range(a, b)},
            "maskviz": mask(Document(text, pipeline), "pii").characters,
        }
        for start, end, kind in (*marked(row), *whole_addresses(row)):
            letters = {i for i in range(start, end) if text[i].isalnum()}
            counted[kind].update(marked=1, **{n: letters <= c for n, c in hidden.items()})
    return {kind: dict(counts) for kind, counts in sorted(counted.items())}


def marked(row: dict[str, Any]) -> list[Marked]:
    """Return what is marked in a text, in order."""
    spans = ((s["start_position"], s["end_position"], s["entity_type"]) for s in row["spans"])
    return sorted(spans)


def whole_addresses(row: dict[str, Any]) -> list[Marked]:
    """Return street addresses, those as one between which no letter or digit stands."""
    joined: list[Marked] = []
    for start, end, _ in (span for span in marked(row) if span[2] == _STREET):
        between = row["full_text"][joined[-1][1] : start] if joined else "-"
        if joined and not any(map(str.isalnum, between)):
            joined[-1] = (joined[-1][0], end, f"{_STREET}, joined")
        else:
            joined.append((start, end, f"{_STREET}, joined"))
    return joined


def plain_presidio(pipeline: str) -> Any:
    """Return Presidio's analyser as it is, on a pipeline of ours; nothing is fetched."""
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": pipeline}])
    engine.nlp = {"en": load_pipeline(pipeline)}
    return AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])


if __name__ == "__main__":
    main()
