"""Print the figures of the bundled models: `python recipes/evaluate.py --data DIR [--json]`.

How each figure is counted stands at the top of score_mini.py, score_en_mini.py,
score_translate.py, score_chat.py and score_summaries.py. Hidden words are 15 % of the whole words
of a text; recovery is counted over the tokens of these words. Intervals are 95 % bootstrap
intervals over texts (1,000 resamples, seed 0).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from score_common import Figure

PARTS = ("mini", "en_mini", "mini-translate", "mini-chat", "summariser")
ASSETS = Path(__file__).resolve().parent.parent / "maskviz" / "assets"


def arguments() -> argparse.Namespace:
    """Command line of the evaluation."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("MASKVIZ_DATA", "data")
    parser.add_argument("--data", type=Path, default=Path(data), help="folder of parquet files")
    parser.add_argument("--assets", type=Path, default=ASSETS)
    parser.add_argument("--only", choices=PARTS, help="one of them alone")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    return parser.parse_args()


def figures(options: argparse.Namespace) -> list[Figure]:
    """The figures of the models asked for."""
    assets, data = options.assets, options.data
    wanted = [options.only] if options.only else PARTS
    found: list[Figure] = []
    if "mini" in wanted:
        from score_mini import mini_figures

        found += mini_figures(assets / "mini", data)
    if "en_mini" in wanted:
        from score_en_mini import en_mini_figures

        found += en_mini_figures(assets / "en_mini", data)
    if "mini-translate" in wanted:
        if (assets / "mini-translate" / "config.json").is_file():
            from score_translate import translate_figures

            found += translate_figures(assets / "mini-translate", data)
        else:
            print(f"no mini-translate in {assets}: see recipes/README.md", file=sys.stderr)
    if "mini-chat" in wanted:
        if (assets / "mini-chat" / "config.json").is_file():
            from score_chat import chat_figures

            found += chat_figures(assets / "mini-chat", data)
        else:
            print(f"no mini-chat in {assets}: see recipes/README.md", file=sys.stderr)
    if "summariser" in wanted:
        from score_summaries import summary_figures

        found += summary_figures(assets / "mini", data)
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
