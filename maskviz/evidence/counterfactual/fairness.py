"""Counterfactual fairness: does the answer change with he for she, or one name for another?

Over pairs (x, x') that differ in an attribute alone, p the probability of one label:

    flip rate         share of pairs with two different answers
    CTF gap           mean of |p(x') − p(x)|   (Garg et al. 2019, https://arxiv.org/abs/1809.10610)
    mean difference   mean of p(x') − p(x), with the paired t-test

Pairs that share something are no independent witnesses: the pairs of one row, and those of one
cluster where a column names it, such as the template a text was made from. Their intervals and
p-values are over the clusters.

Each is also measured under masks. The arm `differences` takes out of both texts exactly what the
other does not have: the two are then the same to the model, and the gap is exactly 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from operator import attrgetter
from typing import Any

from ...errors import DataError, MaskError, TextError
from ...masks.encoding import Encoding
from ...masks.expression import needs
from ...masks.mask import Mask
from ...masks.operators import apply, overlapping
from ...models.model import Model
from ...readings.heads import valued
from ...readings.question import Question, Spec, asked, json_of
from ...readings.windows import answers_of, checked_long, encodings_of, parts
from ...text.pipelines import BUNDLED
from ...text.together import annotated
from ..files.masking import masking_job
from ..files.rows import cut_note, notes, why_left_out
from .finding import finding
from .gap import Gap, Sums
from .pairs import pairs_of_file, swapped_pairs
from .swaps import Pair, differences

__all__ = ["ORACLE", "Fairness", "Gap", "fairness", "pairs_of_file", "swapped_pairs"]

ORACLE = "differences"
_PAIRS_AT_ONCE = 16
_WORST = 20
Hidden = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class PairResult:
    """One pair on the plain texts: the answers, and p(second) − p(first) of the label.

    hidden: arm → what it hides of the first and of the second text.
    """

    row: int
    category: str
    first: str
    second: str
    first_label: str
    second_label: str
    difference: float
    cluster: str = ""
    hidden: dict[str, Hidden] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PairResult:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        hidden = values.get("hidden", {}).items()
        sides = {name: (tuple(first), tuple(second)) for name, (first, second) in hidden}
        return cls(**{**values, "hidden": sides})

    def record(self, arms: Mapping[str, tuple[float, bool, bool]]) -> dict[str, Any]:
        """Return one flat record, as a table shows it; `arms` as of `PairStep`."""
        found: dict[str, Any] = {k: v for k, v in vars(self).items() if k != "hidden"}
        for name, values in arms.items():
            keys = ("difference", "flip", "same_input")
            found |= {f"{name}: {k}": v for k, v in zip(keys, values, strict=True)}
            for side, texts in zip(("first", "second"), self.hidden.get(name, ()), strict=False):
                found[f"{name}: hidden of {side}"] = " | ".join(texts)
        return found


@dataclass(frozen=True)
class Fairness:
    """Flip rates and gaps of one label; arms are `plain`, each strategy, and `differences`.

    groups: category → arm → gap. worst: the pairs with the largest difference on plain texts.
    rows: how many rows the file has, None where pairs come from none; rows_paired: how many of
    them have a pair. finding: what is to be said of it.
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
    rows: int | None = None
    rows_paired: int = 0
    finding: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; the keys are the command line's."""
        values = asdict(self)
        del values["question"]
        values |= {"worst": list(values["worst"]), "notes": list(self.notes)}
        return values | json_of(self.question)


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
    each: Callable[[dict[str, Any]], None] | None = None,
    progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Fairness:
    """Measure flip rate and gaps over pairs, plain and under each strategy.

    `label` is the one whose probability counts, by default the model's last. The operator
    `placeholder` says nothing of the length of what it hides, as `mask` does. Pairs without words
    are left out. Both texts of a pair take the seed + its row. `each` gets every pair's record.
    Raises DataError without pairs.
    """
    work = FairnessWork(
        pairs, strategies, model=model, operator=operator, label=label, ratio=ratio, seed=seed,
        long=long, question=question,
    )  # fmt: skip
    for step in work.steps():
        if each:
            step.records(each)
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
        pairs = [(PairResult.from_dict(pair), arms) for pair, arms in values["pairs"]]
        return cls(**{**values, "pairs": pairs})

    def records(self, each: Callable[[dict[str, Any]], None]) -> None:
        """Hand on the record of every pair."""
        for pair, arms in self.pairs:
            each(pair.record(arms))


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
        last = outputs[0 if valued(self.question.head) else -1]
        self.label = self.question.output(label) if label else last
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
        self._bounds = None if valued(self.question.head) else (-1.0, 1.0)
        self._by_row = True  # until a pair names a cluster
        self.arms = self._sums()
        self.groups: dict[str, dict[str, Sums]] = {}
        self.worst: list[PairResult] = []
        self.hiding = dict.fromkeys(self.jobs, 0)  # pairs of which anything is hidden
        self.rows_paired, self._last_row = 0, -1
        self.left_out: dict[str, list[int]] = {}
        self.cut: list[int] = []
        self.done, self.total, self.stopped = 0, total, False
        self._pairs = pairs

    def _sums(self) -> dict[str, Sums]:
        return {n: Sums(self._bounds, self._by_row, n == ORACLE) for n in self.names}

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
            if pair.cluster and not self.tallied:
                self._by_row = False
                self.arms = self._sums()
            self.rows_paired += pair.row != self._last_row
            self._last_row = pair.row
            for name in self.hiding:
                self.hiding[name] += any(pair.hidden.get(name, ()))
            group = self.groups.setdefault(pair.category, self._sums())
            for name, values in arms.items():
                for sums in (self.arms[name], group[name]):
                    sums.add(*values, pair.cluster or str(pair.row))
        found = [*self.worst, *(pair for pair, _ in step.pairs)]
        self.worst = sorted(found, key=lambda r: -abs(r.difference))[:_WORST]
        for why, rows in step.left_out.items():
            self.left_out.setdefault(why, []).extend(rows)
        self.cut += step.cut

    @property
    def tallied(self) -> int:
        """How many pairs the sums hold so far."""
        return self.arms["plain"].signed.n

    def _step(self, chunk: list[Pair]) -> PairStep:
        """Compare the pairs under every arm."""
        kept: list[tuple[Pair, list[list[Any]], dict[str, Hidden]]] = []
        left_out: dict[str, list[int]] = {}
        for pair in chunk:
            try:
                kept.append((pair, *self._pieces(pair)))
            except (TextError, MaskError) as error:
                why = why_left_out(error)
                left_out.setdefault(why, []).append(pair.row)
        answers = answers_of(self.question, [row for _, pieces, _ in kept for row in pieces])
        width = 2 * len(self.names)
        found = [
            self._answered(pair, pieces, hidden, answers.probabilities[i * width : (i + 1) * width])
            for i, (pair, pieces, hidden) in enumerate(kept)
        ]
        cut = [
            pair.row
            for pair, pieces, _ in kept
            if any(side[0].truncated_at is not None for side in pieces[:2])
        ]
        return PairStep(self.done + len(chunk), found, left_out, cut)

    def _pieces(self, pair: Pair) -> tuple[list[list[Any]], dict[str, Hidden]]:
        """Return the encodings of first and second text under each arm, and what each hides."""
        texts = (pair.first, pair.second)
        seed = self.seed + pair.row  # with one for all, like pairs would have the same places
        masks = [[job(text, seed) for text in texts] for job in self.jobs.values()]
        apart = zip(texts, differences(*texts), strict=True)
        oracle = [Mask(text, spans) for text, spans in apart]
        arms = [[(Mask(text), "attention") for text in texts]]
        arms += [[(mask, self.operator) for mask in both] for both in masks]
        pieces = encodings_of([asked for arm in arms for asked in arm], self.model, self.long)
        for mask in oracle:
            own = parts(mask, self.model, self.long)
            pieces.append([_without(one, self.model) for one in own])
        named = zip(self.names[1:], [*masks, oracle], strict=True)
        return pieces, {n: (one.hidden_texts, two.hidden_texts) for n, (one, two) in named}

    def _answered(
        self, pair: Pair, pieces: list[Any], hidden: dict[str, Hidden], probabilities: Any
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
        found = PairResult(
            pair.row, pair.category, pair.first, pair.second, one, other, plain, pair.cluster,
            hidden,
        )  # fmt: skip
        return found, arms

    def result(self) -> Fairness:
        """Return what the pairs so far say; raises DataError where there are none."""
        said = notes({**getattr(self._pairs, "left_out", {}), **self.left_out})
        if not self.tallied:
            raise DataError(
                "There is no pair to compare: give texts with words of the categories, or a file "
                f"with two columns of texts. {' '.join(said)}".strip()
            )
        said += [*self._nothing_hidden(), *cut_note(self.cut, self.model)]
        if self.stopped or self.done < self.total:
            said.append(f"These are the first {self.done:,} pairs.")
        arms = {name: sums.gap() for name, sums in self.arms.items()}
        named = {category: sums for category, sums in self.groups.items() if category}
        groups = {c: {n: s.gap() for n, s in own.items()} for c, own in named.items()}
        rows: int | None = getattr(self._pairs, "rows", None)
        in_words = self.question.head == "likelihood"
        counted = None if rows is None else (self.rows_paired, rows)
        found = finding(arms, groups, self.label, in_words, counted)
        return Fairness(
            self.tallied, self.model.name, self.operator, self.label, arms, groups,
            tuple(self.worst), tuple(said), self.question.spec(), rows, self.rows_paired, found,
        )  # fmt: skip

    def _nothing_hidden(self) -> list[str]:
        """Say of each strategy in how many pairs it finds nothing to hide."""
        return [
            f"{name} hides nothing in {'any' if not hiding else f'{self.tallied - hiding:,}'} of "
            f"the {self.tallied:,} pairs."
            for name, hiding in self.hiding.items()
            if hiding < self.tallied
        ]


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
