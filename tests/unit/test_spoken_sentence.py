"""The finding on a conversation, held against one mask at a time."""

from __future__ import annotations

import math

import pytest

from maskviz.evidence import compare, control
from maskviz.evidence.chance.verdict import Control
from maskviz.evidence.text.spoken import (
    ordinal,
    parted,
    parting,
    ranked_sentences,
    sentences_of,
    spoken_sentence,
    where_hidden,
    whole_sentences,
)
from maskviz.masks import Mask, MaskSpan, mask
from maskviz.masks.edit import with_units
from maskviz.models import load_model
from maskviz.readings.question import asked
from maskviz.text.conversation import Conversation, Turn
from tests.tiny_chat import chat_model

SPOKEN = Conversation(
    (
        Turn("system", "Ann lives in Rome. Bob lives in Milan. The door is green."),
        Turn("user", "Where is Bob?"),
        Turn("assistant", "In Milan.", "He is not in Rome."),
        Turn("user", "And Ann? Tell me now."),
    )
)


def hiding(*texts: str) -> Mask:
    spans = []
    for text in texts:
        start = SPOKEN.text.index(text)
        spans.append(MaskSpan(start, start + len(text)))
    return Mask(SPOKEN.text, tuple(spans))


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        (["Bob lives in Milan."], "the second sentence of the system prompt"),
        (["Bob lives in Milan"], "the second sentence of the system prompt"),
        (["Ann lives in Rome.", "The door is green."], "2 sentences of the system prompt"),
        (["Where is Bob?"], "turn 2 (user)"),
        (["Where is Bob?", "And Ann? Tell me now."], "turn 2 (user) and turn 4 (user)"),
        (["Ann lives in Rome. Bob lives in Milan. The door is green."], "the system prompt"),
        (["He is not in Rome."], "“He is not in Rome” in turn 3 (assistant)"),
        (["Rome", "In Milan"], "3 words in 2 turns"),
        (["Rome"], "“Rome” in the system prompt"),
        (["lives in Rome"], "“lives in Rome” in the system prompt"),
        (["Ann", "Rome"], "2 words of the system prompt"),
        (["Tell me now."], "the second sentence of turn 4 (user)"),
        (["Tell me"], "“Tell me” in turn 4 (user)"),
    ],
)
def test_what_is_hidden_has_a_short_name(hidden: list[str], said: str) -> None:
    assert where_hidden(hiding(*hidden), SPOKEN) == said


def clicked(*texts: str) -> Mask:
    """Hide the words of these texts one by one, as clicks do."""
    whole = hiding(*texts)
    return with_units(Mask(SPOKEN.text), whole.words, whole.hidden_words)


@pytest.mark.parametrize(
    ("words", "spans"),
    [
        (["Bob lives in Milan"], ["Bob lives in Milan."]),
        (["Ann lives in Rome. Bob lives in Milan"], ["Ann lives in Rome.", "Bob lives in Milan."]),
        (["Bob lives"], ["Bob lives"]),
        (["Ann lives in Rome. Bob"], ["Ann lives in Rome.", "Bob"]),
        (["green", "Where is"], ["green", "Where is"]),
        (["Where is Bob", "He is not in Rome"], ["Where is Bob?", "He is not in Rome."]),
        (["Ann", "Rome"], ["Ann", "Rome"]),
        ([], []),
    ],
)
def test_clicked_words_that_stand_together_are_one(words: list[str], spans: list[str]) -> None:
    found = whole_sentences(clicked(*words), sentences_of(SPOKEN))
    assert [SPOKEN.text[span.start : span.end] for span in found.spans] == spans
    assert found.hidden_words == clicked(*words).hidden_words


def test_what_a_strategy_chose_word_by_word_stays_so() -> None:
    drawn = mask(SPOKEN, "random", ratio=1.0)
    assert whole_sentences(drawn, sentences_of(SPOKEN)).spans == drawn.spans


def test_a_strategy_is_named() -> None:
    found = mask(SPOKEN, "random", ratio=0.5)
    assert where_hidden(found, SPOKEN).endswith("(random)")


@pytest.mark.parametrize(
    ("text", "other", "whole", "parts"),
    [
        ("In Rome now.", "In Milan.", True, ("In ", "Rome now.")),
        ("Rome", "Milan", True, ("", "Rome")),
        ("In Rome", "In Rome", True, ("In Rome", "")),
        ("In Rome", "In Rome, Italy", True, ("In Rome", "")),
        ("In Rome, Italy", "In Rome", True, ("In Rome", ", Italy")),
        ("In Rome, Italy", "In Rome", False, ("In Rome, Italy", "")),
        ("a\nb c", "a\nb d", False, ("a\nb ", "c")),
        ("", "x", True, ("", "")),
    ],
)
def test_two_answers_part_before_a_whole_word(text, other, whole, parts) -> None:
    assert parted(text, other, whole) == parts


