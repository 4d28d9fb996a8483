"""The report: one HTML file that opens offline, prints well, and asks no knowledge of its reader.

Nothing of the user's is ever read as markup: text goes through `html.escape`, data for the script
through base64. The page fetches nothing: styles, script and charts are in the file.
"""

from .comparison import comparison_report
from .conversation import conversation_report
from .document import Report, render, save
from .run import run_report
from .sweep import sweep_report
from .text import text_report

__all__ = [
    "Report",
    "comparison_report",
    "conversation_report",
    "document",
    "render",
    "run_report",
    "save",
    "sweep_report",
    "text",
    "text_report",
]
