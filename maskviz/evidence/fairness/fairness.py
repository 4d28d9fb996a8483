"""Counterfactual fairness: does the answer change with he for she, or one name for another?

Over pairs (x, x') that differ in an attribute alone, p the probability of one label:

    flip rate         share of pairs with two different answers
    CTF gap           mean of |p(x') − p(x)|   (Garg et al. 2019, https://arxiv.org/abs/1809.10610)
    mean difference   mean of p(x') − p(x), with the paired t-test

Each is also measured under masks. The arm `differences` takes out of both texts exactly what the
other does not have: the two are then the same to the model, and the gap is exactly 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from ...data.rows import iter_rows
from ...errors import DataError, MaskError, TextError, UnknownNameError
from ...masks.encoding import Encoding
from ...masks.expression import needs
from ...masks.mask import Mask
from ...masks.operators import apply, overlapping
from ...models.model import Model
from ...readings.question import Question, Spec, asked, json_of
from ...readings.windows import answers_of, checked_long, encodings_of, parts
from ...text.pipelines import BUNDLED
from ...text.together import annotated
from ..files.files import masking_job
from ..files.rows import cut_note, notes, why_left_out
from ..statistics import bootstrap_of_counts, paired_t
from .swaps import Pair, categories, differences, swapped_pair

ORACLE = "differences"
_PAIRS_AT_ONCE = 16
_WORST = 20


@dataclass(frozen=True)
class Gap:
    """What one arm, plain or masked, shows over all pairs.

    ctf_gap, mean_difference: with 95 % intervals from Student's t; p_value: of the paired t-test.
    same_input: share of pairs that are the same to the model, whose gap is exactly 0.
    """

    pairs: int
    flip_rate: float
    flip_ci95: tuple[float, float]
    ctf_gap: float
    ctf_ci95: tuple[float, float]
    mean_difference: float
    ci95: tuple[float, float]
    p_value: float
    same_input: float


@dataclass(frozen=True)
class PairResult:
    """One pair on the plain texts: the answers, and p(second) − p(first) of the label."""

    row: int
    category: str
    first: str
    second: str
    first_label: str
    second_label: str
    difference: float


@dataclass(frozen=True)
class Fairness:
    """Flip rates and gaps of one label; arms are `plain`, each strategy, and `differences`.

    groups: category → arm → gap. worst: the pairs with the largest difference on plain texts.
    """

    pairs: int
    model: str
    operator: str
    label: str
    arms: dict[str, Gap]
    groups: dict[str, dict[str, Gap]] = field(default_factory=dict)
    worst: tuple[PairResult, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()
    question: str | dict[str, Any] = "labels"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; the keys are the command line's."""
        values = asdict(self)
        del values["question"]
        values |= {"worst": list(values["worst"]), "notes": list(self.notes)}
        return values | json_of(self.question)


def pairs_of_file(
    source: str | Path | bytes, first: str, second: str, name: str | None = None
) -> Iterator[Pair]:
    """Yield a pair of texts from two columns of each row that has both."""
    for number, row in enumerate(iter_rows(source, name), start=1):
        for column in (first, second):
            if column not in row:
                known = ", ".join(map(repr, row))
                raise DataError(f"There is no column {column!r}: choose one of {known}.")
        texts = [str(row[c] or "") for c in (first, second)]
        if all(text.strip() for text in texts):
            yield Pair(number, *texts)


def swapped_pairs(
    source: str | Path | bytes, column: str, swap: Sequence[str] = (), name: str | None = None
) -> Iterator[Pair]:
    """Yield each text of a file with its counterfactual, for each category it has words of.

    `swap` names categories of `maskviz.evidence.fairness.swaps`; empty takes all.
    """
    for category in swap:
        if category not in categories():
            raise UnknownNameError.of("category to swap", category, categories())
    for number, row in enumerate(iter_rows(source, name), start=1):
        if column not in row:
            known = ", ".join(map(repr, row))
            raise DataError(f"There is no column {column!r}: choose one of {known}.")
        for category in swap or categories():
            pair = swapped_pair(number, str(row[column] or ""), category)
            if pair is not None:
                yield pair


class _Sums:
    """Running sums of one arm over pairs."""

    def __init__(self) -> None:
        self.n = self.flips = self.same = 0
        self.absolute = self.signed = self.squares = 0.0

    def add(self, difference: float, flip: bool, same: bool) -> None:
        self.n += 1
        self.flips += flip
        self.same += same
        self.absolute += abs(difference)
        self.signed += difference
        self.squares += difference**2

    def gap(self) -> Gap:
        n = self.n
        interval, p = paired_t(n, self.signed, self.squares)
        return Gap(
            n,
            self.flips / n,
            bootstrap_of_counts({0.0: n - self.flips, 1.0: self.flips}),
            self.absolute / n,
            paired_t(n, self.absolute, self.squares)[0],
            self.signed / n,
            interval,
            p,
            self.same / n,
        )


