"""Print the figures of the bundled models: `python recipes/evaluate.py --data DIR [--json]`.

How each figure is counted stands at the top of score_mini.py and score_en_mini.py. Hidden words
are 15 % of the whole words of a text; recovery is counted over the tokens of these words.
Intervals are 95 % bootstrap intervals over texts (1,000 resamples, seed 0).
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from score_common import Figure

ASSETS = Path(__file__).resolve().parent.parent / "maskviz" / "assets"


def arguments() -> argparse.Namespace:
    """Command line of the evaluation."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("MASKVIZ_DATA", "data")
    parser.add_argument("--data", type=Path, default=Path(data), help="folder of parquet files")
    parser.add_argument("--assets", type=Path, default=ASSETS)
    parser.add_argument("--only", choices=["mini", "en_mini"], help="one model alone")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    return parser.parse_args()


def figures(options: argparse.Namespace) -> list[Figure]:
    """The figures of the models asked for."""
    found: list[Figure] = []
    if options.only != "en_mini":
        from score_mini import mini_figures

        found += mini_figures(options.assets / "mini", options.data)
    if options.only != "mini":
        from score_en_mini import en_mini_figures

        found += en_mini_figures(options.assets / "en_mini", options.data)
    return found


def main() -> None:
    """Print the table or the JSON document."""
    options = arguments()
    found = figures(options)
    if options.json:
        print(json.dumps([figure.as_dict() for figure in found], indent=2))
        return
    print("figure (%), 95 % interval, units")
    for figure in found:
        print(figure.as_line())


if __name__ == "__main__":
    main()
