"""Each method against an independent computation, to 1e-6."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from maskviz.attention import METHODS, PARTS, attend
from maskviz.attention.difference import difference_view
from maskviz.attention.finding import finding
from maskviz.attention.methods import (
    flow,
    mean,
    norms,
    raw,
    relevance,
    relevance_across,
    rollout,
    uniform,
)
from maskviz.attention.scores import word_scores
from maskviz.attention.view import notes, view
from maskviz.errors import CapabilityError, ParameterError, TextError, UnknownNameError
from maskviz.inside.gradients import parts_with_gradients
from maskviz.inside.record import record
from maskviz.inside.tape import eager
from maskviz.inside.target import target_of
from maskviz.inside.watch import Layer
from maskviz.masks import Mask, apply, mask
from maskviz.models import load_model
from maskviz.readings.batches import batch
from tests.tiny_models import ALL_FAMILIES

TEXT = "Anna didn't like this truly dull film, though."


def drawn(layers: int = 3, heads: int = 2, tokens: int = 6, causal: bool = False) -> list[Layer]:
    rng = np.random.default_rng(3)
    weights = rng.dirichlet(np.full(tokens, 0.4), size=(layers, heads, tokens))
    if causal:
        weights = np.tril(weights)
        weights /= weights.sum(-1, keepdims=True)
    gradients = rng.normal(size=weights.shape)
    return [Layer(w, gradient=g) for w, g in zip(weights, gradients, strict=True)]


def test_raw_and_mean() -> None:
    layers = drawn()
    assert all((one == layer.weights).all() for one, layer in zip(raw(layers), layers, strict=True))
    for one, layer in zip(mean(layers), layers, strict=True):
        by_hand = sum(layer.weights[h] for h in range(2)) / 2
        assert np.abs(one[0] - by_hand).max() < 1e-6


@pytest.mark.parametrize("causal", [False, True])
def test_rollout_is_the_sum_over_all_paths(causal: bool) -> None:
    layers = drawn(3, 2, 4, causal)
    got = list(rollout(layers))[-1][0]
    steps = []
    for layer in layers:
        step = layer.weights.mean(0) + np.eye(4)
        steps.append(step / step.sum(1, keepdims=True))
    paths = np.zeros((4, 4))
    for a in range(4):
        for b in range(4):
            for c in range(4):
                for d in range(4):
                    paths[a, d] += steps[2][a, b] * steps[1][b, c] * steps[0][c, d]
    assert np.abs(got - paths).max() < 1e-6


def linear_program(steps: list[np.ndarray], source: int, sink: int) -> float:
    """Return the maximum flow as HiGHS finds it, in floating point."""
    from scipy.optimize import linprog

    count = len(steps[0])
    nodes = (len(steps) + 1) * count
    top = len(steps) * count + source
    edges = [
        ((i + 1) * count + q, i * count + k, step[q, k])
        for i, step in enumerate(steps)
        for q in range(count)
        for k in range(count)
    ]
    balance = np.zeros((nodes, len(edges)))
    for e, (start, end, _) in enumerate(edges):
        balance[start, e] -= 1
        balance[end, e] += 1
    inner = [n for n in range(nodes) if n not in (top, sink)]
    answer = linprog(
        -balance[sink], A_eq=balance[inner], b_eq=np.zeros(len(inner)),
        bounds=[(0, capacity) for *_, capacity in edges],
    )  # fmt: skip
    return -answer.fun


def scaled_flow(steps: list[np.ndarray], source: int, sink: int, unit: int) -> float:
    """Return scipy's maximum flow on the graph with whole capacities."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    count = len(steps[0])
    graph = np.zeros(((len(steps) + 1) * count,) * 2)
    for i, step in enumerate(steps):
        graph[(i + 1) * count : (i + 2) * count, i * count : (i + 1) * count] = step
    whole = csr_array(np.rint(graph * unit).astype(np.int32))
    return maximum_flow(whole, len(steps) * count + source, sink).flow_value / unit