def fairness(
    pairs: Iterable[Pair],
    strategies: Iterable[str] | Mapping[str, Mapping[str, Any]] = ("attribute",),
    *,
    model: Model | str | Question = "mini",
    operator: str = "placeholder",
    label: str | None = None,
    ratio: float | None = None,
    seed: int = 0,
    long: str = "cut",
    question: Spec = "labels",
    progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Fairness:
    """Measure flip rate and gaps over pairs, plain and under each strategy.

    `label` is the one whose probability counts, by default the model's last. The operator
    `placeholder` says nothing of the length of what it hides, as `mask` does. Pairs without words
    are left out. Both texts of a pair take the seed + its row. Raises DataError without pairs.
    """
    work = FairnessWork(
        pairs, strategies, model=model, operator=operator, label=label, ratio=ratio, seed=seed,
        long=long, question=question,
    )  # fmt: skip
    for _ in work.steps():
        if progress:
            progress(work.done)
        if stop and stop():
            work.stopped = True
            break
    return work.result()


@dataclass(frozen=True)
class PairStep:
    """What one step found; written down, it can be counted again without asking a model.

    done: pairs read when it ended. pairs: each with arm → (difference, flip, same to the model).
    left_out: reason → rows. cut: rows of which the model reads only the beginning.
    """

    done: int
    pairs: list[tuple[PairResult, dict[str, tuple[float, bool, bool]]]]
    left_out: dict[str, list[int]]
    cut: list[int]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PairStep:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        pairs = [(PairResult(**pair), arms) for pair, arms in values["pairs"]]
        return cls(**{**values, "pairs": pairs})


class FairnessWork:
    """Pairs on their way: checked, compared in steps, with a result at any time."""

    def __init__(
        self,
        pairs: Iterable[Pair],
        strategies: Iterable[str] | Mapping[str, Mapping[str, Any]] = ("attribute",),
        *,
        model: Model | str | Question = "mini",
        operator: str = "placeholder",
        label: str | None = None,
        ratio: float | None = None,
        seed: int = 0,
        long: str = "cut",
        question: Spec = "labels",
        total: int = 0,
    ) -> None:
        """Check everything that can be checked without asking the model; `total` pairs come."""
        self.question = asked(model, question)
        self.model = self.question.model
        outputs = self.question.outputs
        self.label = label or outputs[0 if self.question.head == "regression" else -1]
        self.index = self.question.index(self.label)
        named = strategies if isinstance(strategies, Mapping) else {s: {} for s in strategies}
        self.jobs = {
            key: masking_job(key, given, ratio, self.model) for key, given in named.items()
        }
        self._pipelines = {
            str(given.get("pipeline") or BUNDLED)
            for key, given in named.items()
            if "pipeline" in needs(key)
        }
        self.operator = operator
        self.seed, self.long = seed, checked_long(long)
        self.names = ["plain", *self.jobs, ORACLE]
        self.arms = {name: _Sums() for name in self.names}
        self.groups: dict[str, dict[str, _Sums]] = {}
        self.worst: list[PairResult] = []
        self.left_out: dict[str, list[int]] = {}
        self.cut: list[int] = []
        self.done, self.total, self.stopped = 0, total, False
        self._pairs = pairs

    def steps(self) -> Iterator[PairStep]:
        """Compare 16 pairs at a time, from where it stands; each step is counted already."""
        pairs: Iterable[Pair] = islice(self._pairs, self.done, None)
        for side in ("first", "second"):
            pairs = annotated(pairs, attrgetter(side), self._pipelines, _PAIRS_AT_ONCE)
        source = iter(pairs)
        while chunk := list(islice(source, _PAIRS_AT_ONCE)):
            step = self._step(chunk)
            self.take(step)
            yield step

    def take(self, step: PairStep) -> None:
        """Count a step; one that was written down stands for asking the model again."""
        self.done = step.done
        for pair, arms in step.pairs:
            group = self.groups.setdefault(pair.category, {n: _Sums() for n in self.names})
            for name, values in arms.items():
                for sums in (self.arms[name], group[name]):
                    sums.add(*values)
        found = [*self.worst, *(pair for pair, _ in step.pairs)]
        self.worst = sorted(found, key=lambda r: -abs(r.difference))[:_WORST]
        for why, rows in step.left_out.items():
            self.left_out.setdefault(why, []).extend(rows)
        self.cut += step.cut

    @property
    def tallied(self) -> int:
        """How many pairs the sums hold so far."""
        return self.arms["plain"].n

    def _step(self, chunk: list[Pair]) -> PairStep:
        """Compare the pairs under every arm."""
        kept: list[tuple[Pair, list[list[Any]]]] = []
        left_out: dict[str, list[int]] = {}
        for pair in chunk:
            try:
                kept.append((pair, self._pieces(pair)))
            except (TextError, MaskError) as error:
                why = why_left_out(error)
                left_out.setdefault(why, []).append(pair.row)
        answers = answers_of(self.question, [row for _, pieces in kept for row in pieces])
        width = 2 * len(self.names)
        found = [
            self._answered(pair, pieces, answers.probabilities[i * width : (i + 1) * width])
            for i, (pair, pieces) in enumerate(kept)
        ]
        cut = [
            pair.row
            for pair, pieces in kept
            if any(side[0].truncated_at is not None for side in pieces[:2])
        ]
        return PairStep(self.done + len(chunk), found, left_out, cut)

    def _pieces(self, pair: Pair) -> list[list[Any]]:
        """Return the encodings of first and second text under each arm in turn."""
        texts = (pair.first, pair.second)
        arms = [[(Mask(text), "attention") for text in texts]]
        seed = self.seed + pair.row  # with one for all, like pairs would have the same places
        arms += [[(job(t, seed), self.operator) for t in texts] for job in self.jobs.values()]
        pieces = encodings_of([asked for arm in arms for asked in arm], self.model, self.long)
        for text, spans in zip(texts, differences(*texts), strict=True):
            masks = parts(Mask(text, spans), self.model, self.long)
            pieces.append([_without(mask, self.model) for mask in masks])
        return pieces

    def _answered(
        self, pair: Pair, pieces: list[Any], probabilities: Any
    ) -> tuple[PairResult, dict[str, tuple[float, bool, bool]]]:
        """Return the pair on the plain texts, and what each arm says of it."""
        arms = {}
        for i, name in enumerate(self.names):
            first, second = probabilities[2 * i], probabilities[2 * i + 1]
            difference = float(second[self.index] - first[self.index])
            flip = self.question.chosen(first) != self.question.chosen(second)
            same = _ids(pieces[2 * i]) == _ids(pieces[2 * i + 1])
            arms[name] = (difference, flip, same)
        one, other = (", ".join(self.question.chosen(p)) for p in probabilities[:2])
        plain = arms["plain"][0]
        return (
            PairResult(pair.row, pair.category, pair.first, pair.second, one, other, plain),
            arms,
        )

    def result(self) -> Fairness:
        """Return what the pairs so far say; raises DataError where there are none."""
        said = notes(self.left_out)
        if not self.tallied:
            raise DataError(
                "There is no pair to compare: give texts with words of the categories, or a file "
                f"with two columns of texts. {' '.join(said)}".strip()
            )
        said += cut_note(self.cut, self.model)
        if self.stopped or self.done < self.total:
            said.append(f"These are the first {self.done:,} pairs.")
        named = {category: sums for category, sums in self.groups.items() if category}
        return Fairness(
            self.tallied,
            self.model.name,
            self.operator,
            self.label,
            {name: sums.gap() for name, sums in self.arms.items()},
            {c: {n: s.gap() for n, s in arms.items()} for c, arms in named.items()},
            tuple(self.worst),
            tuple(said),
            self.question.spec(),
        )


def _without(mask: Mask, model: Model) -> Encoding:
    """Return the text without what is hidden, and without the bare spaces that led to it.

    Some tokenizers write the space before a word as a token of its own, others not: left behind,
    it would tell two words apart.
    """
    encoding, plain = apply(mask, "delete", model), model.tokenise(mask.text)
    owner = overlapping(plain, mask)
    bare = {
        i
        for i, offset in enumerate(plain.offsets[:-1])
        if offset is not None and offset[0] == offset[1] and owner[i + 1] is not None
    }
    kept = [i for i, source in enumerate(encoding.source) if source not in bare]
    if not kept:
        raise MaskError("The two texts share nothing: there is nothing left to read.")
    columns = ("input_ids", "attention_mask", "tokens", "offsets", "source", "hidden", "special")
    chosen: dict[str, Any] = {
        name: tuple(getattr(encoding, name)[i] for i in kept) for name in columns
    }
    return replace(encoding, **chosen)


def _ids(windows: Sequence[Any]) -> list[Any]:
    return [(e.input_ids, e.attention_mask) for e in windows]
