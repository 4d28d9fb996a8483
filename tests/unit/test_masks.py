"""Properties that hold for every strategy on every text, and the semantics of each."""

from __future__ import annotations

import json
import random
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskviz.errors import InputError, MaskError, ParameterError, TextError, UnknownNameError
from maskviz.masks import STRATEGIES, Mask, MaskSpan, mask
from maskviz.masks.chance import SPAN_LENGTH_WEIGHTS, span_length
from maskviz.masks.edit import with_units

NASTY = [
    "One",
    "Tom Hanks flew to Paris on 3 May, and she didn't like the 45-year-old hotel.",
    "我们 喜欢 电影。 שלום עולם! مرحبا 🙂 👩‍👩‍👧 e\u0301",
    "<script>alert(1)</script> & <img src=x onerror=alert(1)>",
    "  spaces \t tabs\n\nlines   end  ",
    "word " * 2000,
    "a.b,c;d:e!f?g",
]
NO_MODEL = {
    "random": {},
    "span": {},
    "pattern": {"pattern": r"\w*a\w*"},
    "manual": {"indices": [1]},
    "attribute": {"types": ["age", "pronouns", "gender", "nationality", "religion"]},
}
texts = st.sampled_from(NASTY) | st.text(min_size=1, max_size=60).filter(lambda t: "\x00" not in t)


def made(text: str, name: str, ratio: float | None, seed: int) -> Mask | None:
    try:
        return mask(text, name, ratio=ratio, seed=seed, **NO_MODEL[name])
    except (TextError, UnicodeEncodeError):
        return None


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=texts,
    name=st.sampled_from(sorted(NO_MODEL)),
    ratio=st.none() | st.floats(0, 1),
    seed=st.integers(0, 9),
)
def test_every_mask_is_sorted_disjoint_deterministic_and_round_trips(
    text: str, name: str, ratio: float | None, seed: int
) -> None:
    chosen = made(text, name, ratio, seed)
    if chosen is None:
        return
    edges = [(s.start, s.end) for s in chosen.spans]
    assert all(0 <= a < b <= len(text) for a, b in edges)
    assert all(b <= c for (_, b), (c, _) in pairwise(edges))
    again = made(text, name, ratio, seed)
    assert again is not None
    assert again.to_json() == chosen.to_json()
    assert ~~chosen == chosen
    assert (chosen & ~chosen).spans == ()
    assert (chosen | ~chosen).characters == frozenset(
        i for i, c in enumerate(text) if not c.isspace()
    )
    assert (chosen - chosen).spans == ()
    assert Mask.from_json(chosen.to_json(), text) == chosen
    assert json.loads(chosen.to_json())["spans"] == chosen.to_dict()["spans"]


@settings(max_examples=60, deadline=None)
@given(
    words=st.integers(1, 80),
    ratio=st.floats(0.001, 1),
    seed=st.integers(0, 999),
    name=st.sampled_from(["random", "span"]),
)
def test_the_budget_is_exact(words: int, ratio: float, seed: int, name: str) -> None:
    text = " ".join(f"w{i}" for i in range(words))
    chosen = mask(text, name, ratio=ratio, seed=seed)
    assert len(chosen.hidden_words) == max(1, round(ratio * words))


def test_ratio_0_hides_nothing_and_1_everything() -> None:
    assert mask(NASTY[1], "random", ratio=0).spans == ()
    assert mask(NASTY[1], "random", ratio=1).realised_ratio == 1.0


@pytest.mark.parametrize("ratio", [1.5, -0.1, float("nan")])
def test_a_ratio_outside_0_to_1_is_refused(ratio: float) -> None:
    with pytest.raises(ParameterError, match="between 0 and 1"):
        mask("some text", "random", ratio=ratio)


@pytest.mark.parametrize("text", ["", "   \n", "?!…"])
def test_a_text_without_words_is_refused(text: str) -> None:
    with pytest.raises(TextError, match="no words"):
        mask(text, "random")


def test_an_unknown_strategy_names_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="random-token, span"):
        mask("text", "rndom")


def test_span_lengths_have_spanberts_mean_and_shape() -> None:
    rng = random.Random(3)
    drawn = [span_length(rng) for _ in range(10_000)]
    assert min(drawn) == 1
    assert max(drawn) == 10
    assert sum(drawn) / len(drawn) == pytest.approx(3.797, abs=0.08)
    share = SPAN_LENGTH_WEIGHTS[0] / sum(SPAN_LENGTH_WEIGHTS)
    assert drawn.count(1) / len(drawn) == pytest.approx(share, abs=0.015)


