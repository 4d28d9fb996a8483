"""The command line: `maskviz --help` lists its commands.

Every command takes `--json` (one JSON document on standard output and nothing else there) and
exits 0, or 2 with one line on standard error that says what to do.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn, cast

from .errors import MaskvizError

if TYPE_CHECKING:
    from typer._click.exceptions import UsageError


def _refuse(message: str) -> NoReturn:
    _say(" ".join(message.split()))
    sys.exit(2)


def _say(line: str) -> None:
    from .terminal import notify

    notify(f"maskviz: {line}")


def main() -> None:
    """Run the command line; an error a user can act on is one line and exit status 2."""
    try:
        _run(sys.argv[1:])
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (MaskvizError, OSError) as error:
        _refuse(str(error))
    except _usage_error() as error:  # an unknown option, a missing value
        if not error.format_message():  # a group alone has shown its help
            sys.exit(0)
        _refuse(f"{error.format_message().rstrip('.')}: see 'maskviz --help'.")
    except (KeyboardInterrupt, _aborted()):
        _say("stopped.")
        sys.exit(130)
    except Exception as error:
        from .models.raised import said_of

        if (sentence := said_of(error)) is None:
            raise
        _refuse(sentence)


def _run(arguments: list[str]) -> NoReturn:
    from .launch import asked, serve
    from .warm import begin

    # The dashboard need not wait for the command line: Typer and all commands take longer to
    # import than the command to run.
    plainly = asked(arguments)
    if plainly is not None:
        serve(**plainly, beside=begin)
        sys.exit(0)
    from .commands import app

    sys.exit(app(standalone_mode=False))


def _usage_error() -> type[UsageError]:
    # Typer carries its own copy of Click and names only this one of its errors in public.
    import typer

    return cast("type[UsageError]", typer.BadParameter.__base__)


def _aborted() -> type[Exception]:
    import typer

    return typer.Abort


if __name__ == "__main__":
    main()
