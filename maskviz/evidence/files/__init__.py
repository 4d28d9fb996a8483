"""A file at a time: rows compared in steps, tallied, and jobs that outlive the page."""
