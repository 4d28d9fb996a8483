"""The sentence that the Attention page opens with."""

import numpy as np

from maskviz.attention.finding import difference_finding, masked_finding, plain_finding
from maskviz.attention.roles import HeadRole
from maskviz.attention.view import View, notes


def shown(weights, hidden=None, absent=None, signed=False):
    n = weights.shape[-1]
    return View(
        weights,
        tuple("abcdefgh"[:n]),
        tuple(hidden or [False] * n),
        (True, *[False] * (n - 1)),
        tuple(range(n)),
        tuple(absent or [False] * n),
        signed,
    )


def test_plain_names_the_roles_most_played_and_the_clearest_head():
    previous, mixed = HeadRole("previous token", 0.8), HeadRole("mixed", 0.2)
    sentence = plain_finding([[previous, mixed], [previous, HeadRole("broad", 0.95)]])
    assert sentence.startswith("Of 4 heads, 2 look at the previous token and 1 spreads broadly")
    assert "layer 1, head 1 (previous token: 80\u00a0% of its attention)" in sentence


def test_of_broad_heads_the_least_broad_is_the_clearest():
    roles = [[HeadRole("broad", 0.9), HeadRole("broad", 0.6)]]
    assert "layer 1, head 2 (broad: as if spread evenly over 60\u00a0%" in plain_finding(roles)


def test_plain_of_mixed_heads_claims_nothing():
    assert "mixed" in plain_finding([[HeadRole("mixed", 0.2)]])


def test_masked_says_what_the_hidden_tokens_look_at():
    weights = np.zeros((2, 2, 4, 4))
    weights[..., 3] = 1
    roles = [[HeadRole("next token", 1.0)] * 2] * 2
    sentence = masked_finding(shown(weights, hidden=[False, False, False, True]), roles)
    assert sentence.startswith("At the hidden token, of 4 heads, 4 look at the next token;")
    assert "layer 1, head 1 (next token: 100\u00a0% of its attention)" in sentence


def test_masked_says_when_the_hidden_words_are_gone():
    roles = [[HeadRole("mixed", 0.1)]]
    assert "left out" in masked_finding(shown(np.ones((1, 1, 4, 4)) / 4), roles)


def test_difference_names_the_head_that_moves_most():
    weights = np.zeros((2, 2, 4, 4))
    weights[1, 0, :, 1], weights[1, 0, :, 2] = 0.3, -0.3
    change = shown(weights, signed=True)
    sentence = difference_finding(change, notes(change))
    assert "moves 7.5\u00a0% of the attention" in sentence
    assert "most in layer 2, head 1, which moves 30\u00a0%" in sentence


def test_no_difference_is_said_plainly():
    change = shown(np.zeros((1, 1, 4, 4)), signed=True)
    assert "moves no attention" in difference_finding(change, notes(change))
