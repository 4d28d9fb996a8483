"""What the strip believes of the values that a browser sends."""

import json

import pytest

pytest.importorskip("streamlit")

from maskviz.ui.components.token_strip import StripUnit, strip_message, validate_edit

BAD = [
    None,
    "text",
    3,
    [],
    {},
    {"revision": "other", "hidden": [1]},
    {"revision": "now"},
    {"revision": "now", "hidden": "12"},
    {"revision": "now", "hidden": {"0": 1}},
]


@pytest.mark.parametrize("edit", BAD)
def test_anything_but_an_edit_of_this_revision_is_untouched(edit):
    assert validate_edit(edit, 5, "now") is None


def test_indices_are_checked_sorted_and_freed_of_locked_ones():
    hidden = [4, 1, 1, -1, 5, 10**9, "2", 2.0, True, None, [3], 0]
    assert validate_edit({"revision": "now", "hidden": hidden}, 5, "now", locked=[0]) == [1, 4]


def test_empty_edit_is_an_edit():
    assert validate_edit({"revision": "now", "hidden": []}, 5, "now") == []


def test_512_units_stay_small_and_name_each_reason_once():
    units = [
        StripUnit(f"word{i}", " ", True, "PERSON", "named entity", (("a", 0.5),) * 5)
        for i in range(512)
    ]
    message = strip_message(units, "r", "Text", {"PERSON": "#E69F00"}, "words", 400)
    assert message["reasons"] == ["named entity"]
    assert message["categories"] == [["PERSON", "#E69F00"]]
    assert len(json.dumps(message)) < 60_000
