"""The Images page: what a Vision Transformer looks at, and what hiding patches changes."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import streamlit as st

from maskviz.figures import vision as figures
from maskviz.figures.ramps import Theme
from maskviz.text.percent import percent
from maskviz.ui.shared import state
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.page import escape
from maskviz.vision import STRATEGIES, Look, PatchMask, labels_under, load_vit, look, patch_mask
from maskviz.vision.classify import BUNDLED, digits
from maskviz.vision.picture import read_picture

_DRAWS = 20


def show() -> None:
    """The finding, three pictures, the answers; the choices beside them."""
    picture, choice = st.columns([5, 3], gap="large")
    with choice:
        model, image = _subject()
        explained = "\n".join(f"- **{name}**: {said}" for name, (_, said) in STRATEGIES.items())
        strategy = st.pills(
            "Patches to hide", list(STRATEGIES), default="attention", required=True,
            key="im_strategy", help=explained, wrap=True,
        )  # fmt: skip
        ratio = st.slider("Ratio", 0, 100, 25, format="%d %%", key="im_ratio") / 100
        seed = st.number_input("Seed", 0, state.SEEDS, 0, key="im_seed")
    with picture:
        with st.spinner("Looking …", show_time=True):
            plain = _look(model, image, None)
            mask = patch_mask(plain.shape, strategy, ratio, int(seed), plain.attention)
            masked = _look(model, image, mask)
            flips = _chance(model, image, mask.realised_ratio)
        st.markdown(f"### {escape(finding(plain, masked, mask, flips))}")
        _pictures(plain, masked, mask)
        chart(figures.answers(plain, masked), "im_answers")
        grid(_table(plain, masked), "labels")


def _subject() -> tuple[str, bytes]:
    """Ask for the model and the picture; return the picture as PNG bytes, a cache key."""
    from PIL import Image

    model = st.text_input(
        "Image model", BUNDLED, key="im_model",
        help="mini-digits is bundled; or any ViT classifier from the Hub, such as "
        "google/vit-base-patch16-224.",
    )  # fmt: skip
    upload = st.file_uploader("A picture of your own", ["png", "jpg", "jpeg", "webp"])
    examples = digits()
    chosen = st.segmented_control(
        "Or an example", [label for label, _ in examples], default="3", required=True,
        key="im_example", disabled=upload is not None, wrap=True,
    )  # fmt: skip
    if upload is not None:
        return model.strip(), _png(read_picture(upload.getvalue()))
    return model.strip(), _png(Image.fromarray(dict(examples)[chosen]))


def _png(picture: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@st.cache_data(max_entries=64, show_spinner=False)
def _look(model: str, image: bytes, mask: PatchMask | None) -> Look:
    from PIL import Image

    return look(load_vit(model), Image.open(io.BytesIO(image)), mask)


@st.cache_data(max_entries=32, show_spinner=False)
def _chance(model: str, image: bytes, ratio: float) -> float:
    """Return the share of random masks of the same size that change the answer."""
    from PIL import Image

    plain = _look(model, image, None)
    masks = [patch_mask(plain.shape, "random", ratio, seed) for seed in range(_DRAWS)]
    found = labels_under(load_vit(model), Image.open(io.BytesIO(image)), masks)
    return sum(label != plain.label for label in found) / _DRAWS


def finding(plain: Look, masked: Look, mask: PatchMask, flips: float) -> str:
    """Say what hiding the patches does to the answer, and how often chance does the same."""
    before = f"“{plain.label}” {percent(plain.probabilities[plain.label])}"
    if not mask.hidden:
        return f"Nothing is hidden: the answer is {before}."
    total = mask.rows * mask.columns
    after = percent(masked.probabilities[masked.label])
    if plain.label == masked.label:
        change = f"moves {before} to {after}"
    else:
        change = f"turns {before} into “{masked.label}” {after}"
    return (
        f"Hiding {len(mask.hidden)} of {total} patches ({mask.strategy}) {change}; random patches "
        f"of the same number turn it in {round(flips * _DRAWS)} of {_DRAWS} draws."
    )


def _pictures(plain: Look, masked: Look, mask: PatchMask) -> None:
    theme: Theme = "dark" if st.context.theme.type == "dark" else "light"
    first, second, third = st.columns(3)
    with first:
        st.markdown("**The picture**, hidden patches outlined")
        chart(figures.picture(plain, mask), "im_plain")
    with second:
        st.markdown("**Where the model looks** (attention rollout)")
        chart(figures.attention(plain, theme=theme), "im_attention")
    with third:
        st.markdown("**Where it looks** with them hidden")
        chart(figures.attention(masked, mask, theme), "im_masked")
    more = "brighter" if theme == "dark" else "darker"
    st.caption(f"The {more} a patch, the more of the attention it gets.")


def _table(plain: Look, masked: Look) -> pd.DataFrame:
    names = list(dict.fromkeys([*list(plain.probabilities)[:5], *list(masked.probabilities)[:5]]))
    return pd.DataFrame(
        [
            {
                "label": name,
                "plain": percent(plain.probabilities[name]),
                "masked": percent(masked.probabilities[name]),
            }
            for name in names
        ]
    )
