"""Reference sets and verdicts: what a mask is set against, and that chance is called chance."""

from __future__ import annotations

import random
from itertools import accumulate, combinations, pairwise, product

import numpy as np
import pytest

from maskviz.evidence import compare, compare_masks, control, explain, sensitivity
from maskviz.evidence.chance.reference import drawn_beside, reference_set
from maskviz.evidence.chance.verdict import LEVEL, beside_chance, holm
from maskviz.evidence.text.sentence import beside, comparison_sentence
from maskviz.masks import Mask, MaskSpan, mask
from maskviz.models import load_model
from maskviz.readings.question import asked
from maskviz.report import text_report

DULL = "A dull story, but the acting is wonderful."
LONG = (
    "Anna Berg flew to Oslo. The weather was fine! She met Tom Hanks there, and they talked about "
    "an old film. It rained. Nobody in the small town had seen it, but everyone knew its name."
)


def hidden(found) -> set[frozenset[int]]:
    return {m.characters for m in found.masks}


def test_single_words_are_set_against_all_other_single_words() -> None:
    one = mask(DULL, "pattern", pattern="dull")
    found = reference_set(one, load_model("mini"))
    assert (found.unit, found.number, found.whole) == ("word", 1, True)
    assert hidden(found) == {
        frozenset(range(s, e)) for s, e in one.words if (s, e) != (2, 6)
    }  # each of them is one token


def test_pairs_of_words_are_all_pairs_of_as_many_tokens() -> None:
    two = mask(DULL, "pattern", pattern="dull|story")
    found = reference_set(two, load_model("mini"))
    pairs = {frozenset([*range(*a), *range(*b)]) for a, b in combinations(two.words, 2)}
    assert hidden(found) == pairs - {two.characters}
    assert found.whole


@pytest.mark.parametrize(
    ("chosen", "unit", "number"),
    [
        (mask(LONG, "entity", types=["PERSON"]), "run of words", 2),
        (mask(LONG, "sentence", indices=[1]), "sentence", 1),
        (Mask(LONG, (MaskSpan(0, 3),)), "token", 1),
    ],
)
def test_others_are_of_the_same_kind(chosen: Mask, unit: str, number: int) -> None:
    found = reference_set(chosen, load_model("mini"))
    assert (found.unit, found.number) == (unit, number)
    for other in found.masks:
        assert len(other.spans) == len(chosen.spans)
        assert other.characters != chosen.characters
        assert [s.label for s in other.spans] == [s.label for s in chosen.spans] or unit != "token"
    if unit == "run of words":
        assert all(len(m.hidden_words) == len(chosen.hidden_words) for m in found.masks)
        assert not any("." in LONG[s.start : s.end] for m in found.masks for s in m.spans)
    if unit == "sentence":
        assert all(LONG[m.spans[0].end - 1] in ".!" for m in found.masks)


def test_tokens_lie_within_a_fifth() -> None:
    model = load_model("mini")
    chosen = mask(LONG, "random", ratio=0.3, seed=3)

    def count(m: Mask) -> int:
        offsets = [o for o in model.tokenise(LONG).offsets if o and o[0] < o[1]]
        return sum(any(s.start <= o[0] < s.end for s in m.spans) for o in offsets)

    found = reference_set(chosen, model, draws=60)
    assert len(found.masks) == len(hidden(found)) == 60
    assert all(abs(count(m) - count(chosen)) <= 0.2 * count(chosen) for m in found.masks)


def test_chance_is_drawn_from_what_the_model_reads(tiny) -> None:
    model = load_model(tiny("bert"))  # takes 64 tokens
    text = " ".join(f"word{i}" for i in range(200))
    end = model.tokenise(text).truncated_at
    inside = Mask(text, (MaskSpan(0, 5), MaskSpan(12, 17)))
    assert end is not None
    assert all(s.end <= end + 8 for m in reference_set(inside, model).masks for s in m.spans)
    assert all(s.start < end for m in drawn_beside(inside, model, "cut", 5, 0) for s in m.spans)


def test_drawing_is_repeatable_without_repetition_and_may_run_out() -> None:
    model, one = load_model("mini"), mask(DULL, "pattern", pattern="dull")
    assert drawn_beside(one, model, "cut", 5, 7) == drawn_beside(one, model, "cut", 5, 7)
    assert len(set(drawn_beside(one, model, "cut", 50, 7))) == 7  # there are no more
    assert drawn_beside(Mask(DULL), model, "cut", 5, 7) == ()


