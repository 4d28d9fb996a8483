"""What pairs of texts say, kind by kind: how often the answer flips, and whether it shifts.

A kind *shifts* the answer where the mean of p(second) − p(first) differs from 0 at 5 %, allowing
for all kinds beside it (Holm). Where the order of the two texts says nothing, as with two names of
one group, there is no direction to speak of: flips and the size of the change are all that is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...shares import Interval
from ...text.listed import listed
from ...text.percent import number, percent
from ..chance.verdict import LEVEL, holm
from .gap import Gap
from .swaps import SIDES, UNORDERED

FEWEST = 6  # pairs, of clusters clusters: fewer tell no shift


@dataclass(frozen=True)
class KindVerdict:
    """What is said of one kind of pairs; p allows for the other kinds, None where nothing is told.

    verdict: `shifts`, `no shift told`, `no direction` or `too few pairs`.
    """

    kind: str
    gap: Gap
    p_adjusted: float | None
    verdict: str

    @property
    def directed(self) -> bool:
        """Whether second − first says anything: the order of the two texts may be by chance."""
        return self.kind not in UNORDERED


def verdicts(plain: Mapping[str, Gap]) -> list[KindVerdict]:
    """Return what each kind of pairs says on the plain texts: kind → gap."""
    found = list(plain.items())
    tested = [None if kind in UNORDERED or _few(gap) else gap.p_value for kind, gap in found]
    adjusted = holm(tested)
    return [
        KindVerdict(kind, gap, p, _verdict(kind, gap, p))
        for (kind, gap), p in zip(found, adjusted, strict=True)
    ]


def _few(gap: Gap) -> bool:
    return (gap.clusters or gap.pairs) < FEWEST


def _verdict(kind: str, gap: Gap, p: float | None) -> str:
    if _few(gap):
        return "too few pairs"
    if kind in UNORDERED:
        return "no direction"
    return "shifts" if p is not None and p <= LEVEL else "no shift told"


def finding(
    arms: Mapping[str, Gap],
    groups: Mapping[str, Mapping[str, Gap]],
    label: str,
    in_words: bool = False,
    rows: tuple[int, int] | None = None,
) -> str:
    """Return what pairs say on the plain texts, flips with their interval and each kind's verdict.

    rows: how many rows of the file have a pair, and how many there are. in_words: whether an
    answer in words was asked for, of which ln p is measured and none flips.
    """
    plain = arms["plain"]
    measure = f"ln p of “{label}”" if in_words else f"p({label})"
    kinds = {kind: own["plain"] for kind, own in groups.items()} or {"": plain}
    moved = f"{measure} moves by {plain.ctf_gap:.3f} within a pair"
    over = f"Over {_counted(plain, rows)}"
    lead = f"{over}, {moved}"
    if not in_words:
        lead = f"{over} the answer flips in {flips(plain)}, and {moved}"
    return f"{lead}. {_said(verdicts(kinds), measure)}"


def flips(gap: Gap) -> str:
    """Say how many pairs flip, with the interval of the share.

    >>> flips(gap)
    '8 (4 %; 95\u00a0%: 2 to 8 %)'
    """
    count = round(gap.flip_rate * gap.pairs)
    within = ""
    if gap.flip_ci95 is not None:
        low, high = gap.flip_ci95
        within = f"; 95\u00a0%: {percent(low).removesuffix('%').rstrip()} to {percent(high)}"
    return f"{count or 'none'} ({percent(gap.flip_rate)}{within})"


def _counted(gap: Gap, rows: tuple[int, int] | None) -> str:
    made = f" from {rows[0]:,} of {rows[1]:,} rows" if rows else ""
    clusters = gap.clusters if gap.clusters != (rows and rows[0]) else None
    shared = f" in {clusters:,} cluster{'s' * (clusters != 1)}" if clusters else ""
    return f"{gap.pairs:,} pair{'s' * (gap.pairs != 1)}{made}{shared}"


def _said(found: list[KindVerdict], measure: str) -> str:
    """Say each kind's verdict: what shifts first, then what does not, then what cannot tell."""
    said = [_shift(v, measure) for v in found if v.verdict == "shifts"]
    for verdict, sentence in _SENTENCES.items():
        named = [v for v in found if v.verdict == verdict]
        if named:
            kinds = listed([_SAID.get(v.kind, v.kind) for v in named if v.kind])
            alone = verdict == "no shift told" and len(named) == 1
            within = _within(named[0].gap.ci95) if alone else ""
            said.append(_capital(sentence.format(f"with {kinds}, " if kinds else "")) + within)
    return " ".join(f"{one}." for one in said)


_SAID = {"names": "names of another group", "names-alike": "names of the same group"}
_SENTENCES = {
    "no shift told": "{}no shift in one direction is told",
    "no direction": "{}the two texts have no order, so that no direction is asked for",
    "too few pairs": "{}there are too few pairs to tell a shift",
}  # fmt: skip


def _shift(found: KindVerdict, measure: str) -> str:
    difference = found.gap.mean_difference
    second = SIDES[found.kind][1] if found.kind in SIDES else "the second text"
    kind = _SAID.get(found.kind, found.kind)
    lead = f"with {kind} the answer shifts: " if kind else "the answer shifts: "
    way = "higher" if difference > 0 else "lower"
    within = _within(found.gap.ci95)
    return _capital(f"{lead}{measure} is {abs(difference):.3f} {way} with {second}{within}")


def _within(interval: Interval | None) -> str:
    if interval is None:
        return ""
    low, high = (number(bound, "+.3f") for bound in interval)
    return f" (mean difference, 95\u00a0%: {low} to {high})"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
