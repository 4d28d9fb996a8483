"""Shares and numbers as a person reads them, the same in every sentence, table and chart."""

from __future__ import annotations

_SIGN = "\u00a0%"  # a no-break space keeps the sign with its number


def percent(share: float, digits: int | None = None, *, signed: bool = False) -> str:
    """Return a share in percent: with so many digits, or none except close to 0 and 1.

    signed: a plus before what is not negative, where digits are given.

    >>> percent(0.914), percent(0.9968), percent(0.0004), percent(0.914, 1)
    ('91\xa0%', '99.7\xa0%', 'under 0.1\xa0%', '91.4\xa0%')
    """
    if digits is not None:
        return f"{100 * share:{'+' * signed}.{digits}f}{_SIGN}"
    if 0 < share < 0.001:
        return f"under 0.1{_SIGN}"
    if 0.999 < share < 1:
        return f"over 99.9{_SIGN}"
    if 0 < share < 0.01 or 0.99 < share < 1:
        return f"{100 * share:.1f}{_SIGN}"
    return f"{100 * share:.0f}{_SIGN}"


def points(difference: float) -> str:
    """Return a difference of two shares in percentage points, with a sign where it is negative.

    >>> points(0.0512), points(-0.003)
    ('5.1 points', '−0.3 points')
    """
    return f"{number(100 * difference, '.1f')} points"


def number(value: float, form: str) -> str:
    """Return a number in a form of Python's, with the sign for minus in place of a hyphen.

    >>> number(-0.031, "+.2f"), number(0.5, ".1f")
    ('−0.03', '0.5')
    """
    return f"{value:{form}}".replace("-", "−")
