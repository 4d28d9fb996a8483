"""The browser parts: plain HTML, CSS and JavaScript on Streamlit components, with no build step."""

from maskviz.ui.components.token_strip import StripUnit, edited_units, token_strip

__all__ = ["StripUnit", "edited_units", "token_strip"]
