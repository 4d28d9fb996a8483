"""The command line: `maskviz --help` lists its commands.

Every command takes `--json` (one JSON document on standard output and nothing else there) and
exits 0, or 2 with one line on standard error that says what to do.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import typer

from .commands import app
from .errors import MaskvizError

# Typer carries its own copy of Click and names only this one of its errors in public.
_UsageError: type[Exception] = typer.BadParameter.__base__


def _refuse(message: str) -> NoReturn:
    typer.echo(f"maskviz: {' '.join(message.split())}", err=True)
    sys.exit(2)


def main() -> None:
    """Run the command line; an error a user can act on is one line and exit status 2."""
    try:
        sys.exit(app(standalone_mode=False))
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (MaskvizError, OSError) as error:
        _refuse(str(error))
    except _UsageError as error:  # an unknown option, a missing value
        if not error.format_message():  # a group alone has shown its help
            sys.exit(0)
        _refuse(f"{error.format_message().rstrip('.')}: see 'maskviz --help'.")
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("maskviz: stopped.", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
