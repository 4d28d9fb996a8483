"""A file at a time: rows compared in steps, tallied, and jobs that outlive the page."""

__all__ = [
    "answers",
    "breakdown",
    "chance",
    "conversations",
    "file_result",
    "files",
    "finding",
    "group_words",
    "groups",
    "masking",
    "rows",
    "slots",
    "taken",
    "tally",
    "written",
]
