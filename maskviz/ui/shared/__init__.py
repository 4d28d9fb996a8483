"""What several pages use: page, state, controls, strips."""

__all__ = [
    "asking",
    "chart",
    "controls",
    "conversation_control",
    "fetch",
    "fit",
    "grid",
    "limits",
    "notices",
    "page",
    "report_button",
    "second",
    "sign_in",
    "speaker",
    "spoken",
    "state",
    "strip",
    "table",
    "talk",
]