def test_flow_equals_a_linear_program_and_scipy_on_the_scaled_graph() -> None:
    layers = drawn(3, 2, 5)
    (got,) = flow(layers)
    steps = [(layer.weights.mean(0) + np.eye(5)) / 2 for layer in layers]
    for source, sink in ((0, 0), (0, 3), (4, 1), (2, 2)):
        assert got[0, source, sink] == pytest.approx(linear_program(steps, source, sink), abs=1e-6)
        scaled = scaled_flow(steps, source, sink, 100_000)
        assert got[0, source, sink] == pytest.approx(scaled, abs=3 * 25 / 100_000)


def test_flow_from_one_query_of_a_long_text_equals_scipy_on_the_scaled_graph() -> None:
    layers = drawn(12, 2, 100)
    (got,) = flow(layers, [7])
    steps = [(layer.weights.mean(0) + np.eye(100)) / 2 for layer in layers]
    for sink in (0, 7, 99):
        scaled = scaled_flow(steps, 7, sink, 10_000_000)
        assert got[0, 7, sink] == pytest.approx(scaled, abs=100 / 10_000_000)
    assert not np.delete(got[0], 7, axis=0).any()


def test_flow_from_some_queries_is_these_rows_of_the_whole(tiny) -> None:
    whole = attend(TEXT, tiny("bert"), method="flow")
    some = attend(TEXT, tiny("bert"), method="flow", queries=(2, 3))
    assert (some.weights[0, 0, 2:4] == whole.weights[0, 0, 2:4]).all()
    assert some.asked == (2, 3)
    shown = view(some)
    assert [i for i, gone in enumerate(shown.absent) if not gone] == [2, 3]
    source = f"from {some.tokens[2]} {some.tokens[3]} goes to"
    assert source in finding(shown, notes(shown))
    change = difference_view(some, attend(TEXT, tiny("bert"), "mask", method="flow"))
    assert not change.weights.any()
    with pytest.raises(ParameterError, match="for flow alone"):
        attend(TEXT, tiny("bert"), queries=(1,))


def test_flow_says_how_long_it_would_take() -> None:
    layers = [Layer(np.full((1, 200, 200), 1 / 200))] * 4
    with pytest.raises(
        ParameterError,
        match=r"4 layers of 200 tokens .* 160 seconds, more than 60: ask for at most 75",
    ):
        list(flow(layers))
    many = [Layer(np.full((1, 700, 700), 1 / 700, np.float16))] * 8
    with pytest.raises(ParameterError, match="about 69 seconds, more than 60: shorten the text"):
        list(flow(many, [0]))


def test_relevance_adds_over_all_subsets_of_layers() -> None:
    layers = drawn(3, 2, 4)
    got = list(relevance(layers))[-1][0]
    a, b, c = (np.clip(layer.weights * layer.gradient, 0, None).mean(0) for layer in layers)
    expected = a + b + c + b @ a + c @ a + c @ b + c @ b @ a
    assert np.abs(got - expected).max() < 1e-6


def test_relevance_uses_the_gradient_of_the_predicted_logit(tiny) -> None:
    model = load_model(tiny("bert"))
    network = model.network("classify")
    encoding = apply(TEXT, "mask", model)
    layers = record(model, encoding, "encoder", needs="gradients")
    kept = []

    def keep(module, given, output) -> None:
        output[1].retain_grad()
        kept.append(output[1])

    hooks = [
        m.register_forward_hook(keep)
        for n, m in network.named_modules()
        if n.endswith("attention.self")
    ]
    with eager(network):
        network(**batch(model, [encoding])).logits[0].max().backward()
    for hook in hooks:
        hook.remove()
    network.zero_grad()
    assert len(kept) == 2
    for layer, weights in zip(layers, kept, strict=True):
        assert np.abs(layer.gradient - weights.grad[0].numpy()).max() < 1e-6
        assert np.abs(layer.gradient).max() > 0


