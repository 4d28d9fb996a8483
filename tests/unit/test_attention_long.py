"""The attention of a long text in blocks: sums of what `attend` captures, heads token by token."""

from __future__ import annotations

import base64
import json
import re
import sys
from dataclasses import replace

import numpy as np
import pytest

from maskviz import cli, mask
from maskviz.attention import attend, long_texts
from maskviz.attention import pooled as pooling
from maskviz.attention.by_turn import attention_by_turn
from maskviz.attention.difference import difference, standing
from maskviz.attention.long_texts import is_long, long_pass, read_long
from maskviz.attention.looking import SHOWS, Look, look_at, size_of
from maskviz.attention.pooled import block_size, pooled
from maskviz.attention.summary import summarise
from maskviz.attention.turns import by_part
from maskviz.attention.view import Display, notes, view
from maskviz.errors import ParameterError
from maskviz.inside import by_query
from maskviz.masks import Mask, MaskSpan, apply
from maskviz.masks.operators import usual_operator
from maskviz.models import load_model
from maskviz.models.checks import finding
from maskviz.readings.language.conversing import conversed
from maskviz.readings.question import asked
from maskviz.text.conversation import Conversation, Turn

TEXT = " ".join(
    f"The {word} film was shown in Leeds, and Anna said that it was not good."
    for word in ("great", "small", "old", "new")
)
CELLS, BLOCKS = 20, 7  # in the place of 1,024 tokens and 512 cells: the bundled models take 512


@pytest.fixture
def short(monkeypatch) -> None:
    """Let a text of more than 20 tokens be a long one, of at most 7 blocks."""
    monkeypatch.setattr(long_texts, "LONGEST", CELLS)
    monkeypatch.setattr(pooling, "CELLS", BLOCKS)
    monkeypatch.setattr(by_query, "_CELLS", 900)  # a few queries at a time


def summed(weights, blocks, count: int):
    """Return weights (layers, heads, queries, keys) in blocks: keys added, queries averaged."""
    to = np.array([[b == n for n in range(count)] for b in blocks], dtype=float)
    of = to / np.maximum(to.sum(0), 1)
    return np.einsum("qb,lhqk,kc->lhbc", of, np.asarray(weights, float), to)


