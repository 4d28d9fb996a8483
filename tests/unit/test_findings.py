"""What results are said to mean: a table of cases with the sentence a careful reader would sign."""

from __future__ import annotations

from typing import Any

import pytest

from maskviz.evidence.counterfactual.finding import finding as of_pairs
from maskviz.evidence.counterfactual.gap import Gap
from maskviz.evidence.files.chance import ChanceResult
from maskviz.evidence.files.file_result import FileComparison
from maskviz.evidence.files.finding import finding
from maskviz.evidence.files.tally import StrategyResult

SPACE = "\u00a0"


def chance(told: bool, rows: int = 300, **more: Any) -> ChanceResult:
    p = 0.001 if told else 0.4
    given: dict[str, Any] = {
        "flip_rate": 0.05, "flip_ci95": (0.03, 0.07), "flip_beyond": 0.07,
        "flip_beyond_ci95": (0.03, 0.11), "rows": rows, "flip_p_value": p, "flip_p_adjusted": p,
    }  # fmt: skip
    return ChanceResult(**(given | more))


def labelled(told: bool, beyond: float = -0.031, **more: Any) -> ChanceResult:
    p = 0.001 if told else 0.4
    accuracy = {"change": -0.01, "beyond": beyond, "beyond_ci95": (beyond - 0.02, beyond + 0.02)}
    return chance(False, **{**accuracy, "p_value": p, "p_adjusted": p, **more})


def result(beside: ChanceResult | None, **more: Any) -> StrategyResult:
    given: dict[str, Any] = {
        "rows": 300, "flip_rate": 0.12, "flip_ci95": (0.09, 0.16), "accuracy_original": None,
        "accuracy_masked": None, "delta_accuracy": None, "ci95": None, "p_value": None,
        "mean_kl": 0.1, "realised_ratio": 0.2, "chance": beside, "rows_hiding": 300,
    }  # fmt: skip
    return StrategyResult(**(given | more))


def right(beside: ChanceResult | None, **more: Any) -> StrategyResult:
    accuracy = {"accuracy_original": 0.91, "accuracy_masked": 0.85, "delta_accuracy": -0.06}
    return result(beside, **{**accuracy, "ci95": (-0.09, -0.03), "p_value": 0.001, **more})


def number(beside: ChanceResult | None, **more: Any) -> StrategyResult:
    return result(beside, mean_kl=None, flip_rate=0.0, flip_ci95=None, **more)