NASTY = (
    "A b [MASK], </s> c (d) “e”!  f",
    "é naïve\r\n\r\nx  y\tz .. ,, 🙂👩‍👩‍👧 q",
    "我喜欢这部电影。真的很好看!",
    "نص عربي، مع كلمات. كثيرة!",
)


Runs = tuple[range, ...]  # of words


def blank(text: str, run: range) -> bool:
    """Tell whether nothing but white space stands between the words of a run."""
    words = Mask(text).words
    return not any(text[a[1] : b[0]].strip() for a, b in pairwise(words[run[0] : run[-1] + 1]))


def masked(text: str, runs: Runs) -> Mask:
    words = Mask(text).words
    return Mask(text, tuple(MaskSpan(words[r[0]][0], words[r[-1]][1]) for r in runs))


@pytest.mark.parametrize("lengths", [(1,), (1, 1), (2, 1), (1, 1, 1)])
@pytest.mark.parametrize("text", [DULL, *NASTY])
def test_a_set_holds_every_other_place_once(text: str, lengths: tuple[int, ...]) -> None:
    firsts, count = accumulate(lengths, initial=0), len(Mask(text).words)
    own = tuple(range(s, s + n) for s, n in zip(firsts, lengths, strict=False))
    expected: set[frozenset[int]] = set()
    for starts in product(range(count), repeat=len(lengths)):
        runs = tuple(range(s, s + n) for s, n in zip(starts, lengths, strict=True))
        apart = len({i for run in runs for i in run}) == sum(lengths)
        alike = all(blank(text, r) or not blank(text, o) for r, o in zip(runs, own, strict=True))
        if apart and max(r[-1] for r in runs) < count and alike:
            expected.add(masked(text, runs).characters)
    expected.discard(masked(text, own).characters)
    found = reference_set(masked(text, own), load_model("mini"), "windows")
    assert hidden(found) <= expected
    assert len(found.masks) == len(hidden(found)) == (99 if len(expected) > 200 else len(expected))


def test_p_is_the_rank_by_hand() -> None:
    put, one = asked("mini"), mask(LONG, "pattern", pattern="fine")
    found = beside_chance(put, one, "mask")
    words = explain(LONG, put).words
    fall = {(w.start, w.end): w.log_odds for w in words}
    own = abs(fall[one.spans[0].start, one.spans[0].end])
    spans = [m.spans[0] for m in reference_set(one, put.model).masks]
    others = [abs(fall[span.start, span.end]) for span in spans]
    stronger = sum(value >= own - 1e-4 for value in others)
    assert found.strength == pytest.approx(own, abs=1e-3)
    if found.whole:
        assert found.as_strong == stronger
        assert found.p_value == (1 + stronger) / (1 + len(others))


def test_a_mask_drawn_at_random_is_beyond_chance_in_one_case_of_twenty(tiny) -> None:
    put, rng = asked(tiny("modernbert")), random.Random(0)
    words = Mask(LONG).words
    said = []
    for _ in range(100):
        pair = sorted(rng.sample(range(len(words)), 2))
        chosen = Mask(LONG, tuple(MaskSpan(*words[i]) for i in pair))
        found = beside_chance(put, chosen, "mask")
        said.append(found.tells and found.p_value <= LEVEL)
    assert np.mean(said) <= 0.05 + 2 * (0.05 * 0.95 / 100) ** 0.5


def test_many_strategies_on_one_screen_allow_for_each_other(tiny) -> None:
    assert holm([0.01, 0.04, None, 0.03]) == [0.03, 0.06, None, 0.06]
    put, hits = asked(tiny("modernbert")), 0
    for start in range(0, 40, 4):
        seeds = range(start, start + 4)
        masks = [(str(s), mask(LONG, "random", ratio=0.15, seed=s)) for s in seeds]
        effects = compare_masks(masks, put)
        for e in effects:
            assert e.p_adjusted is None or e.p_adjusted >= e.control.p_value
        hits += any(e.beyond_chance for e in effects)
    assert hits <= 2  # of ten screens; 0.5 are expected