@pytest.mark.parametrize("operator", ["", "delete", "placeholder", "attention"])
@pytest.mark.parametrize("family", ["mini", "mini-chat", "modernbert", "llama", "gpt2", "mistral"])
def test_blocks_are_sums_and_heads_are_told_token_by_token(
    family, operator, tiny, short, request
) -> None:
    where = family if family.startswith("mini") else tiny(family, usual_head(family))
    model = load_model(where)
    hidden = mask(TEXT, "random", ratio=0.3) if operator else TEXT
    read = apply(hidden, operator or "mask", model)
    plain = apply(TEXT, "mask", model)
    blocks = [None if at is None else at // 5 for at in standing(plain, read)]
    queries = read.hidden if any(read.hidden) else None
    found = pooled(model, read, blocks, queries=queries)
    whole = attend(hidden, model, operator or "mask")
    count = 1 + max(b for b in blocks if b is not None)
    np.testing.assert_allclose(found.weights, summed(whole.weights, blocks, count), atol=2e-3)
    assert found.numbers == whole.numbers
    shown = view(whole)
    for ours, expected in zip(found.roles, notes(shown, masked=bool(operator)), strict=True):
        for one, other in zip(ours, expected, strict=True):
            assert one.share == pytest.approx(other.share, abs=5e-3)
            assert one.name == other.name
    for name in ("entropy", "special", "hidden"):
        expected = getattr(summarise(shown), name)
        np.testing.assert_allclose(getattr(found.summary, name), expected, atol=5e-3)
    np.testing.assert_allclose(found.summary.distance, summarise(shown).distance, rtol=5e-3)


def usual_head(family: str) -> str:
    return "CausalLM" if family in ("llama", "gpt2", "mistral") else "SequenceClassification"


@pytest.mark.parametrize("show", SHOWS)
@pytest.mark.parametrize("name", ["mini", "mini-chat"])
def test_a_long_text_is_looked_at_in_blocks(name, show, short) -> None:
    model = load_model(name)
    hidden, operator = mask(TEXT, "random", ratio=0.3), usual_operator(model)
    part = "decoder" if name == "mini-chat" else "encoder"
    asked_for = Look(TEXT, hidden, operator, show, part=part)
    assert is_long(model, TEXT, "raw")
    seen = look_at(model, asked_for, Display(words=True, special=False, least=0.2))
    plain, masked = attend(TEXT, model), attend(hidden, model, operator)
    size = block_size(len(plain.encoding))
    assert seen.tokens.block == size > 1
    weights = {
        "plain": plain.weights, "masked": masked.weights, "difference": difference(plain, masked)
    }[show]  # fmt: skip
    if show != "masked" or name == "mini":  # elsewhere masked tokens are not those of the text
        blocks = [i // size for i in range(len(plain.encoding))]
        expected = summed(weights, blocks, len(seen.tokens))
        if name == "mini":
            np.testing.assert_allclose(seen.tokens.weights, expected, atol=2e-3)
    assert seen.tokens.tokens[0].startswith(f"1–{size} The")
    assert any(seen.tokens.hidden) == (show != "plain")
    assert (np.abs(seen.drawn.weights[seen.drawn.weights != 0]) >= 0.19).all()
    if show == "difference":
        assert f"to other blocks of {size} tokens; most in layer" in seen.finding
        moved = [[note.share for note in layer] for layer in seen.notes]
        np.testing.assert_allclose(moved, np.abs(seen.tokens.weights).sum(-1).mean(-1) / 2)
    else:
        whole = plain if show == "plain" else masked
        assert notes(seen.tokens) == seen.notes  # as a page that is written says them
        expected = notes(view(whole), masked=show == "masked")
        names = [[note.name for note in layer] for layer in expected]
        assert [[note.name for note in layer] for layer in seen.notes] == names
        np.testing.assert_allclose(
            summarise(seen.tokens).entropy, summarise(view(whole)).entropy, atol=5e-3
        )
    one = look_at(model, replace(asked_for, layer=1))
    np.testing.assert_array_equal(one.tokens.weights[0], seen.tokens.weights[1])
    assert one.tokens.numbers == (1,)
    with pytest.raises(ParameterError, match="Layer 41"):
        look_at(model, replace(asked_for, layer=40))


def test_a_block_that_is_deleted_has_no_row(short) -> None:
    model = load_model("mini-chat")
    hidden = Mask(TEXT, (MaskSpan(TEXT.index(".") + 2, TEXT.index(" The new")),))
    show = look_at(model, Look(TEXT, hidden, "delete", "difference", part="decoder"))
    gone = np.array(show.tokens.absent)
    assert gone.any()
    assert not show.tokens.weights[:, :, gone].any()
    off = np.array(show.tokens.hidden)
    assert off[gone].all()


def test_it_says_what_a_cell_is_and_what_is_left_out(short, monkeypatch) -> None:
    model, asked_for = load_model("mini"), Look(TEXT, mask(TEXT, "random"))
    size = size_of(model, asked_for)
    count = len(apply(TEXT, "mask", model))
    block = block_size(count)
    assert size.pooled.startswith(f"The text has {count} tokens, and each cell stands for {block}")
    assert size.notice == ""
    assert size.cells == (-(-count // block)) ** 2
    monkeypatch.setattr(long_texts, "READ", 40)
    monkeypatch.setattr("maskviz.attention.looking.READ", 40)
    assert f"over the first 40 of {count}" in size_of(model, asked_for).notice
    assert len(look_at(model, asked_for).tokens) == -(-40 // block_size(40))


def test_a_method_or_an_architecture_that_needs_whole_weights_reads_the_beginning(
    short, tiny
) -> None:
    assert not is_long(load_model("mini"), TEXT, "rollout")
    strange = load_model(tiny("deberta"))
    assert not finding(strange, "long attention").passed
    assert not is_long(strange, TEXT, "raw")
    assert not is_long(load_model("mini"), "A short text.", "raw")
    assert not is_long(load_model("mini-translate"), TEXT, "raw")


def test_turns_are_exact(short) -> None:
    spoken = Conversation(
        (
            Turn("user", "Anna lives in Leeds. Where does Tom live?"),
            Turn("assistant", "Tom lives in Oslo, I think, near the river."),
            Turn("user", "And where does Anna live, if not in Oslo?"),
        )
    )
    model = asked(load_model("mini-chat"), {"name": "next", "conversation": spoken}).model
    read = read_long(spoken.text, "mask", model)
    found = long_pass(model, read, read)
    expected = by_part(view(attend(spoken.text, model)))
    np.testing.assert_allclose(found.turns, expected.weights, atol=2e-3)
    seen = look_at(model, Look(read.text, mask(read.text, "random"), show="plain", part="decoder"))
    assert by_part(seen.tokens).tokens == expected.tokens


@pytest.mark.parametrize(
    ("more", "layers", "hidden"),
    [
        ([], 6, False),
        (["--strategy", "random", "--out", "page.html"], 6, True),
        (["--head", "2.1", "--out", "one.npz"], 1, False),
    ],
)
def test_the_command_says_and_writes_blocks(
    more, layers, hidden, short, monkeypatch, tmp_path, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["maskviz", "attend", TEXT, *more, "--json"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert (result["layers"], result["heads"]) == (layers, 4)
    assert result["block"] > 1
    assert len(result["tokens"]) <= BLOCKS
    assert "each cell stands for" in err
    if more:
        written = (tmp_path / more[-1]).read_bytes()
        assert len(written) > 1000
        messages = re.findall(rb'class="message"[^>]*>([^<]+)<', written)
        told = [base64.b64decode(one) for one in messages]
        assert [name in b"".join(told) for name in (b"difference", b"plain")] == [hidden, hidden]


def test_a_few_queries_of_a_long_text_are_the_rows_of_its_whole_attention() -> None:
    model = load_model("mini")
    read, rows = apply(TEXT, "mask", model), {}
    by_query.attention_by_query(
        model, read, lambda n, first, w: rows.update({(n, first): w.numpy()}), range(1, 2)
    )
    whole = attend(TEXT, model).weights[1]
    assert {n for n, _ in rows} == {1}
    for (_, first), some in rows.items():
        np.testing.assert_allclose(some, whole[:, first : first + some.shape[1]], atol=1e-3)


def test_where_an_answer_looks_is_known_of_a_long_conversation_too(short, monkeypatch) -> None:
    prompt = Conversation(
        (
            Turn("system", "Ann lives in Rome. Bob lives in Milan. The door is green."),
            Turn("user", "Where is Bob?"),
        )
    )
    model = load_model("mini-chat")
    assert is_long(conversed(model, prompt), prompt.text, "raw")
    found = attention_by_turn(model, prompt, "In Milan.")
    monkeypatch.setattr(long_texts, "LONGEST", 1024)
    expected = attention_by_turn(model, prompt, "In Milan.")
    np.testing.assert_allclose(found.turns, expected.turns, atol=1e-3)
    for name in ("template", "answer", "begin"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-3)
    assert sum(found.turns) + found.template + found.answer == pytest.approx(1, abs=5e-3)
