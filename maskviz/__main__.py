"""`python -m maskviz` is the command line, where the `maskviz` script is not on the path."""

from .cli import main

main()
