"""Character offsets for tokenizers that give none: those written in Python.

Such a tokenizer says what its pieces are, not where they stand. So the text is cut at its white
space, and each chunk's pieces are laid over the chunk alone: a piece that cannot be placed (an
unknown token) costs the offsets of its own chunk at most. Within a chunk both sides are compared
as tokenizers see them: decomposed (NFKD), case folded, without marks; pieces of raw bytes are
counted off against the chunk's UTF-8.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
# What tokenizers write around a piece: word starts, continuations, word ends.
_MARKERS = re.compile(r"^(?:##|▁+|Ġ+)|(?:@@|</w>|▁+)$")
Offset = tuple[int, int]
SHARES = "\0"


def pieces_of(tokenizer: Any, text: str) -> list[Offset]:
    """Return the (start, end) of each piece that `tokenizer.tokenize(text)` gives, in order.

    Pieces that share a character share its offsets; one that stands for nothing is empty.
    """
    whole = list(tokenizer.tokenize(text))
    chunks = [(m.start(), m.group()) for m in re.finditer(r"\S+", text)]
    for space in ("", " "):  # byte-level pieces hold the space before a word
        apart = [
            list(tokenizer.tokenize(chunk if start == 0 else space + chunk))
            for start, chunk in chunks
        ]
        if [piece for pieces in apart for piece in pieces] == whole:
            return [
                offset
                for (start, chunk), pieces in zip(chunks, apart, strict=True)
                for offset in _laid_over(tokenizer, pieces, chunk, start)
            ]
    return _laid_over(tokenizer, whole, text, 0)


def _laid_over(tokenizer: Any, pieces: list[str], chunk: str, base: int) -> list[Offset]:
    counted = _by_bytes(tokenizer, pieces, chunk)
    found = counted if counted is not None else _by_characters(tokenizer, pieces, chunk)
    return [(base + start, base + end) for start, end in found]


def _by_bytes(tokenizer: Any, pieces: list[str], chunk: str) -> list[Offset] | None:
    """Count the pieces off against the chunk's bytes, None where they are not its bytes."""
    table = getattr(tokenizer, "byte_decoder", None)
    try:
        raw = [bytes(table[c] for c in p) if table else p.encode("latin-1") for p in pieces]
    except (KeyError, UnicodeEncodeError):
        return None
    if b"".join(raw) != chunk.encode():
        return None
    owner = [i for i, character in enumerate(chunk) for _ in character.encode()]
    offsets, at = [], 0
    for piece in raw:
        end = at + len(piece)
        offsets.append((owner[at], owner[end - 1] + 1) if piece else (0, 0))
        at = end
    return offsets


def _by_characters(tokenizer: Any, pieces: list[str], chunk: str) -> list[Offset]:
    """Place each piece at its next occurrence; what lies between belongs to those unplaced."""
    seen = [(c, i) for i, original in enumerate(chunk) for c in _folded(original)]
    text = "".join(c for c, _ in seen)
    spans: list[Offset | None] = []
    at, unplaced = 0, False
    for wanted in _wanted(tokenizer, pieces):
        if wanted is SHARES:
            spans.append(spans[-1] if spans else (0, 0))
            continue
        place = -1 if wanted is None else text.find(wanted, at)
        passed = text[at:place] if place >= 0 else ""
        # With nothing unknown before it a piece stands right here, dropped punctuation aside.
        if wanted is None or place < 0 or (any(map(str.isalnum, passed)) and not unplaced):
            spans.append(None)
            unplaced = True
            continue
        at, unplaced = place + len(wanted), unplaced and not wanted
        spans.append((place, at))
    return [_characters(chunk, seen, span) for span in _filled(spans, len(seen))]


def _wanted(tokenizer: Any, pieces: list[str]) -> list[str | None]:
    """Return what each piece looks like in a folded text.

    None where it cannot be told, SHARES where it stands where the piece before it does.
    """
    wanted: list[str | None] = []
    for piece, byte in zip(pieces, _decoded(pieces), strict=True):
        bare = _MARKERS.sub("", piece)
        if byte is not None:
            wanted.append(byte if byte in (SHARES, "") else "".join(_folded(byte)))
        elif piece == tokenizer.unk_token:
            wanted.append(None)
        elif bare and all(map(unicodedata.combining, bare)):
            wanted.append(SHARES)
        else:
            wanted.append("".join(_folded(bare)))
    return wanted


def _decoded(pieces: list[str]) -> list[str | None]:
    """Return the character that begins with each byte piece, SHARES for its other bytes."""
    found: list[str | None] = [None] * len(pieces)
    raw = [_BYTE.fullmatch(piece) for piece in pieces]
    k = 0
    while k < len(pieces):
        run = k
        while run < len(pieces) and raw[run]:
            run += 1
        if run == k:
            k += 1
            continue
        data = bytes(int(match[1], 16) for match in raw[k:run] if match)
        for character in data.decode("utf-8", errors="ignore"):
            size = len(character.encode())
            found[k : k + size] = [character, *[SHARES] * (size - 1)]
            k += size
        k = run
    return found


def _folded(text: str) -> list[str]:
    """Return the characters as tokenizers compare them; marks and white space fall away."""
    decomposed = unicodedata.normalize("NFKD", text.replace("▁", " ")).casefold()
    return [c for c in decomposed if not unicodedata.combining(c) and not c.isspace()]


def _filled(spans: list[Offset | None], length: int) -> list[Offset]:
    """Give each run of unplaced pieces what lies between its neighbours: a character each
    where the numbers agree, otherwise all of it to each.
    """
    filled: list[Offset] = []
    k = 0
    while k < len(spans):
        run = k
        while run < len(spans) and spans[run] is None:
            run += 1
        if run == k:
            filled.append(spans[k] or (0, 0))
            k += 1
            continue
        before = max((end for _, end in filled), default=0)
        after = next((span[0] for span in spans[run:] if span), length)
        one_each = after - before == run - k
        filled += [
            (before + i, before + i + 1) if one_each else (before, after) for i in range(run - k)
        ]
        k = run
    return filled


def _characters(chunk: str, seen: list[tuple[str, int]], span: Offset) -> Offset:
    start, end = span
    if start >= end:
        return (0, 0)
    last = seen[end - 1][1] + 1
    while last < len(chunk) and unicodedata.combining(chunk[last]):
        last += 1
    return (seen[start][1], last)
