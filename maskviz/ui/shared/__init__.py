"""What several pages use: page, state, controls, strips."""

__all__ = [
    "byte_cache",
    "controls",
    "grid",
    "limits",
    "page",
    "report_button",
    "second",
    "sign_in",
    "state",
    "strip",
]
