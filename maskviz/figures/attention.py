"""Attention as files: .npz, .json, .html, .png, .svg and .pdf.

Weights map to colour by their square root, as on the page: a weight of 1 % stays visible.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..attention.capture import Attention
from ..attention.difference import arms
from ..attention.view import Axis, View, view
from ..errors import MissingDependencyError, ParameterError
from ..paths import write_atomic
from .fonts import in_unicode, set_fonts
from .theme import MASKED, PLAIN, as_text

Head = tuple[int, int]
_LARGEST_MAP = 96  # pixels of one map in a mosaic
_INK = "#2b3640"


def save_attention(
    attention: Attention,
    path: str | Path,
    *,
    head: Head | None = None,
    inches: float | None = None,
    plain: Attention | None = None,
) -> Path:
    """Write the attention of every head to a file; the ending chooses the format.

    .npz holds `weights` (layers, heads, tokens, tokens) float16, `tokens` and `layer_numbers`, the
    network's own, counted from 1 as on the page; .json the same with four decimals, .html a page
    that works offline, .png, .svg and .pdf a mosaic of all heads, or one `head` (layer, head), both
    counted from 0, the layer by the network's own number, `inches` wide. Raises ParameterError for
    another ending or width, and for a layer that computes no attention.

    >>> save_attention(attend("A short text."), "attention.npz")  # doctest: +SKIP
    """
    path = Path(path)
    title = f"Attention of {attention.model}"
    suffix = path.suffix.lower()
    beside = {} if plain is None else arms(plain, attention)
    shown = beside.get("masked") or view(attention)
    file = render(shown, suffix, title=title, head=head, inches=inches, beside=beside)
    write_atomic(path, file)
    return path


def render(
    shown: View,
    suffix: str,
    *,
    title: str,
    head: Head | None = None,
    inches: float | None = None,
    beside: Mapping[str, View] | None = None,
) -> bytes:
    """Return a view as the bytes of a file with this ending.

    beside: views by name that a page switches between, `shown` among them.

    >>> render(shown, ".gif", title="Attention")  # doctest: +SKIP
    Traceback (most recent call last):
    maskviz.errors.ParameterError: Attention cannot be written as '.gif': ...
    """
    if suffix not in FORMATS:
        raise ParameterError(
            f"Attention cannot be written as {suffix!r}: end the file's name in one of "
            f"{', '.join(FORMATS)}."
        )
    layers, heads = shown.weights.shape[:2]
    numbers = [shown.number(row) for row in range(layers)]
    if head is not None and not (0 <= head[0] <= numbers[-1] and 0 <= head[1] < heads):
        raise ParameterError(
            f"There is no layer {head[0] + 1}, head {head[1] + 1} ({head[0]} and {head[1]} counted "
            f"from 0): the model has {layers} layers of {heads} heads."
        )
    at = None if head is None else (shown.row(head[0]), head[1])
    if inches is not None and not 1 <= inches <= 40:
        raise ParameterError(f"The width is {inches} inches and must lie between 1 and 40.")
    if beside and suffix == ".html":
        from .page import attention_page

        first = next(name for name, own in beside.items() if own is shown)
        return attention_page(beside, title, at, first).encode()
    return FORMATS[suffix](shown, title, at, inches)


def _npz(shown: View, title: str, head: Head | None, inches: float | None) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        weights=_chosen(shown, head).astype(np.float16),
        tokens=np.array(shown.tokens, dtype=np.str_),
        keys=np.array(shown.columns.tokens, dtype=np.str_),
        hidden=np.array(shown.hidden),
        special=np.array(shown.special),
        layer_numbers=np.array(_numbers(shown, head)),
    )
    return buffer.getvalue()


def _json(shown: View, title: str, head: Head | None, inches: float | None) -> bytes:
    import numpy as np

    weights = np.round(_chosen(shown, head).astype(np.float64), 4)
    document = {
        "title": title,
        "signed": shown.signed,
        "tokens": list(shown.tokens),
        "keys": list(shown.columns.tokens),
        "method": shown.method,
        "hidden": [bool(flag) for flag in shown.hidden],
        "special": [bool(flag) for flag in shown.special],
        "layer_numbers": _numbers(shown, head),
        "shape": list(weights.shape),
        "weights": weights.tolist(),
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _chosen(shown: View, head: Head | None) -> Any:
    """Return all weights, or one head's as (1, 1, tokens, tokens)."""
    if head is None:
        return shown.weights
    layer, number = head
    return shown.weights[layer : layer + 1, number : number + 1]


def _numbers(shown: View, head: Head | None) -> list[int]:
    """Return the network's own number of each layer that is written, from 1."""
    written = shown.numbers if head is None else shown.numbers[head[0] : head[0] + 1]
    return [number + 1 for number in written]


def _html(shown: View, title: str, head: Head | None, inches: float | None) -> bytes:
    from .page import attention_page

    return attention_page(shown, title, head).encode()


