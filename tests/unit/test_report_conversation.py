"""The report on a conversation: both answers, the sentences by rank, attention by turn."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from maskviz.attention import attend
from maskviz.attention.by_turn import attention_by_turn
from maskviz.attention.difference import difference_view
from maskviz.attention.turns import blocks, by_part
from maskviz.attention.view import Display, displayed, view
from maskviz.evidence.text.spoken import ranked_sentences
from maskviz.figures import canvas
from maskviz.masks import Mask, MaskSpan
from maskviz.models import load_model
from maskviz.readings.language.conversing import conversed
from maskviz.readings.question import asked
from maskviz.report import conversation_report, render, text_report
from maskviz.text.conversation import Conversation, Turn
from tests.hostile import PARTS
from tests.tiny_chat import chat_model

SPOKEN = Conversation(
    (
        Turn("system", "Ann lives in Rome. Bob lives in Milan. The door is green."),
        Turn("user", "Where is Bob?"),
    )
)
HIDDEN = Mask(SPOKEN.text, (MaskSpan(19, 38),))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model(chat_model(tmp_path_factory.mktemp("chat")))


def test_it_holds_both_answers_the_ranks_and_where_the_model_looked(model) -> None:
    report = conversation_report(HIDDEN, SPOKEN, model, "delete", 6)
    page = render(report)
    question = {"name": "answer", "conversation": SPOKEN, "longest": 6}
    ranked = ranked_sentences(asked(model, question).about(SPOKEN.text), SPOKEN, "delete")
    places = [page.index(f"<td>{place}</td><td>{one.text}") for place, one in enumerate(ranked, 1)]
    assert places == sorted(places)
    assert report.finding.startswith("Without the second sentence of the system prompt")
    assert "too few for more than a rank" in report.sure
    assert '<span class="hidden">Milan</span>' in page
    assert "share of attention" in page
    place = next(i for i, one in enumerate(ranked, 1) if one.start == 19)
    assert f"The hidden sentence is number {place} of {len(ranked)}." in page
    assert not re.search(r"(src|href)\s*=\s*[\"']?\s*(https?:)?//", page)  # it fetches nothing


def test_the_shares_of_turns_are_those_of_their_tokens(model) -> None:
    shares = attention_by_turn(model, SPOKEN, "In Milan.")
    assert sum(shares.turns) + shares.template + shares.answer == pytest.approx(1, abs=1e-2)
    whole = SPOKEN.answering("In Milan.")
    put = conversed(model, whole)
    weights = np.asarray(attend(whole.text, put, method="raw").weights, dtype=float)
    owners = put.tokenise(whole.text).turns
    rows = [i for i, owner in enumerate(owners) if owner == 2]
    for turn in (0, 1):
        keys = [i for i, owner in enumerate(owners) if owner == turn]
        own = weights[:, :, rows][:, :, :, keys].sum(-1).mean()
        assert shares.turns[turn] == pytest.approx(own, abs=2e-3)


@pytest.mark.parametrize("method", ["raw", "mean", "rollout"])
def test_a_view_by_part_is_what_goes_from_turn_to_turn(model, method) -> None:
    put = conversed(model, SPOKEN)
    found = attend(SPOKEN.text, put, method=method)
    shown = by_part(view(found))
    told = blocks(found, SPOKEN)
    assert shown.tokens == told.groups == ("1 system", "2 user", "template")
    np.testing.assert_allclose(shown.weights.mean((0, 1)), told.shares, atol=1e-6)
    assert shown.special == (False, False, True)
    whole = attend(HIDDEN, put, "delete", method=method)
    change = by_part(difference_view(found, whole))
    tokens = difference_view(found, whole)
    rows = [i for i, o in enumerate(tokens.segments) if o == 0 and not tokens.absent[i]]
    keys = [i for i, o in enumerate(tokens.segments) if o == 1]
    moved = tokens.weights[:, :, rows][:, :, :, keys].sum(-1).mean(-1)
    np.testing.assert_allclose(change.weights[:, :, 0, 1], moved, atol=1e-6)


def test_turns_are_blocks_of_both_axes(model) -> None:
    put = conversed(model, SPOKEN)
    shown = view(attend(SPOKEN.text, put))
    owners = put.tokenise(SPOKEN.text).turns
    named = {0: "1 system", 1: "2 user", None: ""}
    drawn = [name for a, b, name in canvas.blocks(shown.segments, shown.parts) for _ in range(a, b)]
    assert drawn == [named[owner] for owner in owners]
    for display in (Display(words=True), Display(special=False), Display(False, True)):
        cut = displayed(shown, display)
        names = [name for *_, name in canvas.blocks(cut.segments, cut.parts)]
        assert [name for name in names if name] == ["1 system", "2 user"]
        assert ("" in names) == display.special
    assert by_part(view(attend("A plain text.", "mini"))) is None
    assert by_part(view(attend(SPOKEN.text, put, method="flow"))) is None


def test_nothing_hidden_is_a_report_too(model) -> None:
    report = conversation_report(Mask(SPOKEN.text), SPOKEN, model, "delete", 3)
    assert "Nothing was hidden" in report.sure
    assert "Both are the same" in render(report)


def test_its_commands_make_it_again(model) -> None:
    report = conversation_report(HIDDEN, SPOKEN, model, "delete", 6)
    lines = [line for line in report.commands if not line.startswith(("#", "save("))]
    made: dict[str, object] = {}
    exec("\n".join(lines).replace(" save", " save as _"), made)
    assert made["report"].finding == report.finding


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"indices": (2,)}, "sentences by number: 2"),
        ({"indices": (1, 3), "edited": True}, "sentences by number: 1, 3; edited: yes"),
        ({}, "none"),
        ({"left": {"roles": ["user"]}, "right": {}}, "left: roles: user; right: none"),
    ],
)
def test_settings_are_words(model, parameters, said) -> None:
    chosen = Mask(SPOKEN.text, HIDDEN.spans, "sentence", parameters)
    assert f"<td>{said}</td>" in render(conversation_report(chosen, SPOKEN, model, "delete", 2))


@pytest.mark.parametrize("question", ["answer", "next"])
def test_the_report_of_a_question_repeats_no_conversation(model, question) -> None:
    given = {"name": question, "conversation": SPOKEN.to_dict()}
    page = render(text_report(HIDDEN, model, "delete", question=given))
    row = page[page.index("<th>question</th>") :].split("</tr>")[0]
    assert "conversation: 2 turns, as above" in row
    assert not re.search(r"[{}\[\]']|&#x27;", row)


def test_a_prompt_that_ends_with_an_answer_has_its_turns_alone(model) -> None:
    spoken = SPOKEN.answering("In Milan.")
    spoken = replace(spoken, turns=(*spoken.turns, Turn("assistant", "Or Rome.")))
    report = conversation_report(Mask(spoken.prompt.text), spoken.prompt, model, "delete", 2)
    assert report.title == "A conversation of 3 turns"
    assert render(report).count('<div class="text"') == 3 + 2


def test_a_hostile_conversation_stays_text(model) -> None:
    spoken = Conversation((Turn("user", " ".join(PARTS[:3])),))
    page = render(conversation_report(Mask(spoken.text), spoken, model, "delete", 2))
    assert "<img src=x" not in page
    assert "<svg onload" not in page
    assert "<script>window" not in page
