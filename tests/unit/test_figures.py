"""Figures of Compare: what is drawn beside what, and text that is readable on light and dark."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maskviz.commands.compare_show import file_table
from maskviz.evidence import FileComparison, compare_masks
from maskviz.evidence.files.chance import ChanceResult
from maskviz.evidence.files.tally import StrategyResult
from maskviz.figures import compare as figures
from maskviz.masks import mask


def result(accuracy: bool, chance: bool = True) -> StrategyResult:
    labelled = (0.9, 0.7, -0.2, (-0.3, -0.1), 0.01) if accuracy else (None,) * 5
    beside = ChanceResult(0.05, (0.02, 0.08), 0.2, (0.1, 0.3), -0.04, (-0.06, -0.02))
    return StrategyResult(
        100, 0.25, (0.2, 0.3), *labelled, 0.1, 0.15, chance=beside if chance else None
    )


@pytest.mark.parametrize(
    ("accuracy", "value", "band"), [(True, -0.2, (-0.06, -0.02)), (False, 0.25, (0.02, 0.08))]
)
def test_each_strategy_of_a_file_stands_beside_random_masks(accuracy, value, band) -> None:
    figure = figures.file_effects({"span": result(accuracy), "key": result(accuracy)})
    chance, strategy = figure.data
    assert chance.name == "random masks of the same size"
    assert [tuple(c) for c in chance.customdata] == [band, band]
    assert list(strategy.x) == [value, value]
    assert list(chance.y) == list(strategy.y) == [0, 1]
    assert list(figure.layout.yaxis.ticktext) == ["span", "key"]


def test_a_table_for_a_person_says_what_a_result_has_and_no_more() -> None:
    moved = StrategyResult(
        9, 0.0, (0.0, 0.0), *(None,) * 5, None, 0.1, mean_delta=0.3, delta_ci95=(0.1, 0.5),
        chance=ChanceResult(0.0, (0.0, 0.0), 0.0, (0.0, 0.0), 0.1, (0, 1), 0.2, (0.1, 0.4), 9),
    )  # fmt: skip
    few = replace(moved, chance=replace(moved.chance, rows=3))
    found = FileComparison(9, "m", "mask", {"span": moved}, groups={"city": {"A": {"span": few}}})
    shown = file_table(found)
    assert "value +0.200 [+0.100, +0.400]" in shown
    assert "too few rows" in shown.split("by city")[1]
    assert "flip" not in shown
    assert "flip rate" in file_table(replace(found, strategies={"span": result(True)}))


def test_values_of_a_column_are_drawn_as_text_and_apart() -> None:
    long = "a city with a very long name, "
    figure = figures.file_effects(
        {v: result(True) for v in ("2019", long + "A", long + "B", "<b>")}
    )
    assert list(figure.data[1].y) == [0, 1, 2, 3]
    assert figure.layout.yaxis.ticktext[0] == "2019"
    assert figure.layout.yaxis.ticktext[3] == "&lt;b&gt;"


def test_without_random_masks_there_is_no_band() -> None:
    assert len(figures.file_effects({"span": result(True, chance=False)}).data) == 1


def test_text_in_figures_takes_the_colour_of_the_theme(tiny) -> None:
    effects = compare_masks([("mine", mask("a fine film", "random", seed=0))], tiny("bert"))
    drawn = figures.strategies(effects)
    assert all(note.font.color is None for note in drawn.layout.annotations)
    assert drawn.layout.annotations[0].text.startswith("plain ")


def test_a_regression_without_labels_is_drawn_as_values() -> None:
    flat = (None,) * 5
    moved = StrategyResult(
        9, 0.0, (0.0, 0.0), *flat, None, 0.1, mean_delta=0.3, delta_ci95=(0.1, 0.5)
    )
    figure = figures.file_effects({"span": moved})
    assert figure.layout.xaxis.title.text.startswith("mean value masked − plain")
    assert list(figure.data[0].x) == [0.3]


def test_a_long_run_is_drawn_in_means_and_a_short_one_point_by_point() -> None:
    from maskviz.figures.runs import gradient_figure

    def line(points: int):
        history = [{"step": 5 * i, "grad_norm": float(i)} for i in range(points)]
        return gradient_figure(history).data[0]

    short, long = line(400), line(5_301)
    assert short.y == tuple(float(i) for i in range(400))
    assert short.name == "gradient norm"
    assert len(long.y) <= 400
    assert long.name == "gradient norm, means of 14"
    assert long.x[0] == 5 * 6.5
    assert long.y[0] == 6.5
    assert long.y[-1] == sum(range(5_292, 5_301)) / 9  # what is left at the end
