"""From arrays to figures: Plotly, PNG, SVG and PDF; nothing here imports streamlit."""

__all__ = [
    "answers",
    "attention",
    "canvas",
    "compare",
    "distraction",
    "interference",
    "page",
    "paper",
    "pretraining",
    "ramps",
    "runs",
    "static_files",
    "strip",
    "sweeps",
    "theme",
    "units",
    "vision",
]