def _image(kind: str) -> Callable[..., bytes]:
    def draw(shown: View, title: str, head: Head | None, inches: float | None) -> bytes:
        if head is None:
            figure = mosaic(shown, title, inches)
        else:
            figure = one_head(shown, *head, title, inches or 6.0)
        set_fonts(figure)
        buffer = io.BytesIO()
        # 42 embeds fonts as TrueType, which journals ask for; SVG draws its letters as outlines.
        with _matplotlib().rc_context({"pdf.fonttype": 42}):
            figure.savefig(buffer, format=kind, dpi=300)
        return buffer.getvalue()

    return draw


FORMATS: dict[str, Callable[..., bytes]] = {
    ".npz": _npz,
    ".json": _json,
    ".html": _html,
    ".png": _image("png"),
    ".svg": _image("svg"),
    ".pdf": _image("pdf"),
}


def _matplotlib() -> Any:
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingDependencyError(
            "Writing .png, .svg and .pdf needs matplotlib: pip install 'maskviz[figures]', "
            "or write .html, .npz or .json."
        ) from error
    return mpl


def mosaic(shown: View, title: str = "", inches: float | None = None) -> Any:
    """Return a matplotlib figure of all heads, layers down and heads across, `inches` wide."""
    import numpy as np

    _matplotlib()
    from matplotlib.figure import Figure

    layers, heads = shown.weights.shape[:2]
    picture, scale, step = _tiled(shown)
    width = inches or 7.0 * min(1.0, max(0.5, heads / 4))
    figure = Figure((width, width * layers / heads + 1.0), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(picture, interpolation="nearest")
    names = [f"H{h + 1}" for h in range(heads)] if shown.method == "raw" else [shown.method]
    axes.set_xticks((np.arange(heads) + 0.5) * step, names)
    rows = [f"L{shown.number(layer) + 1}" for layer in range(layers)]
    axes.set_yticks((np.arange(layers) + 0.5) * step, rows)
    axes.xaxis.tick_top()
    _plain_axes(axes, title)
    _colour_bar(figure, axes, shown, scale)
    return figure


def one_head(shown: View, layer: int, head: int, title: str = "", inches: float = 6.0) -> Any:
    """Return a matplotlib figure of one head with tokens on both axes; hidden ones are ink."""
    import numpy as np

    _matplotlib()
    from matplotlib.figure import Figure

    from .canvas import largest
    from .ramps import quantise, ramp

    weights = np.asarray(shown.weights[layer, head], np.float32)
    scale = largest(weights)
    height = inches * float(np.clip(weights.shape[0] / weights.shape[1], 0.4, 2)) + 0.6
    figure = Figure((inches, height), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(ramp(shown.signed)[quantise(weights, signed=shown.signed, scale=scale)])
    axes.xaxis.tick_top()  # before they are named: the labels of the other side are others
    if shown.from_right:
        axes.invert_xaxis()
        axes.yaxis.tick_right()
        axes.yaxis.set_label_position("right")
    _name_axis(axes.set_xticks, axes.get_xticklabels, shown.columns, rotation=90)
    _name_axis(axes.set_yticks, axes.get_yticklabels, shown.rows)
    _part_lines(axes, shown)
    axes.set_xlabel("attended to (key)")
    axes.xaxis.set_label_position("top")
    axes.set_ylabel("attends from (query)")
    place = f"layer {shown.number(layer) + 1}, head {head + 1}"
    if shown.method != "raw":
        place = f"{shown.method}, layer {shown.number(layer) + 1}"
    _plain_axes(axes, f"{title}, {place}".lstrip(", "))
    _colour_bar(figure, axes, shown, scale)
    return figure


def _name_axis(put: Any, labels: Any, axis: Axis, **options: Any) -> None:
    """Name at most 60 tokens of an axis; hidden ones are ink."""
    import numpy as np

    at = np.arange(0, len(axis), max(1, -(-len(axis) // 60)))
    size = float(np.clip(260 / max(len(at), 1), 4, 9))
    put(at, [_label(axis.tokens[i]) for i in at], fontsize=size, parse_math=False, **options)
    for label, i in zip(labels(), at, strict=True):
        if axis.hidden[i]:
            label.set(color="white", bbox={"facecolor": _INK, "pad": 1.2, "linewidth": 0})


def _part_lines(axes: Any, shown: View) -> None:
    """Set the parts apart, each with its name at the end of its axis where there is room."""
    from .canvas import blocks

    rows, columns = (blocks(a.segments, a.parts) for a in (shown.rows, shown.columns))
    for start, _, _ in rows[1:]:
        axes.axhline(start - 0.5, color=_INK, linewidth=1)
    for start, _, _ in columns[1:]:
        axes.axvline(start - 0.5, color=_INK, linewidth=1)
    last_row, last_column = len(shown.rows) - 0.4, len(shown.columns) - 0.4
    for start, end, name in rows:
        said = _room(name, (end - start) / len(shown.rows), 1)
        axes.text(last_column, (start + end - 1) / 2, said, fontsize=9, va="center")
    for start, end, name in columns:
        said = _room(name, (end - start) / len(shown.columns), len(name))
        axes.text((start + end - 1) / 2, last_row, said, fontsize=9, ha="center", va="top")


def _room(name: str, share: float, length: int) -> str:
    """Return the name of a part, its number alone, or nothing, by its share of an axis.

    >>> _room("12 assistant", 0.5, 12), _room("12 assistant", 0.05, 12), _room("A", 0.01, 1)
    ('12 assistant', '12', 'A')
    """
    if len(name) == 1 or share * 40 >= length:
        return name
    number = name.partition(" ")[0]
    return number if share * 40 >= min(length, len(number)) else ""


def _plain_axes(axes: Any, title: str) -> None:
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if title:
        axes.set_title(title, fontsize=11, parse_math=False)


def _tiled(shown: View, gap: int = 2) -> tuple[Any, float, int]:
    """Lay all maps side by side; return the picture (h, w, 3), its scale and the step of a map."""
    import numpy as np

    from .canvas import largest
    from .ramps import quantise, ramp

    layers, heads, rows, columns = shown.weights.shape
    scale = largest(shown.weights)
    repeat = max(1, _LARGEST_MAP // max(rows, columns, 1))
    tiles = [[_pooled(head) for head in layer] for layer in shown.drawn(shown.weights)]
    high, wide = (side * repeat for side in tiles[0][0].shape)
    step = max(high, wide) + gap * max(1, max(high, wide) // 48)
    picture = np.full((layers * step, heads * step, 3), 255, np.uint8)
    for i, row in enumerate(tiles):
        for j, tile in enumerate(row):
            cells = quantise(tile, signed=shown.signed, scale=scale)
            colours = ramp(shown.signed)[cells].repeat(repeat, 0).repeat(repeat, 1)
            picture[i * step : i * step + high, j * step : j * step + wide] = colours
    return picture, scale, step


def _pooled(weights: Any) -> Any:
    """Shrink a large map, keeping the strongest cell of each block: a mean would fade diagonals."""
    import numpy as np

    values = np.asarray(weights, np.float32)
    block = max(1, -(-max(values.shape) // _LARGEST_MAP))
    if block == 1:
        return values
    padded = np.pad(values, [(0, -side % block) for side in values.shape])
    high, wide = (side // block for side in padded.shape)
    blocks = padded.reshape(high, block, wide, block).swapaxes(1, 2).reshape(high, wide, -1)
    strongest = np.abs(blocks).argmax(-1)[..., None]
    return np.take_along_axis(blocks, strongest, -1)[..., 0]


def _colour_bar(figure: Any, axes: Any, shown: View, scale: float) -> None:
    """Draw the ramp with its numbers; ticks stand at the square root of their weight."""
    import numpy as np

    from .canvas import unit_of
    from .ramps import ramp

    signed = shown.signed
    entries = 255 if signed else 256
    inset = figure.colorbar(_mappable(ramp(signed)[:entries]), ax=axes, location="bottom",
                            shrink=0.5, aspect=30, pad=0.03)  # fmt: skip
    parts = np.array([-1, -0.25, 0, 0.25, 1] if signed else [0, 0.05, 0.2, 0.5, 1])
    roots = np.sign(parts) * np.sqrt(np.abs(parts))
    inset.set_ticks((roots + 1) / 2 if signed else roots)
    inset.set_ticklabels(
        [f"{100 * part * scale:{'+' if signed and part else ''}.3g}" for part in parts]
    )
    unit = "masked − plain, percentage points" if signed else "share of the query's attention, %"
    inset.set_label((unit_of(shown) or unit).rstrip("."), fontsize=9)
    inset.ax.tick_params(labelsize=8, length=2)
    inset.outline.set_linewidth(0.3)


def _mappable(table: Any) -> Any:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    return ScalarMappable(Normalize(0, 1), ListedColormap(table / 255))


def row_figure(weights: Any, keys: Axis, unit: str, most: int = 40) -> Any:
    """Return one query's row (keys,) as a bar for each token, in the order of the text.

    Of a long text the strongest `most` are drawn. unit: what the bars measure, in percent.
    """
    import numpy as np
    import plotly.graph_objects as go

    row = np.asarray(weights, np.float32)
    shown = sorted(np.argsort(-np.abs(row), kind="stable")[:most].tolist())
    names = [as_text(_label(keys.tokens[i])) for i in shown]
    figure = go.Figure(
        go.Bar(
            x=100 * row[shown], y=shown, orientation="h", customdata=names,
            marker_color=[MASKED if row[i] < 0 else PLAIN for i in shown],
            hovertemplate="%{customdata}: %{x:.2f} %<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        height=90 + 19 * len(shown), margin={"l": 10, "r": 20, "t": 10, "b": 10},
        xaxis={"title": unit, "side": "top", "zeroline": True, "automargin": True},
        yaxis={"type": "category", "autorange": "reversed", "automargin": True,
               "tickvals": shown, "ticktext": names},
    )  # fmt: skip
    return figure


def _label(token: str, longest: int = 16) -> str:
    """Return a token as an axis shows it: one line, not too long, never empty.

    >>> _label("\\n"), _label("a" * 30)
    ('␣', 'aaaaaaaaaaaaaaa…')
    """
    shown = token if token.strip() else "␣" * max(1, len(token))
    shown = "".join(c if in_unicode(c) else "\N{REPLACEMENT CHARACTER}" for c in shown)
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