def test_operators_beside_each_other_allow_for_each_other_and_chance_survives_none(tiny) -> None:
    put, words, said = asked(tiny("modernbert")), Mask(LONG).words[:20], 0  # it reads 64 tokens
    operators = ("mask", "delete", "attention")
    for seed in range(12):
        pair = sorted(random.Random(seed).sample(range(len(words)), 2))
        chosen = Mask(LONG, tuple(MaskSpan(*words[i]) for i in pair))
        effects = compare_masks([("pair", chosen)], put, operators)
        told = sensitivity(effects)["pair"]
        assert tuple(told.conclusions) == operators
        allowed = holm([e.control.p_value for e in effects])
        for e, p in zip(effects, allowed, strict=True):
            assert e.p_adjusted == pytest.approx(p)
            assert told.conclusions[e.comparison.operator] == e.conclusion
        said += any(c != "as chance" for c in told.conclusions.values())
    assert said <= 2  # of twelve screens; 0.6 are expected


def test_report_and_sentence_say_what_the_verdict_says() -> None:
    """So what holds of the verdict over many seeds holds of them."""
    put = asked("mini")
    words = sorted(explain(LONG, put).words, key=lambda w: -abs(w.log_odds))
    seen = set()
    for word in (*words[:2], words[len(words) // 2], words[-1]):
        chosen = Mask(LONG, (MaskSpan(word.start, word.end),))
        found, report = control(chosen, put), text_report(chosen, put)
        matters = report.sure.startswith("Hiding as much elsewhere seldom")
        assert matters is (found.tells and found.p_value <= LEVEL)
        assert beside(found) in report.finding
        assert not found.tells or f"{found.as_strong} change it as much" in report.finding
        seen.add(matters)
    assert seen == {True, False}


def test_what_the_model_does_not_read_is_set_against_nothing(tiny) -> None:
    last = Mask(LONG).words[-1]
    found = control(Mask(LONG, (MaskSpan(*last),)), tiny("modernbert"))
    assert beside(found) == "the model reads nothing of what is hidden"
    assert not found.tells


@pytest.mark.parametrize(
    ("chosen", "said", "concluded"),
    [
        (mask(DULL, "key", ratio=0.1), "chosen by its effect, so that is no verdict", "no verdict"),
        (mask(DULL, "pattern", pattern="wonderful"), "the strongest of the 8 masks", "no verdict"),
        (mask("Bob left.", "sentence"), "no other mask of 1 sentence", "no verdict"),
        (mask(DULL, "entity"), "", "hides nothing"),
    ],
)
def test_no_verdict_says_why(chosen: Mask, said: str, concluded: str) -> None:
    (effect,) = compare_masks([("it", chosen)], "mini")
    assert effect.conclusion == concluded
    assert effect.beyond_chance is None
    if said:
        assert said in beside(effect.control)
        assert said in comparison_sentence(effect.comparison, effect.control)


def test_the_only_word_that_turns_an_answer_is_not_called_chance() -> None:
    """One of eight words flips: the other seven do not, and none of them is the word itself."""
    chosen = mask(DULL, "pattern", pattern="wonderful")
    found = control(chosen, "mini")
    assert compare(chosen, "mini").flip
    assert (found.draws, found.flips, found.rank) == (7, 0.0, 1)
    report = text_report(chosen, "mini")
    assert "as much" not in report.sure
    assert report.sure.startswith("No verdict. It is the strongest of the 8 masks of 1 word")


def test_the_report_shows_the_mean_and_not_the_middle() -> None:
    chosen = mask(DULL, "pattern", pattern="dull")
    found = control(chosen, "mini")
    assert found.mean == pytest.approx(np.mean(found.probabilities))
    changed = next(s.body for s in text_report(chosen, "mini").sections if "changed" in s.title)
    assert f"{100 * found.mean:.1f}" in changed


def test_a_saturated_answer_is_ranked_in_log_odds() -> None:
    text = "A truly wonderful, warm and funny film, and I loved every minute of it."
    found = explain(text, "mini")
    odds = [w.log_odds for w in found.words]
    assert list(found.ranked) == sorted(range(len(odds)), key=lambda i: (-odds[i], i))
    (first,) = mask(text, "key", ratio=0.01).spans
    assert (first.start, first.end) == tuple(Mask(text).words[found.ranked[0]])