RANDOM = "random masks of the same size"
CASES = {
    "one told of two": (
        {"entity": result(chance(True)), "span": result(chance(False))},
        "Over 300 rows, hiding by entity flips the answer in 12 % of them, random masks of the "
        "same size in 5 %: more often than chance (difference, 95 %: +3.0 to +11.0 points). Span "
        "is not told apart from chance.",
    ),
    "fewer flips than chance": (
        {"entity": result(chance(True, flip_beyond=-0.04, flip_beyond_ci95=(-0.06, -0.02)),
                          flip_rate=0.01)},
        "Over 300 rows, hiding by entity flips the answer in 1 % of them, random masks of the "
        "same size in 5 %: less often than chance (difference, 95 %: −6.0 to −2.0 points).",
    ),
    "none told": (
        {"entity": result(chance(False)), "random": result(chance(False), flip_rate=0.2)},
        f"Over 300 rows, hiding by entity is not told apart from {RANDOM}: the answer flips in "
        "12 % under entity (95 %: 9 to 16 %; random masks: 5 %) and 20 % under random (95 %: 9 to "
        "16 %).",
    ),
    "the control never wins": (
        {"random": result(chance(True))},
        "Over 300 rows, the answer flips in 12 % under random (95 %: 9 to 16 %): that is what "
        "chance does.",
    ),
    "accuracy, told": (
        {"entity": right(labelled(True))},
        f"Over 300 rows, accuracy under entity lies 3.1 points below that under {RANDOM} "
        "(difference, 95 %: −5.1 to −1.1 points): 91 % plain, 85 % masked.",
    ),
    "accuracy, not told though flips are": (
        {"entity": right(labelled(False, flip_p_adjusted=0.001)), "span": right(labelled(False))},
        f"Over 300 rows, no strategy is told apart from {RANDOM}: accuracy is 91 % plain, 85 % "
        "under entity (random masks: 90 %) and 85 % under span (random masks: 90 %).",
    ),
    "too few": (
        {"entity": result(chance(False, rows=3))},
        "Over 3 rows, too few to tell a strategy from chance, the answer flips in 12 % under "
        "entity (95 %: 9 to 16 %; random masks: 5 %).",
    ),
    "none drawn": (
        {"entity": result(None, flip_rate=0.0, flip_ci95=(0.0, 0.013))},
        "Over 300 rows, the answer flips in 0 % under entity (95 %: 0 to 1 %); no random masks "
        "were drawn to set beside that.",
    ),
    "nothing hidden": (
        {"entity": result(chance(False), rows_hiding=0)},
        "Over 300 rows, entity hides nothing: there is nothing to compare.",
    ),
    "one that hides nothing is not spoken of": (
        {"entity": result(chance(False), rows_hiding=0), "span": result(chance(True))},
        "Over 300 rows, hiding by span flips the answer in 12 % of them, random masks of the same "
        "size in 5 %: more often than chance (difference, 95 %: +3.0 to +11.0 points).",
    ),
    "clusters": (
        {"entity": result(chance(False), clusters=20)},
        f"Over 300 rows in 20 clusters, hiding by entity is not told apart from {RANDOM}: the "
        "answer flips in 12 % under entity (95 %: 9 to 16 %; random masks: 5 %).",
    ),
    "a regression's error": (
        {"entity": number(labelled(True, 0.25, beyond_ci95=(0.1, 0.4)), delta_error=0.3,
                          error_ci95=(0.1, 0.5))},
        f"Over 300 rows, the mean error under entity lies 0.25 above that under {RANDOM} "
        "(difference, 95 %: +0.1 to +0.4).",
    ),
    "a value": (
        {"entity": number(labelled(False, -0.2), mean_delta=-0.3)},
        f"Over 300 rows, hiding by entity is not told apart from {RANDOM}: the value moves by −0.3 "
        "under entity (random masks: −0.01).",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_file_is_told_what_its_test_bears(case: str) -> None:
    strategies, wanted = CASES[case]
    rows = 3 if case == "too few" else 300
    said = finding(FileComparison(rows, "mini", "mask", strategies))
    assert said.replace(SPACE, " ") == wanted


def gap(p: float | None = 0.4, **more: Any) -> Gap:
    given: dict[str, Any] = {
        "pairs": 200, "flip_rate": 0.04, "flip_ci95": (0.02, 0.077), "ctf_gap": 0.034,
        "ctf_ci95": (0.03, 0.04), "mean_difference": -0.01, "ci95": (-0.018, -0.002),
        "p_value": p, "same_input": 0.0,
    }  # fmt: skip
    return Gap(**(given | more))


LEAD = "the answer flips in 8 (4 %; 95 %: 2 to 8 %), and p(good) moves by 0.034 within a pair."
WITHIN = "(mean difference, 95 %: −0.018 to −0.002)"
PAIRS = {
    "own pairs, a shift": (
        {}, gap(0.001), None,
        f"Over 200 pairs {LEAD} The answer shifts: p(good) is 0.010 lower with the second text "
        f"{WITHIN}.",
    ),
    "own pairs, none": (
        {}, gap(0.4, ci95=(-0.03, 0.01)), None,
        f"Over 200 pairs {LEAD} No shift in one direction is told (mean difference, 95 %: −0.030 "
        "to +0.010).",
    ),
    "kinds, each its verdict": (
        {"gender": gap(0.001), "places": gap(0.03), "names-alike": gap(0.001)}, gap(), (150, 300),
        f"Over 200 pairs from 150 of 300 rows {LEAD} With gender the answer shifts: p(good) is "
        f"0.010 lower with female words and names {WITHIN}. With places the answer shifts: p(good) "
        f"is 0.010 lower with other places {WITHIN}. With names-alike, the two texts have no "
        "order, so that no direction is asked for.",
    ),
    "Holm over kinds": (
        {"gender": gap(0.03), "places": gap(0.03)}, gap(clusters=150), (150, 300),
        f"Over 200 pairs from 150 of 300 rows {LEAD} With gender and places, no shift in one "
        "direction is told.",
    ),
    "too few": (
        {"gender": gap(0.001, pairs=4)}, gap(clusters=3), (4, 300),
        f"Over 200 pairs from 4 of 300 rows in 3 clusters {LEAD} With gender, there are too few "
        "pairs to tell a shift.",
    ),
    "none flips": (
        {}, gap(0.4, flip_rate=0.0, flip_ci95=(0.0, 0.019)), None,
        "Over 200 pairs the answer flips in none (0 %; 95 %: 0 to 2 %), and p(good) moves by 0.034 "
        f"within a pair. No shift in one direction is told {WITHIN}.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PAIRS)
def test_pairs_are_told_kind_by_kind(case: str) -> None:
    kinds, plain, rows, wanted = PAIRS[case]
    groups = {kind: {"plain": own} for kind, own in kinds.items()}
    said = of_pairs({"plain": plain}, groups, "good", rows=rows)
    assert said.replace(SPACE, " ") == wanted


def test_an_answer_in_words_does_not_flip() -> None:
    said = of_pairs({"plain": gap(0.001)}, {}, "Rome", in_words=True)
    assert said.startswith(
        "Over 200 pairs, ln p of “Rome” moves by 0.034 within a pair. The answer"
    )


VERDICTS = {
    "as chance": (0.4, None, ": as chance"),
    "beyond": (0.01, None, ": beyond chance"),
    "not beside others": (
        0.03, 0.09, ": as chance, allowing for what stands beside it (p = 0.090)",
    ),
    "also beside others": (0.01, 0.04, ": beyond chance"),
}  # fmt: skip


@pytest.mark.parametrize("case", VERDICTS)
def test_the_headline_of_a_text_carries_the_verdict(case: str) -> None:
    from maskviz.evidence import compare
    from maskviz.evidence.chance.verdict import Control
    from maskviz.evidence.text.sentence import comparison_sentence
    from maskviz.masks import mask

    p, adjusted, wanted = VERDICTS[case]
    found = compare(mask("A dull and slow film.", "pattern", words="dull"), "mini")
    control = Control(99, "negative", (0.5,), 0.1, 0.1, 0.9, number=1, as_strong=4, p_value=p)
    said = comparison_sentence(found, control, p_adjusted=adjusted)
    assert said.endswith(f"(p = {p:.3f}){wanted}." if p < 0.1 else f"(p = {p:.2f}){wanted}.")
    few = Control(5, "negative", (0.5,), 0.1, 0.1, 0.9, number=1, as_strong=0, p_value=1 / 6)
    assert comparison_sentence(found, few).endswith("too few for more than a rank.")
