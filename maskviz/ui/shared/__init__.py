"""What several pages use: page, state, controls, strips."""

__all__ = [
    "asking",
    "chart",
    "controls",
    "fetch",
    "fit",
    "grid",
    "limits",
    "page",
    "report_button",
    "second",
    "sign_in",
    "state",
    "strip",
    "table",
    "talk",
]