def test_relevance_from_text_to_target_adds_over_all_paths() -> None:
    encoder, own = drawn(2, 2, 4), drawn(2, 2, 3, causal=True)
    rng = np.random.default_rng(5)
    cross = [
        Layer(rng.dirichlet(np.ones(4), size=(2, 3)), gradient=rng.normal(size=(2, 3, 4)))
        for _ in range(2)
    ]
    parts = {"encoder": encoder, "decoder": own, "cross": cross}
    first, second = (one[0] for one in relevance_across(parts))

    def step(layer):
        return np.clip(layer.weights * layer.gradient, 0, None).mean(0)

    def spread(more):
        rows = more.sum(1)
        return np.array(
            [
                [(i == j) + more[i, j] / (rows[i] or 1) for j in range(len(more))]
                for i in range(len(more))
            ]
        )

    (a, b), (c, d), (e, f) = ([step(one) for one in part] for part in (encoder, own, cross))
    text = spread(a + b + b @ a)
    begin = spread(c).T @ e @ text
    assert np.abs(first - begin).max() < 1e-6
    assert np.abs(second - (begin + d @ begin + spread(c + d + d @ c).T @ f @ text)).max() < 1e-6


@pytest.mark.parametrize("family", ["t5", "bart", "marian"])
def test_relevance_of_each_part_uses_gradients_of_what_the_model_writes(tiny, family) -> None:
    model = load_model(tiny(family, "Seq2SeqLM"))
    network, encoding = model.main_network(), apply(TEXT, "delete", model)
    target = target_of(model, TEXT, "He loved it.").ids
    parts = parts_with_gradients(model, encoding, None, target)
    with eager(network), torch.enable_grad():
        ids = torch.tensor([target])
        output = network(
            **batch(model, [encoding]), decoder_input_ids=ids, output_attentions=True,
            use_cache=False,
        )  # fmt: skip
        answer = sum(output.logits[0, i].max() for i in range(len(target)))
        for part, name in zip(PARTS, ("encoder_", "decoder_", "cross_"), strict=True):
            reported = getattr(output, f"{name}attentions")
            gradients = torch.autograd.grad(answer, reported, retain_graph=True)
            assert len(parts[part]) == len(reported)
            for layer, weights, gradient in zip(parts[part], reported, gradients, strict=True):
                assert np.abs(layer.weights - weights[0].detach().numpy()).max() < 5e-4
                largest = max(1.0, float(gradient.abs().max()))
                assert np.abs(layer.gradient - gradient[0].numpy()).max() < 1e-6 * largest
    for part in PARTS:
        shown = attend(TEXT, model, "delete", method="relevance", part=part,
                       target=None if part == "encoder" else "He loved it.")  # fmt: skip
        assert shown.weights.shape == (
            len(parts[part]), 1, len(shown.queries), len(shown.tokens),
        )  # fmt: skip
        assert shown.weights.any()


def modules_of(family: str, block) -> tuple:
    """Return the modules that make values and project them back, as the architecture names them."""
    return {
        "bert": lambda: (block.attention.self.value, block.attention.output.dense),
        "distilbert": lambda: (block.attention.v_lin, block.attention.out_lin),
        "roberta": lambda: (block.attention.self.value, block.attention.output.dense),
        "albert": lambda: (block.attention.value, block.attention.dense),
        "deberta-v2": lambda: (block.attention.self.value_proj, block.attention.output.dense),
    }[family]()


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert", "deberta-v2"])
def test_norm_is_the_length_of_what_each_token_brings(tiny, family: str) -> None:
    model = load_model(tiny(family))
    network = model.main_network().base_model
    encoding = apply(TEXT, "mask", model)
    layers = record(model, encoding, "encoder", needs="values")
    blocks = network.transformer.layer if family == "distilbert" else network.encoder.layer
    inputs = []
    hooks = [
        modules_of(family, block)[0].register_forward_hook(lambda _, i, __: inputs.append(i[0][0]))
        for block in blocks
    ]
    with torch.no_grad(), eager(network):
        network(**batch(model, [encoding]))
    for hook in hooks:
        hook.remove()
    for layer, block, x in zip(layers, blocks, inputs, strict=True):
        value, dense = modules_of(family, block)
        transformed = value(x).detach().double()  # (k, h · d)
        expected = np.zeros(layer.weights.shape[1:])
        for i in range(expected.shape[0]):
            for j in range(expected.shape[1]):
                heads = torch.tensor(layer.weights[:, i, j].astype(float)).repeat_interleave(8)
                weighted = heads * transformed[j]
                expected[i, j] = (dense.weight.detach().double() @ weighted).norm()
        assert np.abs(norms(layer) - expected).max() < 1e-6 * max(1, expected.max())


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_values_times_projection_are_what_the_layer_puts_out(tiny, family: str) -> None:
    """Σ_j of what each token brings must be the output of the attention, up to its bias."""
    head = "Seq2SeqLM" if family == "marian" else "SequenceClassification"
    model = load_model(tiny(family, head))
    part = "encoder" if model.config.is_encoder_decoder else None
    shown = attend(TEXT, model, "delete", method="norm", part=part)
    assert np.abs(shown.weights.astype(np.float32).sum(-1) - 1).max() < 5e-3
    layers = record(model, apply(TEXT, "delete", model), shown.part, needs="values")
    for layer in layers:
        assert layer.projection.shape == (2, 8, 16)
        assert layer.values.shape == (2, len(shown.tokens), 8)


