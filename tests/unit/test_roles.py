"""The role of a head, on weights whose role is known by construction."""

import numpy as np
import pytest

from maskviz.attention.roles import SHORT, HeadRole, head_roles

N = 12
SPECIAL = [True] + [False] * (N - 2) + [True]
HIDDEN = [i in (4, 5) for i in range(N)]


def one(weights, **marks):
    return head_roles(weights[None, None], SPECIAL, **marks)[0][0]


def onto(columns):
    """Every query gives its whole attention, evenly, to `columns`."""
    weights = np.zeros((N, N))
    weights[:, columns] = 1 / len(columns)
    return weights


def shifted(by):
    weights = np.eye(N, k=by)
    weights[weights.sum(1) == 0, 0] = 1
    return weights


@pytest.mark.parametrize(
    ("weights", "name"),
    [
        (shifted(-1), "previous token"),
        (shifted(1), "next token"),
        (np.eye(N), "same word"),
        (onto([0, N - 1]), "separator"),
        (onto([4, 5]), "onto hidden words"),
        (np.full((N, N), 1 / N), "broad"),
        (onto([2, 7, 8]), "mixed"),
    ],
)
def test_each_role_is_found(weights, name):
    assert one(weights, hidden=HIDDEN).name == name


def test_share_is_the_mean_over_ordinary_queries():
    weights = 0.6 * shifted(-1) + 0.4 / N
    # Query 1 looks back at the special [CLS], which counts as separator, hence 9 of 10 queries.
    assert one(weights).share == pytest.approx(0.9 * (0.6 + 0.4 / N), abs=1e-6)


def test_subwords_of_one_word_count_as_the_same_word():
    words = [0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    weights = np.eye(N)
    weights[1:4] = 0
    weights[1:4, 1:4] = 1 / 3
    assert one(weights, words=words) == HeadRole("same word", 1.0)


def test_a_plain_text_has_no_hidden_words_to_look_at():
    assert one(onto([4, 5])).name != "onto hidden words"


def test_even_attention_over_a_tiny_text_is_broad_not_a_role():
    weights = np.full((1, 1, 3, 3), 1 / 3)
    assert head_roles(weights, [True, False, True])[0][0].name == "broad"


def test_only_special_tokens_is_no_division_by_zero():
    assert head_roles(np.full((1, 1, 2, 2), 0.5), [True, True])[0][0].share <= 1


def test_float16_of_many_heads_keeps_its_shape():
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(N), size=(3, 5, N)).astype(np.float16)
    roles = head_roles(weights, SPECIAL, HIDDEN)
    assert (len(roles), {len(layer) for layer in roles}) == (3, {5})
    assert all(0 <= role.share <= 1 for layer in roles for role in layer)


def test_every_role_says_what_its_share_means():
    for name in SHORT:
        role = HeadRole(name, 0.5)
        assert role.short
        assert name in role.sentence
        assert "50\u00a0%" in role.sentence


def back(share):
    """Every query gives so much to the first token and the rest evenly to what stands before."""
    weights = np.tril(np.ones((N, N)))
    weights[:, 0] = 0
    weights[0, 0] = 1
    weights /= weights.sum(1, keepdims=True)
    weights[1:] *= 1 - share
    weights[1:, 0] += share
    return weights


@pytest.mark.parametrize(("share", "name"), [(0.9, "sink"), (0.55, "sink"), (0.4, "broad")])
@pytest.mark.parametrize("special", [True, False])
def test_the_first_token_is_a_sink_where_none_looks_ahead(share, name, special):
    marks = [special, *[False] * (N - 1)]
    (role,) = head_roles(back(share)[None, None], marks)[0]
    assert (role.name == "sink") == (name == "sink")
    if name == "sink":
        assert role.share == pytest.approx(share, abs=0.09)


def test_an_encoder_has_no_sink():
    heads = np.stack([onto([0]), shifted(1)])
    assert head_roles(heads[None], SPECIAL)[0][0].name == "separator"
