"""The simplified form of each traditional character, by which Chinese is cut into words.

    pip install --no-deps opencc-python-reimplemented==0.1.7 jieba==0.42.1
    python recipes/simplified.py

From OpenCC's `TSCharacters.txt` (Apache-2.0), the first form of each character whose simplified one
stands in jieba's dictionary: jieba knows few words in traditional characters. Written:
`maskviz/text/languages/simplified.txt`, a line of pairs for each simplified character.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

OUT = Path(__file__).parents[1] / "maskviz" / "text" / "languages" / "simplified.txt"
HEAD = """# Simplified character, then the traditional ones that are written so there.
# From OpenCC (https://github.com/BYVoid/OpenCC, Apache-2.0), by recipes/simplified.py.
"""


def main() -> None:
    known = set(_of("jieba", "dict.txt"))
    forms = defaultdict(list)
    for line in _of("opencc", "dictionary/TSCharacters.txt").splitlines():
        traditional, simplified = line.split("\t")
        first = simplified.split(" ")[0]
        if len(traditional) == len(first) == 1 and traditional != first and first in known:
            forms[first].append(traditional)
    lines = [one + "".join(others) for one, others in sorted(forms.items())]
    OUT.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def _of(package: str, name: str) -> str:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        sys.exit(f"{package} is not installed: see above.")
    return (Path(spec.origin).parent / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    main()