def test_uniform_gives_the_same_to_all_a_query_may_see(tiny) -> None:
    (plain,) = uniform(drawn(2, 2, 5))
    assert np.abs(plain - 0.2).max() < 1e-6
    weights = attend(TEXT, tiny("gpt2"), "delete", method="uniform").weights[0, 0]
    assert weights[0, 0] == 1
    assert weights[3] == pytest.approx([0.25] * 4 + [0] * (len(weights) - 4), abs=1e-3)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "family", ["bert", "modernbert", "distilbert", "gpt2", "llama", "deberta-v2"]
)
def test_every_method_gives_maps_and_a_score_for_each_word(tiny, family: str, method: str) -> None:
    model = load_model(tiny(family))
    attention = attend(TEXT, model, "delete", method=method)
    layers, heads, queries, keys = attention.weights.shape
    assert queries == keys == len(attention.tokens)
    assert heads == (2 if method == "raw" else 1)
    assert layers == (1 if method in ("flow", "uniform") else 2)
    scores = word_scores(TEXT, model, method)
    assert len(scores) == len(Mask(TEXT).words)
    assert min(scores) >= 0
    assert max(scores) > 0


def test_methods_that_need_more_than_there_is_say_so(tiny) -> None:
    with pytest.raises(ParameterError, match=r"rollout.*follows attention through all layers"):
        attend(TEXT, tiny("bart", "Seq2SeqLM"), part="cross", target="It.", method="rollout")
    assert attend(TEXT, tiny("t5"), method="relevance").weights.any()  # a classifier's own label
    with pytest.raises(ParameterError, match="choose the part encoder for relevance"):
        attend(TEXT, tiny("t5"), method="relevance", part="cross", target="It.")
    with pytest.raises(CapabilityError, match="no answer to take a gradient of"):
        attend(TEXT, tiny("bert", "MaskedLM"), method="relevance")
    hidden = mask(TEXT, "pattern", words="dull")
    assert attend(hidden, tiny("bert", "MaskedLM"), method="relevance").weights.any()
    assert attend(TEXT, tiny("gpt2", "CausalLM"), "delete", method="relevance").weights.any()
    with pytest.raises(UnknownNameError, match="choose one of raw, mean, rollout, flow, norm"):
        attend(TEXT, tiny("bert"), method="attention")
    with pytest.raises(TextError):
        word_scores("  ", tiny("bert"))


@pytest.mark.parametrize("method", METHODS)
def test_each_method_says_formula_and_source(method: str) -> None:
    text = METHODS[method].function.__doc__
    assert text.startswith("Yield ")
    assert method in ("mean", "uniform") or "20" in text  # the year of a paper


def test_queries_of_flow_on_the_command_line(run) -> None:
    assert run("attend", "A short text.", "--method", "flow", "--queries", "2, 3")[0] == 0
    for written in ("0", "x", "2,"):
        status, _, err = run("attend", "A short text.", "--method", "flow", "--queries", written)
        assert (status, err.count("\n")) == (2, 1)
        assert "must be token numbers" in err
    assert "outside the text" in run("attend", "A.", "--method", "flow", "--queries", "99")[2]
