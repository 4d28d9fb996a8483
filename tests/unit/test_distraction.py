"""Irrelevant sentences: the questions, what is right, and words that follow the figures."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from maskviz.data import distraction as data
from maskviz.data import distraction_words
from maskviz.errors import CapabilityError, ParameterError, UnknownNameError
from maskviz.evidence.distraction.asking import ask, oracle, spoken
from maskviz.evidence.distraction.cell import (
    _rows,
    masking_of,
    spec_of,
    summary,
    training_questions,
)
from maskviz.evidence.distraction.distraction import distraction, known_cells, summarise
from maskviz.evidence.distraction.experiment import ARMS, COUNTS, QUICK, TRAINED, Experiment
from maskviz.evidence.distraction.words import verdicts
from maskviz.models import load_model
from maskviz.text.document import Document
from maskviz.training.data.masking import drawn
from maskviz.training.spec.mask_spec import NO_STRATEGY, MaskingSpec
from tests.tiny_chat import chat_model

PLAIN = MaskingSpec(NO_STRATEGY, "delete")


# the questions --------------------------------------------------------------------------------


@pytest.mark.parametrize("k", COUNTS)
@pytest.mark.parametrize("kind", data.KINDS)
def test_the_answer_stands_equally_often_at_each_place(k, kind) -> None:
    asked = data.questions(360, k=k, kind=kind)
    for family in data.FAMILIES:
        places = Counter(one.place for one in asked if one.family == family)
        assert set(places) == set(range(k + 2))
        assert max(places.values()) - min(places.values()) <= 1


@pytest.mark.parametrize("k", COUNTS[1:])
def test_what_is_beside_a_question_says_nothing_of_it_and_all_else_stays(k) -> None:
    for i, one in enumerate(data.questions(60, k=k)):
        bare = data.question(i)
        beside = [one.text[span.start : span.end] for span in one.beside]
        assert len(beside) == k == len(set(beside))
        assert (one.question, one.answer, one.foil) == (bare.question, bare.answer, bare.foil)
        people = [name for names in distraction_words.NAMES for name in names]
        asked_of = {name for name in people if name in bare.text}
        assert not any(name in sentence for name in asked_of for sentence in beside)
        rest = one.text
        for span in reversed(one.beside):
            rest = rest[: span.start] + rest[span.end :]
        assert sorted(rest.split()) == sorted(bare.text.split())
        more = data.question(i, k=2 * k).text
        assert all(sentence in more for sentence in beside)


@pytest.mark.parametrize("length", [data.word_count, len])
def test_filler_is_as_long_and_stands_at_the_same_places(length) -> None:
    sizes = []
    for i in range(90):
        one = data.question(i, k=8, length=length)
        filler = data.question(i, k=8, kind="filler", length=length)
        assert filler.place == one.place
        own, other = (
            [q.text[s.start : s.end] for s in q.beside] for q in (one, filler)
        )  # fmt: skip
        assert not any(name in " ".join(other) for name in distraction_words.NAMES[1])
        sizes += [(length(a), length(b)) for a, b in zip(own, other, strict=True)]
    assert all(abs(a - b) <= max(1, 0.2 * a) for a, b in sizes)
    assert np.mean([b - a for a, b in sizes]) == pytest.approx(0, abs=0.5)


def test_a_right_answer_follows_from_the_facts_alone() -> None:
    for one in data.questions(300, seed=3, k=4):
        assert one.answer != one.foil
        if one.family == "look up":
            sentence = next(s for s in one.text.split(". ") if one.answer in s.rstrip(".").split())
            name = next(n for n in distraction_words.NAMES[1] if n in one.question)
            assert name in sentence
            continue
        held = dict.fromkeys(n for n in distraction_words.NAMES[1] if n in one.question)
        for name in held:
            said = next(s for s in one.text.split(". ") if s.startswith(name))
            held[name] = int(next(word for word in said.split() if word.isdecimal()))
        if one.family == "add":
            assert int(one.answer) == sum(held.values())
        else:
            best = max(held, key=held.get) if "more" in one.question else min(held, key=held.get)
            assert one.answer == best


def test_training_and_test_share_no_name_no_sentence_and_no_question() -> None:
    train, test = (
        [data.question(i, k=2, split=split) for i in range(300)] for split in data.SPLITS
    )

    def shapes(asked, names):
        kept = set(names)
        return {
            " ".join("*" if w.strip(".,?") in kept or w[0].isdecimal() else w for w in s.split())
            for q in asked
            for s in (*q.text.split(". "), q.question)
        }

    pools = [pool for pool in vars(distraction_words).values() if isinstance(pool, tuple)]
    flat = [w for pool in (*pools, *distraction_words.NAMES) for w in pool if isinstance(w, str)]
    assert not shapes(train, flat) & shapes(test, flat)
    assert not set(distraction_words.NAMES[0]) & set(distraction_words.NAMES[1])
    assert {q.asked for q in train} == {
        data.question(i, k=2, split="train").asked for i in range(300)
    }


def test_the_rows_of_training_have_each_k_with_the_answer_at_each_place() -> None:
    asked = training_questions(Experiment(rows=216), 0)
    assert Counter(len(one.beside) for one in asked) == dict.fromkeys(TRAINED, 72)
    for k in TRAINED:
        places = Counter(one.place for one in asked if len(one.beside) == k)
        assert len(set(places.values())) == 1
        assert set(places) == set(range(k + 2))


# what is asked and hidden ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return load_model(str(chat_model(tmp_path_factory.mktemp("chat") / "llama", "llama")))


@pytest.mark.parametrize("name", ["mini-chat", "tiny"])
def test_ln_p_is_that_of_a_plain_pass_and_right_is_what_greedy_decoding_writes(name, tiny) -> None:
    model = tiny if name == "tiny" else load_model(name)
    network, tokenizer = model.network("generate"), model.tokenizer
    asked = data.questions(24, seed=5, k=1)
    found = ask(network, model, asked, PLAIN)
    for i, one in enumerate(asked):
        said = [{"role": "user", "content": one.asked}]
        before = tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
        whole = tokenizer.apply_chat_template(
            [*said, {"role": "assistant", "content": one.answer}], tokenize=False
        )
        start = len(tokenizer(before, add_special_tokens=False).input_ids)
        ids = tokenizer(whole, add_special_tokens=False).input_ids
        own = tokenizer(before + one.answer, add_special_tokens=False).input_ids
        assert ids[: len(own)] == own
        with torch.inference_mode():
            logits = network(torch.tensor([ids]), use_cache=False).logits[0].log_softmax(-1)
        wanted = sum(logits[j - 1, ids[j]].item() for j in range(start, len(own)))
        assert found.log_p[i] == pytest.approx(wanted, abs=1e-4)
        end = ids[len(own)]
        with torch.inference_mode():
            written = network.generate(
                torch.tensor([ids[:start]]), max_new_tokens=len(own) - start + 1, do_sample=False
            )[0].tolist()
        assert found.right[i] == (written[start:] == [*own[start:], end])
    if name == "mini-chat":
        assert 0 < sum(found.right) < len(asked)


def test_hidden_at_test_a_model_reads_what_it_reads_without_them() -> None:
    model = load_model("mini-chat")
    network, asked = model.network("generate"), data.questions(12, k=2)
    hidden = ask(network, model, asked, oracle("delete"))
    bare = []
    for one in asked:
        rest = " ".join(
            one.text[a:b].strip()
            for a, b in zip(
                [0, *(s.end for s in one.beside)],
                [*(s.start for s in one.beside), len(one.text)],
                strict=True,
            )
        )
        bare.append(replace(one, text=" ".join(rest.split()), beside=()))
    plain = ask(network, model, bare, PLAIN)
    for one, own, other in zip(asked, hidden.log_p, plain.log_p, strict=True):
        if one.beside[0].start:  # else the next sentence keeps the space before it
            assert own == pytest.approx(other, abs=1e-4)
    assert hidden.tokens[0] == plain.tokens[0] < len(model.tokenizer(asked[0].asked).input_ids)


@pytest.mark.parametrize("arm", ["random", "sentence", "oracle"])
def test_masks_of_training_hide_one_share_and_neither_question_nor_answer(arm) -> None:
    asked = training_questions(Experiment(rows=108), 1)
    masking, share = masking_of(Experiment(), arm, asked, 1)
    _, wanted = masking_of(Experiment(), "oracle", asked, 1)
    assert share == pytest.approx(wanted, abs=0.03)
    for number, row in enumerate(map(spoken, asked[:40])):
        document = Document.of(row.conversation, marked=row.marked)
        chosen = drawn(masking, document, 1, 0, number)
        hidden = " ".join(row.conversation.text[s.start : s.end] for s in chosen.spans)
        question, answer = asked[number].question, asked[number].answer
        start = row.conversation.text.index(question)
        assert all(span.end <= start for span in chosen.spans)
        if arm == "oracle":
            marked = [row.conversation.text[s.start : s.end] for s in row.marked]
            assert hidden == " ".join(marked)
            assert answer not in hidden.split()


def test_the_arms_train_on_what_their_masks_leave(tiny) -> None:
    from maskviz.training.data.lessons import with_lessons
    from maskviz.training.loop.sets import masked_rows

    experiment = Experiment(model=str(tiny.path), rows=108)
    asked = training_questions(experiment, 0)
    spec, _ = spec_of(experiment, "oracle", 0, tiny)
    rows = with_lessons(spec, tiny, _rows(asked, 0, "oracle"))
    data_set = masked_rows(spec, tiny, rows.train, spec.masking, 0)
    for i in (0, 50, 100):
        read = tiny.tokenizer.decode(data_set[i][0].input_ids)
        for span in asked[i].beside:
            assert asked[i].text[span.start : span.end] not in read
        assert asked[i].answer in read


# the figures ----------------------------------------------------------------------------------


def _figures(cost: float, beyond: float, seed: int = 0) -> dict[str, float]:
    found: dict[str, float] = {}
    for k in COUNTS:
        right = 0.8 - (cost * k / 4 if k else 0) + 0.003 * seed
        if k > 2:
            right = beyond + 0.004 * seed
        for name, value in (("accuracy", right), ("log_p", -1.0 - k), ("preferred", 0.9)):
            found[f"{name}_irrelevant_{k}"] = value
            found[f"{name}_filler_{k}"] = 0.8 if name == "accuracy" else value
            found[f"{name}_masked_{k}"] = 0.8
        found |= {f"tokens_{shown}_{k}": 40.0 for shown in ("irrelevant", "filler", "masked")}
        found |= {f"accuracy_{family}_{k}": right for family in data.FAMILIES}
    return {**found, **summary(found)}


def cells(seeds: int = 5, **beyond: float) -> dict[str, list[dict[str, float]]]:
    own = {"base": 0.4, "masked": 0.8, "plain": 0.7, "oracle": 0.5, "random": 0.45}
    own |= {"sentence": 0.46, "reasoned": 0.72, "thought": 0.74, **beyond}
    noise = np.random.default_rng(0).normal(0, 0.002, (len(ARMS), seeds))
    return {
        arm: [_figures(0.2, own[arm] + noise[i, s], s) for s in range(seeds)]
        for i, arm in enumerate(ARMS)
    }


def test_slopes_and_costs_are_those_of_numpy() -> None:
    found = _figures(0.2, 0.4)
    right = [found[f"accuracy_irrelevant_{k}"] for k in COUNTS]
    assert found["slope_accuracy"] == pytest.approx(np.polyfit(COUNTS, right, 1)[0])
    assert found["slope_log_p"] == pytest.approx(-1)
    assert found["cost"] == pytest.approx(np.mean([0.8 - value for value in right[1:]]))
    assert found["beyond"] == pytest.approx(0.4)


def test_each_part_of_the_claim_has_a_verdict_also_where_it_fails() -> None:
    found = summarise(Experiment(), cells())
    held = {claim: holds for claim, holds, _ in found.verdicts}
    assert held["Irrelevant sentences disturb the model more than filler of their length"]
    assert held["Tuning with them in sight helps with more of them than in training"]
    assert held["Hiding them in training helps more than leaving them in sight"] is False
    assert held["Which words are hidden in training matters, not how many"] is True
    assert "more than leaving them in sight” does not hold" in found.finding
    shown = found.to_dict()
    assert [v["holds"] for v in shown["verdicts"]] == list(held.values())
    point = shown["arms"]["base"]["curve"][1]
    assert (point["beside"], point["k"]) == ("irrelevant", 1)
    assert point["accuracy_ci95"][0] < point["accuracy"] < point["accuracy_ci95"][1]
    assert math.isfinite(shown["arms"]["oracle"]["slope_log_p"])


def test_what_does_not_differ_is_said_to_make_no_difference() -> None:
    same = cells(sentence=0.45)
    claim = "Whole sentences, hidden in training unseen, do better than words"
    assert {c: held for c, held, _ in verdicts(summarise(Experiment(), same))}[claim] is False


def test_two_seeds_have_no_verdict_and_say_so() -> None:
    found = summarise(Experiment(seeds=2), cells(2))
    assert found.verdicts == ()
    assert found.finding.endswith("2 seeds: no verdict.")
    assert summarise(Experiment(seeds=2), {arm: [] for arm in ARMS}).finding == (
        "No seed is finished yet."
    )


def test_a_model_that_answers_nothing_cannot_be_disturbed() -> None:
    rows = cells()
    for row in rows["base"]:
        row["accuracy_irrelevant_0"] = 0.0
    assert summarise(Experiment(), rows).verdicts[0][1] is None


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"arms": ("plain",)}, ParameterError, "keep it"),
        ({"arms": ("base", "foo")}, UnknownNameError, "foo"),
        ({"seeds": 1}, ParameterError, "seeds is 1"),
        ({"tests": 3}, ParameterError, "tests is 3"),
        ({"operator": "infill"}, UnknownNameError, "infill"),
    ],
)
def test_what_cannot_be_asked_is_refused(given, error, said) -> None:
    with pytest.raises(error, match=said):
        Experiment(**given)


def test_a_model_without_a_template_is_refused(tmp_path) -> None:
    folder = chat_model(tmp_path / "gpt2", "gpt2")
    (tmp_path / "gpt2" / "chat_template.jinja").unlink()
    experiment = Experiment(model=folder, arms=("base",), seeds=2, tests=6)
    with pytest.raises(CapabilityError, match="template"):
        distraction(experiment)


def test_what_came_with_the_model_is_shown_until_it_is_measured_here() -> None:
    shown = known_cells(Experiment(**QUICK))
    assert {len(rows) for rows in shown.values()} == {QUICK["seeds"]}
    assert {"base", "plain", "oracle"} < set(shown) <= set(ARMS)
    said = summarise(Experiment(**QUICK), shown).finding
    assert said.startswith("mini-chat answers 19.2\xa0% of the questions right")
    assert known_cells(Experiment(**{**QUICK, "steps": 91}))["base"] == []
