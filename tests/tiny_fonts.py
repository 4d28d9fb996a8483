"""A font of squares with the characters a test asks for: none is installed for it."""

from __future__ import annotations

from pathlib import Path


def write_font(path: Path, family: str, characters: str) -> str:
    """Write a font in which each character is the same square."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    for step, place in enumerate([(100, 0), (100, 700), (600, 700), (600, 0)]):
        (pen.lineTo if step else pen.moveTo)(place)
    pen.closePath()
    square = pen.glyph()
    names = {ord(c): f"uni{ord(c):05X}" for c in dict.fromkeys(characters)}
    order = [".notdef", *names.values()]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(names)
    builder.setupGlyf(dict.fromkeys(order, square))
    builder.setupHorizontalMetrics(dict.fromkeys(order, (700, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable(
        {"familyName": family, "styleName": "Regular", "psName": family.replace(" ", "")}
    )
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return str(path)
