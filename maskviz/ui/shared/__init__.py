"""What several pages use: page, state, controls, strips."""

__all__ = [
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
