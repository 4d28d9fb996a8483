"""A planted truth: a decoder that has learned to copy, and the head that copies in it."""

from __future__ import annotations

import numpy as np
import pytest

from maskviz import attend
from maskviz.evidence.units.asking import Way
from maskviz.evidence.units.choose import choose_units, role_shares, roles_on
from maskviz.evidence.units.compare import compare_units
from maskviz.evidence.units.scan import scan_rows, scan_text
from maskviz.evidence.units.sentence import scan_sentence
from maskviz.masks import mask
from maskviz.models import load_model
from maskviz.readings.question import asked
from tests import tiny_induction

NEXT = {"name": "next"}
BEHIND = 3  # the place of what stands behind the earlier occurrence of the last word


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a decoder that copies, trained in about six seconds."""
    folder = tmp_path_factory.mktemp("copies")
    assert tiny_induction.build(folder) > 0.95
    return str(folder)


def hidden(text: str):
    """Return a text whose word to be copied is hidden."""
    return mask(text, "manual", indices=[BEHIND + 1])


@pytest.fixture(scope="module")
def copying_head(copies: str) -> str:
    """Return the head that looks at what is to be copied, by its weights."""
    texts = tiny_induction.rows(12)
    weights = np.mean([attend(text, copies).weights[:, :, -1, BEHIND] for text in texts], axis=0)
    layer, head = np.unravel_index(weights.argmax(), weights.shape)
    assert weights[layer, head] > 0.6
    return f"{layer + 1}.{head + 1}"


def test_the_largest_head_of_half_of_the_rows_is_the_one_that_copies(copies, copying_head) -> None:
    rows = [hidden(text) for text in tiny_induction.rows(24)]
    found = scan_rows(rows, copies, Way("from", hides="unk"), NEXT)
    assert str(found.tested.unit) == copying_head
    assert found.tested.rank <= 3
    assert (found.tested.found_on, found.tested.rows) == (12, 12)
    assert found.tested.high < -3  # the answer falls, on rows that the head was not found on
    assert found.tested.p_value == found.tested.rank / 8
    assert f"ead {copying_head} is the largest of 8 on 12 rows" in scan_sentence(found)


def test_patching_the_head_moves_the_answer_and_the_lower_half_does_not(
    copies, copying_head
) -> None:
    text = tiny_induction.rows(1)[0]
    for operator, sign in (("from", -1), ("from-plain", 1)):
        found = scan_text(text, copies, Way(operator, hidden=hidden(text), hides="unk"), NEXT)
        assert str(found.largest.unit) == copying_head
        assert sign * found.largest.effect > 3
        lower = [abs(one.effect) for one in found.effects if one.rank > 4]
        assert max(lower) < 0.1 * abs(found.largest.effect)


def test_without_the_circuit_nothing_is_copied(copies, copying_head) -> None:
    text = tiny_induction.rows(1)[0]
    wanted = text.split()[BEHIND]
    found = compare_units(text, copying_head, copies, Way("zero"), 20, NEXT)
    assert found.comparison.detail["next"][0]["text"].strip() == wanted
    assert found.comparison.detail["next"][1]["text"].strip() != wanted
    assert found.comparison.flip
    put = asked(copies, NEXT)
    largest = choose_units("top-k:2", put, text, Way("zero"))
    assert copying_head in map(str, largest.units)
    by_effect = compare_units(text, largest, copies, Way("zero"), 20, NEXT)
    assert not by_effect.control.tells  # chosen by their effect on this very text


def test_mlps_that_say_nothing_have_no_effect_and_both_layers_have(copies) -> None:
    text = tiny_induction.rows(1)[0]
    silent = scan_text(text, copies, Way("zero"), NEXT, kind="mlp")
    assert [one.effect for one in silent.effects] == pytest.approx([0, 0], abs=1e-5)
    assert "moves nothing" in scan_sentence(silent)
    whole = scan_text(text, copies, Way("zero"), NEXT, kind="layer")
    assert max(one.effect for one in whole.effects) < -3


def test_roles_say_what_share_of_the_effect_they_carry(copies) -> None:
    text = tiny_induction.rows(1)[0]
    scan = scan_text(text, copies, Way("zero"), NEXT)
    roles = roles_on(load_model(copies), text)
    shares = role_shares(scan, roles)
    assert sum(one.share for one in shares) == pytest.approx(1)
    assert sum(one.heads for one in shares) == 8
    assert shares[0].share > 0.4
    previous = choose_units("role:previous-token", asked(copies, NEXT), text)
    assert previous.units
    assert all(roles[unit].name == "previous token" for unit in previous.units)
