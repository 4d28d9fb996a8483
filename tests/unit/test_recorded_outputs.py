"""Every command answers as it was recorded; `python -m tests.record_outputs` records anew."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests import recorded
from tests.recorded_cases import CASES, LEFT_OUT


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the command lines name: tiny models, tables, a mask."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKVIZ_HOME", str(tmp_path_factory.mktemp("home")))
        return recorded.make_files(tmp_path_factory.mktemp("recorded"))


@pytest.mark.parametrize("topic", CASES)
def test_commands_answer_as_recorded(topic: str, files: dict[str, str]) -> None:
    before = recorded.recorded(topic)
    assert before, f"Nothing is recorded: run 'python -m tests.record_outputs {topic}'."
    changed = recorded.changes(topic, before, recorded.run_topic(topic, files))
    assert not changed, "\n".join(changed)


def test_the_names_that_others_use_are_as_recorded() -> None:
    assert recorded.changes("surface", recorded.recorded("surface"), recorded.surface()) == []


def test_every_command_is_recorded() -> None:
    lines = [line for topic in CASES.values() for line in topic]
    missing = {
        name
        for name, _ in recorded.commands()
        if not any(f"{x} ".startswith(f"{name} ") for x in lines)
    }
    assert missing == set(LEFT_OUT)


@pytest.mark.parametrize("topic", [topic for topic in CASES if topic != "errors"])
def test_most_lines_of_a_topic_succeed(topic: str) -> None:
    answers = recorded.recorded(topic).values()
    assert sum("json" in answer for answer in answers) > len(answers) / 3


def test_a_changed_figure_is_found() -> None:
    before = recorded.recorded("compare")
    after = deepcopy(before)
    answer = after["compare '{short}'"]["json"]
    answer["kl"] *= 1.001
    answer["flip"] = not answer["flip"]
    answer["control"]["draws"] += 1
    answer["spans"][0]["reason"] += "!"
    del answer["delta"]["negative"]
    answer["more"] = None
    found = recorded.changes("compare", before, after)
    assert len(found) == 6
    assert any("kl" in line for line in found)
    assert recorded.changes("compare", before, deepcopy(before)) == []


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        (0.5, 0.50001, True),
        (0.5, 0.501, False),
        (0.0, 1e-6, True),
        (1, 2, False),
        (1, 1.0, False),  # another type is another JSON
        (1, True, False),
        (None, 0.0, False),
        ("a", "b", False),
        ([1, 2], [1, 2, 3], False),
        ({"a": 1}, {"a": 1, "b": 1}, False),
        ({"a": [1, {"b": 0.1}]}, {"a": [1, {"b": 0.1000001}]}, True),
    ],
)
def test_floats_are_compared_closely_and_all_else_exactly(
    before: Any, now: Any, same: bool
) -> None:
    assert (recorded.changes("x", before, now) == []) is same


@pytest.mark.parametrize(
    "array", [[i * i / 40 for i in range(40)], [[i, i * i] for i in range(20)]]
)
def test_two_numbers_of_a_long_array_that_change_places_are_seen(array: list[Any]) -> None:
    swapped = [*array[:8], array[19], *array[9:19], array[8], *array[20:]]
    before, now = (recorded.still(value, {}) for value in (array, swapped))
    assert before["shape"][0] == len(array)
    assert before["sum"] == pytest.approx(now["sum"])
    assert recorded.changes("x", before, now) != []


def test_what_no_two_machines_share_is_not_compared() -> None:
    run = {"run": "mini-random-0102-030405-ab12", "seconds": 3.2, "model": "/a/b/model"}
    moved = {"run": "mini-random-0607-080910-cd34", "seconds": 9.9, "model": "/c/model"}
    still = recorded.still(run, {"/a/b": "{folder}"})
    assert still == recorded.still(moved, {"/c": "{folder}"})
    assert still["model"] == "{folder}/model"
