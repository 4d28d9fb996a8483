"""A conversation is asked about: every number equals a plain pass over the template's own ids."""

from __future__ import annotations

import copy
import json
import re

import numpy as np
import pytest
import torch

import maskviz
from maskviz.errors import CapabilityError, MaskError, ParameterError
from maskviz.evidence import METHODS, compare, control, explain
from maskviz.evidence.chance.reference import reference_set
from maskviz.evidence.words.answer import answer_matrix
from maskviz.evidence.words.faithfulness import faithfulness
from maskviz.masks import Mask, MaskSpan, apply, mask
from maskviz.models import load_model
from maskviz.readings.language.conversing import answered, rendered
from maskviz.readings.language.positions import kl_by_position
from maskviz.readings.question import asked
from maskviz.text.conversation import Conversation, Turn, read_conversation
from tests.chat_templates import TEMPLATES
from tests.tiny_chat import chat_model

SAID = read_conversation(
    [
        {"role": "system", "content": "Be kind. Be short."},
        {"role": "user", "content": "She loved every minute of this. Who is Anna?"},
        {"role": "assistant", "content": "Anna of Paris"},
    ]
)


@pytest.fixture(scope="session")
def chat(tmp_path_factory: pytest.TempPathFactory):
    """Return a function (template, family) → a tiny chat model, each built once."""
    built: dict[tuple[str, str], str] = {}

    def load(template: str = "plain", family: str = "llama"):
        key = template, family
        if key not in built:
            folder = tmp_path_factory.mktemp(f"{template}-{family}")
            built[key] = chat_model(folder, family, TEMPLATES[template])
        return load_model(built[key])

    return load


def plain_pass(model, ids: list[int], first: int) -> np.ndarray:
    """Return ln p of each of the ids from `first` on."""
    with torch.inference_mode():
        said = model.network("generate")(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return np.array([float(said[i - 1, ids[i]]) for i in range(first, len(ids))])


def ids_of(model, said: Conversation, begin: bool = False) -> list[int]:
    given = {"add_generation_prompt": begin}
    return model.tokenizer.apply_chat_template(said.messages(), **given)["input_ids"]


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma3_text"])
@pytest.mark.parametrize("template", ["plain", "thinking", "tools"])
def test_the_last_answer_is_scored_in_the_templates_own_ids(chat, template, family) -> None:
    model = chat(template, family)
    put = asked(model, {"name": "answer", "conversation": SAID})
    whole = ids_of(model, SAID)
    read = apply(SAID.prompt.text, "attention", put.model)
    assert list(read.input_ids) == whole[: len(read)]
    (logits,) = put.logits([read])
    own = len(put.outputs) - 1
    found = plain_pass(model, whole[: len(read) + own], len(read))
    assert logits[1:] == pytest.approx(found, abs=1e-4)
    assert model.tokenizer.decode(whole[len(read) : len(read) + own]) == "Anna of Paris"
    assert logits[0] == pytest.approx(found.sum(), abs=1e-4)


@pytest.mark.parametrize("words", ["loved,Anna", "kind"])
def test_under_a_mask_the_hidden_tokens_are_gone_and_no_other(chat, words) -> None:
    model = chat()
    put = asked(model, {"name": "answer", "conversation": SAID})
    hidden = mask(SAID.prompt, "pattern", words=words)
    found = compare(hidden, put, "delete")
    read = apply(SAID.prompt.text, "attention", put.model)
    kept = [
        i
        for i, place in zip(read.input_ids, read.offsets, strict=True)
        if not (place and any(s.start < place[1] and s.end > place[0] for s in hidden.spans))
    ]
    tail = ids_of(model, SAID)[len(read) : len(read) + len(put.outputs) - 1]
    by_hand = plain_pass(model, kept + tail, len(kept))
    assert found.masked.probabilities["Anna of Paris"] == pytest.approx(by_hand.sum(), abs=1e-4)
    assert list(apply(hidden, "delete", put.model).input_ids) == kept


def test_the_models_own_answer_is_what_transformers_writes(chat) -> None:
    model = chat()
    put = asked(model, {"name": "answer", "conversation": SAID, "answer": "", "longest": 6})
    about = put.about(SAID.prompt.text)
    ids = torch.tensor([ids_of(model, SAID.prompt, begin=True)])
    found = model.network("generate").generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=6, do_sample=False
    )[0, ids.shape[1] :]
    assert list(about.given["tokens"]) == found.tolist()
    (logits,) = about.logits([apply(SAID.prompt.text, "attention", about.model)])
    whole = [*ids[0].tolist(), *found.tolist()]
    assert logits[1:] == pytest.approx(plain_pass(model, whole, ids.shape[1]), abs=1e-4)


