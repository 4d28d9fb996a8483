"""Words of scripts that are written without spaces, by the segmenter of the language.

Chinese by jieba (https://github.com/fxsjy/jieba, extra `zh`), Japanese by SudachiPy (extra `ja`,
mode C: names whole), Thai by pythainlp's newmm (extra `th`), where they are installed; else each
character that a person sees is a word. A segmenter is loaded at its first text. It is handed runs
of its own script: letters and digits stand apart, since jieba cuts "Müller" at the ü. Each has its
own dictionary, which `jieba.add_word` elsewhere does not change. To jieba a text in traditional
characters is handed in simplified ones, letter for letter, since its dictionary is of these; and a
number stands apart from its measure word (两|次), as dictionaries have them.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

from ...paths import home

_PACKAGES = {
    "zh": (("jieba",), "maskviz[zh]"),
    "ja": (("sudachipy", "sudachidict_core"), "maskviz[ja]"),
    "th": (("pythainlp",), "maskviz[th]"),
}
_UNCUT = {"lo": "Lao", "km": "Khmer", "my": "Burmese"}
_NUMBERS = frozenset("一二两兩三四五六七八九十几幾半")
_THIS = frozenset("这那哪某该該這")
_OF_TIME = frozenset("年天周岁歲秒个個")  # 这个, 那天 are words
_MEASURES = _OF_TIME | frozenset(
    "位名家次遍间間张張条條本件只隻匹头頭颗顆粒块塊片座栋棟层層楼樓辆輛架艘台臺部篇首句页頁章册冊份套双雙"
    "对對副群批种種类類项項届屆期杯碗瓶盘盤盒箱包袋桶枚扇门門所支枝根把顿頓趟回声聲场場步"
)
_PIECE = 8000  # characters: SudachiPy reads 49,149 bytes at a time
_lock = Lock()


def cut(run: str, language: str) -> list[int] | None:
    """Return where the words of a run end, None where no segmenter of the language is installed.

    >>> cut("我喜欢电影", "zh")
    [1, 3, 5]
    """
    if language not in _PACKAGES or not _installed(language):
        return None
    with _lock:  # they are made for one thread at a time
        return list(_CUTTERS[language](run))


def missing(language: str | None) -> str:
    """Return the sentence that says how words of a language are found, "" where they are.

    >>> missing("en")
    ''
    """
    if language in _UNCUT:
        return f"Each character counts as a word: no segmenter of {_UNCUT[language]} is known here."
    if language not in _PACKAGES or _installed(language):
        return ""
    packages, extra = _PACKAGES[language]
    name = {"zh": "Chinese", "ja": "Japanese", "th": "Thai"}[language]
    return (
        f"Each character counts as a word: for the words of {name} run 'pip install {extra}' "
        f"({' and '.join(packages)})."
    )


@lru_cache(maxsize=8)
def _installed(language: str) -> bool:
    return all(find_spec(package) is not None for package in _PACKAGES[language][0])


def _jieba(run: str) -> Iterator[int]:
    end = 0
    for word in _jieba_tokenizer().cut(run.translate(_simplified())):
        end += len(word)
        if len(word) > 1 and _is_measured(word[:-1], word[-1]):
            yield end - 1
        yield end


def _is_measured(before: str, last: str) -> bool:
    if last not in _MEASURES:
        return False
    return _NUMBERS.issuperset(before) or (before in _THIS and last not in _OF_TIME)


@lru_cache(maxsize=1)
def _simplified() -> dict[int, str]:
    lines = Path(__file__).with_name("simplified.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line for line in lines if not line.startswith("#"))
    return {ord(other): line[0] for line in pairs for other in line[1:]}


@lru_cache(maxsize=1)
def _jieba_tokenizer() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # setuptools warns of what jieba asks it for
        import jieba
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    # As `initialize` does, but for the cache that it keeps where everybody may write.
    with (Path(jieba.__file__).parent / "dict.txt").open("rb") as words:
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(words)
    tokenizer.initialized = True
    return tokenizer


def _sudachi(run: str) -> Iterator[int]:
    tokenizer, mode = _sudachi_tokenizer()
    for start in range(0, len(run), _PIECE):
        for word in tokenizer.tokenize(run[start : start + _PIECE], mode):
            yield start + word.end()


@lru_cache(maxsize=1)
def _sudachi_tokenizer() -> tuple[Any, Any]:
    from sudachipy import Dictionary, SplitMode

    return Dictionary(dict="core").tokenizer(), SplitMode.C


def _newmm(run: str) -> Iterator[int]:
    end = 0
    for word in _newmm_segment()(run):
        end += len(word)
        yield end


@lru_cache(maxsize=1)
def _newmm_segment() -> Callable[[str], list[str]]:
    if "PYTHAINLP_DATA_DIR" not in os.environ:  # else it makes a folder in the user's own home
        os.environ.setdefault("PYTHAINLP_DATA", str(home() / "pythainlp"))
    from pythainlp.tokenize.newmm import segment

    return segment


_CUTTERS: dict[str, Callable[[str], Iterator[int]]] = {
    "zh": _jieba,
    "ja": _sudachi,
    "th": _newmm,
}