def test_long_answers_are_shortened_round_the_place_where_they_part() -> None:
    same = "word " * 40
    one, other = parting(f"{same}Rome. The end.", f"{same}Milan. The end.")
    assert one.startswith("… ")
    assert "Rome." in one
    assert "Milan." in other
    assert max(len(one), len(other)) < 80
    assert parting("", "Yes.") == ("nothing", "Yes.")


@pytest.mark.parametrize(
    ("number", "word"),
    [(1, "first"), (10, "tenth"), (11, "11th"), (13, "13th"), (21, "21st"), (42, "42nd"),
     (103, "103rd"), (112, "112th")],
)  # fmt: skip
def test_ordinals(number: int, word: str) -> None:
    assert ordinal(number) == word


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model(chat_model(tmp_path_factory.mktemp("chat")))


@pytest.mark.parametrize("operator", ["delete", "attention"])
def test_each_sentence_moves_the_answer_as_its_own_mask_does(model, operator: str) -> None:
    question = asked(model, {"name": "answer", "conversation": SPOKEN, "longest": 6})
    put = question.about(SPOKEN.text)
    ranked = ranked_sentences(put, SPOKEN, operator)
    assert {(one.start, one.end) for one in ranked} == set(sentences_of(SPOKEN))
    assert [abs(one.fall) for one in ranked] == sorted((abs(r.fall) for r in ranked), reverse=True)
    for one in ranked:
        alone = Mask(SPOKEN.text, (MaskSpan(one.start, one.end),))
        detail = compare(alone, put, operator).detail
        fall = detail["log_probability_original"] - detail["log_probability_masked"]
        assert one.fall == pytest.approx(fall, abs=2e-4)
        assert SPOKEN.turns[one.turn].role in ("system", "user", "assistant")


def test_the_sentence_says_what_is_hidden_what_changes_and_the_rank(model) -> None:
    put = asked(model, {"name": "answer", "conversation": SPOKEN, "longest": 6}).about(SPOKEN.text)
    found = hiding("Bob lives in Milan.")
    compared, chance = compare(found, put, "delete"), control(found, put, "delete")
    said = spoken_sentence(compared, chance, SPOKEN)
    assert said.startswith("Without the second sentence of the system prompt the answer ")
    written = compared.detail["generation"]
    if written["original"] != written["masked"]:
        assert "changes from “" in said
    assert f"{chance.draws + 1} sentences of about its length" in said
    assert "too few for more than a rank" in said


@pytest.mark.parametrize(
    ("plain", "masked", "moved", "says"),
    [
        ("Rome", "Milan", -2.0, "the answer changes from “Rome” to “Milan”"),
        ("Rome", "Rome", -math.log(3), "the answer “Rome” stays, 3.0 times less probable"),
        ("Rome", "Rome", math.log(2), "the answer “Rome” stays, 2.0 times more probable"),
        ("Rome", "Rome", 0.001, "the answer “Rome” stays as it is"),
    ],
)
def test_a_change_and_none_are_said(model, plain, masked, moved, says: str) -> None:
    from dataclasses import replace

    put = asked(model, {"name": "answer", "conversation": SPOKEN, "longest": 3}).about(SPOKEN.text)
    compared = compare(hiding("Rome"), put, "delete")
    detail = {
        **compared.detail, "generation": {"original": plain, "masked": masked, "parts_at": 0},
        "log_probability_original": -5.0, "log_probability_masked": -5.0 + moved,
    }  # fmt: skip
    told = Control(40, "x", (), 0.0, 0.0, 0.0, unit="word", number=1, as_strong=0, p_value=1 / 41)
    said = spoken_sentence(replace(compared, detail=detail), told, SPOKEN)
    assert says in said
    assert "of 40 other masks drawn of 1 word, 0 change it as much" in said


def test_nothing_hidden_is_said(model) -> None:
    put = asked(model, {"name": "answer", "conversation": SPOKEN, "longest": 3}).about(SPOKEN.text)
    compared = compare(Mask(SPOKEN.text), put, "delete")
    assert spoken_sentence(compared, None, SPOKEN).startswith("Nothing is hidden")