def test_choices_are_turns_of_the_assistants(chat) -> None:
    model = chat()
    choices = ("Anna of Paris", "the dog", "He didn't")
    put = asked(model, {"name": "choices", "conversation": SAID.prompt, "choices": choices})
    (logits,) = put.logits([apply(SAID.prompt.text, "attention", put.model)])
    start = len(ids_of(model, SAID.prompt, begin=True))
    for choice, found in zip(choices, logits, strict=True):
        ids = ids_of(model, SAID.prompt.answering(choice))[:-2]  # without the end mark, line
        assert found == pytest.approx(plain_pass(model, ids, start).sum(), abs=1e-4)


def test_the_next_token_is_that_behind_the_begun_turn(chat) -> None:
    model = chat()
    put = asked(model, {"name": "next", "conversation": SAID, "target": "Anna"[:3]})
    about = asked(model, {"name": "next", "conversation": SAID}).about(SAID.prompt.text)
    ids = ids_of(model, SAID.prompt, begin=True)
    with torch.inference_mode():
        said = model.network("generate")(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
    assert about.given["tokens"] == tuple(said.topk(5).indices.tolist())
    (logits,) = put.logits([apply(SAID.prompt.text, "attention", put.model)])
    assert logits[0] == pytest.approx(float(said[put.model.tails[0].own[0]]), abs=1e-4)


def test_explain_and_control_score_contents_alone(chat) -> None:
    put = asked(chat(), {"name": "answer", "conversation": SAID})
    words = explain(SAID.prompt.text, put).words
    assert [word.text for word in words][:4] == ["Be", "kind", "Be", "short"]
    for word in words[:3]:
        gone = compare(Mask(SAID.prompt.text, (MaskSpan(word.start, word.end),)), put, "attention")
        assert word.score == pytest.approx(-gone.delta["Anna of Paris"], abs=1e-4)
    found = control(mask(SAID.prompt, "pattern", words="loved"), put, "delete")
    assert (found.unit, found.whole) == ("word", True)


def test_a_system_prompt_that_vanishes_before_an_answer_is_read_all_the_same(chat) -> None:
    model = chat("inst")
    put = asked(model, {"name": "answer", "conversation": SAID})
    read = apply(SAID.prompt.text, "attention", put.model)
    assert list(read.input_ids) == ids_of(model, SAID.prompt, begin=True)
    found = compare(mask(SAID.prompt, "pattern", words="kind,short"), put, "delete")
    assert found.delta["Anna of Paris"] != 0


def test_an_answer_behind_an_answer_is_asked_for_once_and_twice(chat) -> None:
    turns = (Turn("user", "Who?"), Turn("assistant", "Ann"), Turn("assistant", "Bob"))
    model = chat()
    first = asked(model, {"name": "answer", "conversation": Conversation(turns)})
    again = asked(model, json.loads(json.dumps(first.spec())))
    prompt = Conversation(turns).prompt
    assert first.spec() == again.spec()
    assert again.given["answer"] == "Bob"
    said = [{"role": t.role, "content": t.content} for t in turns]
    own = model.tokenizer.apply_chat_template(said[:2], tokenize=False, add_generation_prompt=True)
    assert rendered(model, prompt).text == own
    whole = model.tokenizer.apply_chat_template(said, tokenize=False)
    assert answered(model, prompt, "Bob").text == whole


def test_the_answers_thought_is_part_of_what_is_read(chat) -> None:
    model = chat("thinking")
    said = Conversation((Turn("user", "Who loved it?"), Turn("assistant", "Anna", "She or he?")))
    put = asked(model, {"name": "answer", "conversation": said})
    read = apply(said.prompt.text, "attention", put.model)
    assert "She or he?".replace(" ", "") in "".join(
        said.prompt.text[slice(*p)] for p in read.offsets if p
    )
    assert list(read.input_ids) == ids_of(model, said)[: len(read)]


@pytest.mark.parametrize("operator", ["delete"])
def test_a_turn_that_would_be_empty_says_so(chat, operator) -> None:
    put = asked(chat(), {"name": "answer", "conversation": SAID})
    whole = Mask(SAID.prompt.text, (MaskSpan(0, len("Be kind. Be short.")),))
    read = apply(whole, operator, put.model)
    assert put.model.tokenizer.decode(read.input_ids).startswith(
        "<|start|>system\n…<|end|>\n<|start|>user\nShe loved"
    )
    assert "Nothing of turn 1 is left" in read.notice
    assert "Nothing of turn 1 is left" in compare(whole, put, operator).notice


@pytest.mark.parametrize("operator", ["pad", "unk"])
def test_marks_of_ends_are_never_put_in(chat, operator) -> None:
    model = chat()
    tok = model.tokenizer
    put = asked(model, {"name": "answer", "conversation": SAID})
    hidden = mask(SAID.prompt, "pattern", words="kind")
    before = tok.unk_token, tok.eos_token
    try:
        tok.unk_token = tok.eos_token = "<|end|>"
        if operator == "pad":
            tok.eos_token = tok.convert_ids_to_tokens(model.padding)
        with pytest.raises(CapabilityError, match=f"The {operator} token of .* begins or ends"):
            apply(hidden, operator, put.model)
    finally:
        tok.unk_token, tok.eos_token = before


def test_template_characters_are_never_hidden(chat) -> None:
    put = asked(chat(), {"name": "answer", "conversation": SAID})
    everything = Mask(SAID.prompt.text, (MaskSpan(0, len(SAID.prompt.text)),))
    plain = apply(SAID.prompt.text, "attention", put.model)
    read = apply(everything, "delete", put.model)
    own = [i for i, place in zip(plain.input_ids, plain.offsets, strict=True) if place is None]
    kept = [i for i, hides in zip(read.input_ids, read.hidden, strict=True) if not hides]
    left = iter(kept)
    assert all(token in left for token in own)  # in order, each of them


def test_another_text_and_a_long_conversation_are_refused(chat) -> None:
    put = asked(chat(), {"name": "answer", "conversation": SAID})
    with pytest.raises(MaskError, match="is not that of the conversation"):
        apply("She loved it.", "attention", put.model)
    long = Conversation((Turn("user", "She loved every minute. " * 90),))
    with pytest.raises(ParameterError, match=r"The conversation takes .* tokens"):
        apply(long.text, "attention", asked(chat(), {"name": "next", "conversation": long}).model)


def test_the_question_goes_through_json(chat) -> None:
    model = chat()
    put = asked(model, {"name": "answer", "conversation": SAID})
    again = asked(model, put.spec())
    assert again.parameters == put.parameters
    assert put.spec()["answer"] == "Anna of Paris"
    assert again.spec()["conversation"]["messages"] == SAID.prompt.messages()


def test_masks_stay_within_turns() -> None:
    said = Conversation(tuple(Turn(r, "She loved it") for r in ("user", "assistant", "user")))
    for seed in range(20):
        for strategy in ("span", "random"):
            for span in maskviz.mask(said, strategy, ratio=0.8, seed=seed).spans:
                assert "\n" not in said.text[span.start : span.end]


def test_a_model_without_a_template_is_one_sentence(decoder) -> None:
    with pytest.raises(CapabilityError, match="has no chat template"):
        asked(decoder("llama"), {"name": "answer", "conversation": SAID})


TALK = read_conversation(
    [
        {"role": "system", "content": "You love films. You never lie."},
        {"role": "user", "content": "Anna of Paris sees it. The dog is lazy. Who is quick?"},
        {"role": "assistant", "content": "The fox is quick. It jumps over the dog."},
        {"role": "user", "content": "And who loved every minute of it?"},
    ]
)


@pytest.mark.parametrize(
    ("given", "unit", "others"),
    [
        ({"strategy": "pattern", "words": "lazy"}, "word", {"user"}),
        ({"strategy": "pattern", "words": "loved"}, "word", {"user", "last"}),
        ({"strategy": "pattern", "words": "fox,never"}, "word", {"system", "assistant"}),
        ({"strategy": "sentence", "indices": [2]}, "sentence", {"system"}),
        ({"strategy": "sentence", "indices": [4]}, "sentence", {"user"}),
        ({"strategy": "turn", "indices": [2]}, "turn", {"user"}),
        ({"strategy": "turn", "indices": [2, 3]}, "turn", {"user", "assistant"}),
        ({"strategy": "pattern", "pattern": "fox is"}, "run of words", {"assistant"}),
    ],
)  # fmt: skip
def test_chance_is_drawn_from_what_the_same_roles_say(chat, given, unit, others) -> None:
    put = asked(chat(), {"name": "next", "conversation": TALK, "target": "a"})
    chosen = mask(TALK, **given)
    found = reference_set(chosen, put.model)
    assert found.unit == unit
    last = len(TALK.turns) - 1
    for other in found.masks:
        for span in other.spans:
            (piece,) = TALK.pieces_in(span.start, span.end)
            assert piece.role in others
            assert piece.turn != last or "last" in others
    if unit == "word" and given.get("words") == "lazy":
        assert len(found.masks) > 1


def test_what_the_template_leaves_out_is_no_chance(chat) -> None:
    spoken = read_conversation(
        [
            {"role": "user", "content": "Who loved it?"},
            {"role": "assistant", "content": "<think>Anna or Bob or she</think>Anna of Paris"},
            {"role": "user", "content": "And who sees it?"},
        ]
    )
    put = asked(chat("thinking"), {"name": "next", "conversation": spoken, "target": "a"})
    found = reference_set(mask(spoken, "pattern", words="Paris"), put.model)
    hidden = {m.text[s.start : s.end] for m in found.masks for s in m.spans}
    assert hidden
    assert not hidden & {"Bob", "she", "think"}


@pytest.mark.parametrize("method", [m for m in METHODS if m != "attention-relevance"])
def test_every_method_scores_the_contents_alone(chat, method) -> None:
    put = asked(chat(), {"name": "answer", "conversation": SAID})
    found = explain(SAID.prompt.text, put, method)
    assert [w.text for w in found.words] == [SAID.prompt.text[a:b] for a, b in Mask(
        SAID.prompt.text).words]  # fmt: skip
    if method == "integrated-gradients":
        assert found.convergence_gap == pytest.approx(0, abs=0.5)


def test_faithfulness_and_the_matrix_of_an_answer(chat) -> None:
    put = asked(chat(), {"name": "answer", "conversation": SAID})
    explained = explain(SAID.prompt.text, put)
    measured = faithfulness(explained, SAID.prompt.text, "delete", 20, "cut", 0, put.model)
    assert np.isfinite(list(measured.values.values())).all()
    matrix = answer_matrix(SAID.prompt.text, put).to_dict()
    sums = [word.log_odds for word in explained.words]
    assert [sum(row) for row in matrix["scores"]] == pytest.approx(sums, abs=1e-3)


def test_the_strip_of_positions_has_contents_at_their_characters(chat) -> None:
    put = asked(chat(), {"name": "answer", "conversation": SAID})
    hidden = mask(SAID.prompt, "pattern", words="kind")
    found = kl_by_position(hidden, put.model, "delete")
    before = [p.kl for p in found if p.start is not None and p.start < 3]
    behind = [p.kl for p in found if p.start is None or p.start > 20]
    assert before == pytest.approx([0] * len(before), abs=1e-6)
    assert sum(kl for kl in behind if kl) > 0
    assert {SAID.prompt.text[p.start : p.end] for p in found if p.start is not None} >= {"She"}


def test_a_gain_over_nothing_is_refused(chat) -> None:
    given = {"name": "choices", "choices": ("a", "b"), "by": "pmi", "conversation": SAID}
    with pytest.raises(ParameterError, match="pmi"):
        asked(chat(), given)


@pytest.mark.parametrize("operator", ["mask", "corrupt", "unk"])
@pytest.mark.parametrize("unk", [None, "eos_token"])
def test_the_operators_that_a_refusal_names_work(chat, operator: str, unk: str | None) -> None:
    model = copy.copy(chat())
    tokenizer = copy.deepcopy(model.tokenizer)
    tokenizer.unk_token = unk and getattr(tokenizer, unk)
    object.__setattr__(model, "tokenizer", tokenizer)
    put = asked(model, {"name": "answer", "conversation": SAID})
    chosen = mask(SAID.prompt, "pattern", words="kind")
    with pytest.raises(CapabilityError) as refused:
        apply(chosen, operator, put.model)
    _, named = str(refused.value).rstrip(".").rsplit("use the operator ", 1)
    names = named.replace(" or ", ", ").split(", ")
    assert names == ["delete", "placeholder", "attention"]
    assert all(len(apply(chosen, name, put.model)) for name in names)


@pytest.mark.parametrize("more", [{"longest": 2}, {"longest": 40}, {"answer": "Anna of Paris"}])
@pytest.mark.parametrize("turns", [1, 2])
def test_what_is_too_long_says_what_is_kept_free(chat, turns: int, more) -> None:
    said = Conversation((Turn("user", "word " * 600),) * turns)
    put = asked(chat(), {"name": "answer", "conversation": said, **more})
    with pytest.raises(ParameterError) as refused:
        put.model.tokenise(said.text)
    told = str(refused.value)
    limit, kept = re.search(r"(\d+) are the limit \(512 less (\d+) that", told).groups()
    assert int(limit) + int(kept) == 512
    assert ("shorten the text" in told, "leave turns out" in told) == (turns == 1, turns == 2)
    lower = f"lower longest, which is {more.get('longest')}"
    assert lower not in told  # of so many tokens it would not help
    nearly = Conversation((Turn("user", "word " * (118 // turns)),) * turns)
    with pytest.raises(ParameterError) as refused:
        asked(chat(), {"name": "answer", "conversation": nearly, "longest": 40}).about(nearly.text)
    count = int(re.search(r"takes (\d+) tokens", str(refused.value)).group(1))
    assert (count < 512, "lower longest, which is 40" in str(refused.value)) == (True, True)
