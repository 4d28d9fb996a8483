"""The browser parts: plain HTML, CSS and JavaScript on Streamlit components, with no build step.

Each is imported from its own module: a page pays only for those it draws.
"""

__all__ = [
    "attention_arcs",
    "attention_head",
    "attention_mosaic",
    "kept_view",
    "lit_text",
    "manners",
    "token_strip",
    "turn_cards",
]