def test_random_hides_every_word_equally_often() -> None:
    text = "a b c d e f g h i j"
    counts = [0] * 10
    for seed in range(2000):
        for index in mask(text, "random", ratio=0.2, seed=seed).hidden_words:
            counts[index] += 1
    assert all(count == pytest.approx(400, abs=75) for count in counts)


def test_the_algebra_keeps_reasons() -> None:
    text = "Bob met Ann"
    names = Mask(text, (MaskSpan(0, 3, "name"), MaskSpan(8, 11, "name")))
    first = Mask(text, (MaskSpan(0, 7, "start"),))
    assert [(s.start, s.end, s.reason) for s in (names & first).spans] == [(0, 3, "name; start")]
    assert [(s.start, s.end) for s in (first - names).spans] == [(4, 7)]
    whole = Mask(text, (MaskSpan(0, 11, "all", 0.5, "ALL"),))
    assert (whole & whole).spans == whole.spans
    assert [(s.start, s.end, s.label) for s in (whole - first).spans] == [(8, 11, "ALL")]
    assert (whole - Mask(text)).spans == whole.spans
    assert (names | first).masked_text() == "[MASK] [MASK] [MASK]"
    assert (~first).masked_text("delete") == "Bob met"


def test_masks_of_different_texts_do_not_mix() -> None:
    with pytest.raises(MaskError, match="different texts"):
        Mask("a b") | Mask("a c")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"\x89PNG", "not JSON"),
        ("[1]", "holds a list"),
        ("{}", "no 'text'"),
        ('{"text": "a"}', "no list 'spans'"),
        ('{"text": "a", "spans": [{"start": 0}]}', "whole numbers"),
        ('{"text": "a", "spans": [{"start": 0, "end": 9}]}', "outside the text"),
        ('{"text": "a", "spans": [{"start": true, "end": 1}]}', "whole numbers"),
        ('{"text": "a", "text_sha256": "0", "spans": []}', "was changed"),
        ("[" * 100_000, "not JSON"),
        ('{"text": "a \\ud800", "spans": []}', "half of a surrogate pair"),
    ],
)
def test_a_broken_mask_is_refused_in_one_sentence(document: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Mask.from_json(document)


def test_a_mask_from_a_file_can_be_written_whatever_its_notes_hold() -> None:
    notes = {"reason": "<b>\ud800", "label": "\udfff\u202e"}
    loaded = Mask.from_json(
        json.dumps(
            {
                "text": "Ann left",
                "spans": [{"start": 0, "end": 3, **notes}],
                "strategy": "</script>\ud800",
                "parameters": {"a\ud800": ["\ud800"]},
                "requested_ratio": float("nan"),
                "seed": 10**400,
            }
        )
    )
    assert json.loads(loaded.to_json().encode())["spans"][0]["label"] == "\ufffd\u202e"
    assert loaded.requested_ratio is None


def test_a_mask_of_another_text_is_refused() -> None:
    with pytest.raises(MaskError, match="another text"):
        Mask.from_json(Mask("one text").to_json(), "other text")


def test_masked_text_shows_each_operator() -> None:
    chosen = Mask("Ann, of Rome, left.", (MaskSpan(8, 12, label="GPE"),))
    assert chosen.masked_text() == "Ann, of [MASK], left."
    assert chosen.masked_text("delete") == "Ann, of, left."
    assert chosen.masked_text("placeholder") == "Ann, of [GPE], left."
    assert chosen.masked_text("attention") == chosen.text
    assert chosen.blocked_text() == "Ann, of ████, left."


def test_attributes_carry_their_category() -> None:
    text = "The 45-year-old Nigerian nun said she met her grandfather in his sixties."
    kinds = ["age", "gender", "nationality", "religion", "pronouns"]
    found = {text[s.start : s.end]: s.label for s in mask(text, "attribute", types=kinds).spans}
    assert found == {
        "45-year-old": "age",
        "Nigerian": "nationality",
        "nun": "religion",
        "she": "pronouns",
        "her": "pronouns",
        "grandfather": "gender",
        "in his sixties": "age",
    }


def test_a_users_word_list_replaces_the_bundled_one(maskviz_home) -> None:
    (maskviz_home / "lexicons").mkdir()
    (maskviz_home / "lexicons" / "age.txt").write_text("ancient\n", encoding="utf-8")
    chosen = mask("An ancient baby", "attribute", types=["age"])
    assert chosen.masked_text() == "An [MASK] baby"


def test_pattern_takes_words_whole_and_refuses_what_is_no_expression() -> None:
    assert (
        mask("Cat, cats, cat's", "pattern", words="cat").masked_text() == "[MASK], cats, [MASK]'s"
    )
    with pytest.raises(ParameterError, match="not a regular expression"):
        mask("text", "pattern", pattern="(")
    with pytest.raises(ParameterError, match="needs a pattern"):
        mask("text", "pattern")


def test_a_pattern_that_backtracks_forever_is_stopped() -> None:
    with pytest.raises(ParameterError, match="took longer"):
        mask("a" * 60 + "b", "pattern", pattern=r"(a|aa|a?)+$")


def test_a_parameter_that_a_strategy_does_not_take_is_refused() -> None:
    with pytest.raises(ParameterError, match="does not take 'types'"):
        mask("text", "random", types=["GPE"])


def test_a_cap_limits_an_exhaustive_strategy() -> None:
    chosen = mask("a1 a2 a3 a4 b b b b b b", "pattern", pattern=r"a\d", ratio=0.2, seed=1)
    assert len(chosen.hidden_words) == 2


def test_a_cap_on_a_long_text_takes_no_time_that_grows_with_its_square() -> None:
    chosen = mask("a film " * 30_000, "pattern", pattern="film", ratio=0.1)
    assert len(chosen.hidden_words) == 6_000


def test_editing_keeps_reasons_and_marks_what_was_added() -> None:
    chosen = Mask("Tom Hanks met Ann", (MaskSpan(0, 9, "name"),), strategy="entity")
    edited = with_units(chosen, chosen.words, [1, 3])
    assert edited.masked_text() == "Tom [MASK] met [MASK]"
    assert [s.reason for s in edited.spans] == ["name", "chosen by hand"]
    assert edited.strategy == "entity"


def test_every_strategy_says_what_it_does() -> None:
    for name, entry in STRATEGIES.items():
        assert entry.name == name
        assert entry.summary.endswith(".")
        assert entry.kind in {"budgeted", "exhaustive", "bernoulli", "manual"}
        assert all(p.help for p in entry.parameters)


NURSE = "The nurse, a woman of 45, met the boy."


@pytest.mark.parametrize(
    ("expression", "masked"),
    [
        ("attribute:gender", "The nurse, a [MASK] of 45, met the [MASK]."),
        ("attribute:gender - pattern:boy", "The nurse, a [MASK] of 45, met the boy."),
        ("pattern:45 | manual:1 & pattern:/The/", "[MASK] nurse, a woman of [MASK], met the boy."),
        ("~~pattern:/b\\w+|4\\d/", "The nurse, a woman of [MASK], met the [MASK]."),
        ("(manual:1 | manual:2) - manual:1", "The [MASK], a woman of 45, met the boy."),
    ],
)
def test_expressions_combine_masks(expression: str, masked: str) -> None:
    chosen = mask(NURSE, expression)
    assert chosen.masked_text() == masked
    assert chosen.strategy == expression
    assert Mask.from_json(chosen.to_json(), NURSE) == chosen


@pytest.mark.parametrize(
    "expression", ["random -", "(random", "random & & x", "random | ?", "| random", "random)"]
)
def test_a_broken_expression_is_one_sentence(expression: str) -> None:
    with pytest.raises(ParameterError, match="write such as"):
        mask(NURSE, expression)


def test_the_ratio_counts_for_budgeted_parts_and_the_complement_for_all() -> None:
    chosen = mask(NURSE, "random - pattern:zzz", ratio=0.5)
    assert chosen == mask(NURSE, "random", ratio=0.5)
    assert mask(NURSE, "random", ratio=0.5, complement=True) == ~chosen


@pytest.mark.parametrize(
    ("strategy", "given", "says"),
    [
        ("pattern", {"words": 5}, "must be a text"),
        ("attribute", {"types": "age"}, "a list of names"),
        ("manual", {"indices": [True]}, "whole numbers"),
        ("redundant", {"threshold": "high"}, "a number"),
    ],
)
def test_a_parameter_of_the_wrong_kind_is_refused(strategy: str, given: dict, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        mask(NURSE, strategy, **given)
