"""Every error maskviz raises on purpose; the command line and the pages show it as one line.

MaskvizError
├── InputError                a value the user gave
│   ├── TextError             the text itself: empty, without words, not valid Unicode
│   │   └── LanguageError     its language is one that a strategy knows no words of
│   ├── ParameterError        a ratio, seed, count or pattern out of range
│   ├── UnknownNameError      no such strategy, operator, method or label
│   ├── DataError             a file, its format or its columns
│   └── MaskError             a mask that is broken or belongs to another text
├── ModelError                a model
│   ├── ModelNotFoundError    no such model, or it cannot be fetched
│   └── CapabilityError       the model cannot do what was asked
├── RunError                  a fine-tune that cannot start, be found or go on
│   └── StoreError            the store of runs cannot be read or written
├── DiskFullError             there is no room for a file (an OSError as well)
└── MissingDependencyError    an optional package is not installed

A message names the value received, the limit and the next step, in one sentence.
"""

from __future__ import annotations

from collections.abc import Iterable


class MaskvizError(Exception):
    """Base of all errors that a user can act on."""


class InputError(MaskvizError, ValueError):
    """A value the user gave is not usable."""


class TextError(InputError):
    """The text is empty, has no words or is not valid Unicode."""


class LanguageError(TextError):
    """The text is in a language that a strategy knows no words of."""


class ParameterError(InputError):
    """A parameter is out of its range."""


class UnknownNameError(InputError):
    """A name is not in its registry.

    >>> str(UnknownNameError.of("strategy", "rndom", ["random", "span"]))
    "Unknown strategy 'rndom': choose one of random, span."
    """

    @classmethod
    def of(cls, kind: str, name: object, known: Iterable[str]) -> UnknownNameError:
        """Build the sentence that names the unknown value and the known ones."""
        return cls(f"Unknown {kind} {str(name)[:60]!r}: choose one of {', '.join(known)}.")


class DataError(InputError):
    """A file or one of its columns is not usable."""


class MaskError(InputError):
    """A mask is broken or belongs to another text."""


class ModelError(MaskvizError):
    """A model cannot be used."""


class ModelNotFoundError(ModelError):
    """There is no such model, or it cannot be fetched."""


class CapabilityError(ModelError):
    """The model cannot do what was asked."""


class RunError(MaskvizError):
    """A fine-tune cannot start, be found or go on."""


class StoreError(RunError):
    """The store of runs cannot be read or written."""


class DiskFullError(MaskvizError, OSError):
    """There is no room for a file."""


class MissingDependencyError(MaskvizError):
    """An optional package is not installed."""
