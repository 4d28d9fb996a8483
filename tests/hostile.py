"""What a hostile visitor writes and uploads, and how a page shows that none of it did anything."""

from __future__ import annotations

import csv
import io
import json
import struct
import zlib

PARTS = (
    "</script><script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=2>",
    "<svg onload=window.pwned=3><a href='javascript:window.pwned=4'>Bob</a></svg>",
    "[Anna](javascript:window.pwned=5) ![x](x:y) :material/home: $\\href{javascript:x}{y}$",
    "\u202edrowkcab\u202c \u2066isolated\u2069 null\x00byte \x07 \ufeff",
    "${window.pwned=6} {{constructor.constructor('window.pwned=7')()}} %3Cscript%3E",
    "👩‍👩‍👧‍👦🏳️‍🌈" * 5,
)
HOSTILE = " . ".join(PARTS)
LINE = (f"{HOSTILE} . " * 3000)[:1_000_000]
NAME = "<img src=x onerror=window.pwned=8>\u202e</script>"  # of a file, a column, a label, a run


def unharmed(page) -> None:
    """Nothing ran, nothing became an element of the page, and no page fell over."""
    assert page.evaluate("window.pwned") is None
    assert page.locator("img[src=x], svg[onload], a[href^=javascript]").count() == 0
    assert page.locator("[data-testid=stException]").count() == 0


def upload(name: str, content: bytes | str) -> dict[str, object]:
    """Return a file as Playwright uploads it."""
    content = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def table(rows: int, labels: tuple[str, str] = ("<b>0</b>", NAME)) -> str:
    """Return a CSV whose column names, labels and texts are hostile."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow([f"text {NAME}", f"label {NAME}", "=cmd|' /C calc'!A0"])
    for i in range(rows):
        writer.writerow([f"{PARTS[i % len(PARTS)]} a dull film {i}", labels[i % 2], PARTS[0]])
    return stream.getvalue().translate({0: None, 7: None})  # with them it is no table but binary


def saved_mask() -> str:
    """Return a mask as JSON whose text, strategy, reasons and labels are hostile."""
    spans = [{"start": 0, "end": 9, "reason": f"{NAME}\ud800", "label": NAME, "score": 1e308}]
    return json.dumps(
        {"text": HOSTILE, "spans": spans, "strategy": f"{NAME}\udfff", "parameters": {NAME: [NAME]}}
    )


def marked_texts() -> str:
    """Return JSON Lines with marked words, hostile, and half a surrogate pair."""
    row = {"text": f"{PARTS[1]} a dull film", NAME: "\ud800", "evidence": [[0, 4]]}
    return "\n".join(json.dumps(row) for _ in range(3))


def png(width: int, height: int, *chunks: tuple[bytes, bytes], data: bytes = b"") -> bytes:
    """Return a grey PNG of a claimed size, with chunks of one's own before its data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        sum_ = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", sum_)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(data or bytes(height * (width + 1)), 9)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", body), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


_NO_PICTURE = "The upload is no PNG, JPEG or WebP picture"
PICTURES = {  # name → content, and what the page says of it
    "svg.png": (
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='window.pwned=9'></svg>", _NO_PICTURE,
    ),
    "wide.png": (png(9_000, 9_000, data=b"\x00" * 100), "give one of at most 50 million"),
    "bomb.png": (
        png(8, 8, (b"zTXt", b"note\x00\x00" + zlib.compress(b"a" * 80_000_000, 9))), _NO_PICTURE,
    ),
    "torn.png": (png(8, 8)[:48], _NO_PICTURE),
    f"{NAME}.png": (png(8, 8, (b"tEXt", b"Comment\x00" + NAME.encode())), "Hiding 4 of 16 patches"),
}  # fmt: skip
