"""The browser parts: plain HTML, CSS and JavaScript on Streamlit components, with no build step."""

from maskviz.ui.components.attention_arcs import attention_arcs
from maskviz.ui.components.attention_head import attention_head
from maskviz.ui.components.attention_mosaic import attention_mosaic, picked_head
from maskviz.ui.components.token_strip import StripUnit, edited_units, token_strip

__all__ = [
    "StripUnit",
    "attention_arcs",
    "attention_head",
    "attention_mosaic",
    "edited_units",
    "picked_head",
    "token_strip",
]
