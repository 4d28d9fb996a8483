"""How far a command is."""

from __future__ import annotations

import sys
import time

import typer


class Progress:
    """What is done, in its unit, and the seconds left, on standard error where a person looks.

    Call it with how many are done and, where that is known, how many there are in all.
    """

    def __init__(self, unit: str) -> None:
        self._unit, self._start, self._shown = unit, time.monotonic(), False

    def __call__(self, done: int, total: int | None = None) -> None:
        if not sys.stderr.isatty():
            return
        self._shown = True
        left = ""
        if total and done:
            seconds = (time.monotonic() - self._start) * (total - done) / done
            left = f" of {total:,}, about {seconds:,.0f} s left"
        typer.echo(f"\r{done:,}{left} {self._unit}\x1b[K", nl=False, err=True)

    def note(self, what: str) -> None:
        """Say what takes its time."""
        if sys.stderr.isatty():
            self._shown = True
            typer.echo(f"\rreading {what} …\x1b[K", nl=False, err=True)

    def share(self, what: str, done: float) -> None:
        """Say what is done, and which share of all of it."""
        if sys.stderr.isatty():
            self._shown = True
            typer.echo(f"\r{what} … {done:.0%}\x1b[K", nl=False, err=True)

    def end(self) -> None:
        """End the line."""
        if self._shown:
            typer.echo("", err=True)
