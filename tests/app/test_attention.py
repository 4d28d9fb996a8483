"""The Attention page without a browser: what it says, keeps and reads from a link."""

from hashlib import sha256
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

from maskviz.inside.tape import shape_of
from maskviz.models import load_model

PAGE = Path(__file__).parents[2] / "pages" / "attention.py"
WAIT = 180
LAYERS, HEADS = shape_of(load_model("mini"), "encoder")
ALL_HEADS = LAYERS * HEADS
TEXT = "The acting was superb, although the ending felt a little too sweet."


def open_page(**link: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=WAIT)
    for name, value in {"text": TEXT, "strategy": "random", "ratio": "0.3", **link}.items():
        app.query_params[name] = value
    return app.run()


def headline(app: AppTest) -> str:
    return app.markdown[0].value.replace("\u00a0", " ")


def titles(app: AppTest) -> list[str]:
    return [element.value for element in app.markdown]


@pytest.fixture(scope="module")
def opened() -> AppTest:
    app = open_page()
    assert not app.exception
    return app


def test_opens_with_a_computed_finding(opened):
    assert "Hiding 4 of 12 words (random) moves" in headline(opened).replace("\\", "")
    assert not opened.error


@pytest.mark.parametrize(
    ("show", "says"),
    [("plain", f"Of {ALL_HEADS} heads"), ("masked", f"hidden tokens, of {ALL_HEADS} heads")],
)
def test_link_chooses_what_is_shown(show, says):
    app = open_page(show=show)
    assert says in headline(app)
    assert app.session_state["attention_show"] == show


def test_another_text_is_written_on_the_page_itself():
    app = open_page()
    app.text_area(key="view_text").set_value("Ingrid wrote a slow and lovely letter.").run()
    assert not app.exception
    assert "of 7 words" in headline(app).replace("\\", "")


@pytest.mark.parametrize("text", [" ", "\n"])
def test_without_a_text_there_is_a_field_to_write_one(text):
    app = open_page(text=text)
    assert headline(app).startswith("### No text yet")
    assert app.text_area(key="view_text")


def test_link_chooses_the_head(opened):
    app = open_page(head="2.3", words="0", special="0", scale="head")
    assert any("Layer 2, head 3" in title for title in titles(app))
    assert not app.session_state["attention_words"]
    assert not app.session_state["attention_special"]
    assert app.session_state["attention_scale"] == "head"


@pytest.mark.parametrize("head", ["9.9", "0.1", "x", "1", "-1.2", "1.2.3"])
def test_a_head_that_is_not_there_opens_the_most_telling_one(head, opened):
    shown = [title for title in titles(open_page(head=head)) if title.startswith("**Layer")]
    assert shown == [title for title in titles(opened) if title.startswith("**Layer")]


def test_the_link_of_the_sidebar_holds_the_view():
    app = open_page(show="masked", head="2.3")
    link = app.sidebar.code[0].value
    assert "show=masked" in link
    assert "head=2.3" in link


def test_two_passes_for_a_new_text_and_none_when_only_the_view_changes(monkeypatch):
    from maskviz.attention import capture

    passes = []
    real = capture.capture
    monkeypatch.setattr(capture, "capture", lambda *a: passes.append(a) or real(*a))
    app = open_page(text="A text that no other test reads, with two passes.")
    assert len(passes) == 2
    for show in ("plain", "masked", "difference"):
        app.session_state["attention_show"] = show
        app.run()
    app.session_state["attention_words"] = False
    app.run()
    assert not app.exception
    assert len(passes) == 2


def test_the_table_names_every_head(opened):
    table = opened.dataframe[0].value
    assert len(table) == ALL_HEADS
    assert table["Share, %"].between(0, 100).all()


def test_methods_share_one_pass_where_weights_are_enough(monkeypatch):
    from maskviz.attention import capture

    passes = []
    real = capture.capture
    monkeypatch.setattr(capture, "capture", lambda *a: passes.append(a) or real(*a))
    app = open_page(text="Methods of a text that no other test reads.", show="plain")
    for method in ("mean", "rollout", "flow", "uniform"):
        app.session_state["attention_method"] = method
        app.run()
        assert not app.exception
        assert not app.error
    assert len(passes) == 1
    app.session_state["attention_method"] = "relevance"
    app.run()
    assert "By relevance, most attention goes to" in headline(app)
    assert len(passes) == 2


def test_flow_of_a_long_text_is_followed_from_one_word(monkeypatch):
    words = "The film was slow but the acting of the children was a warm surprise to me "
    app = open_page(text=words * 8, method="flow", show="plain", strategy="manual", hidden="4.5")
    assert not app.exception
    (choice,) = [box for box in app.selectbox if box.label == "Flow from the word"]
    assert "but" in choice.options[choice.value]  # the first word that is hidden
    assert "from but goes to" in headline(app)
    drawn = [chart for chart in app.get("plotly_chart") if "tickvals" in chart.proto.spec]
    assert len(drawn) == 1  # a bar for each word, and no square with one row
    assert not any("select one to see it large" in m.value for m in app.markdown)
    assert any("From “but” to each word" in m.value for m in app.markdown)
    choice.set_value(2).run()
    assert "from film goes to" in headline(app) or "from The goes to" in headline(app)
    app.session_state["attention_show"] = "difference"
    app.run()
    assert not app.exception
    assert not app.error
    assert "of what flow gives to other tokens" in headline(app)


def test_long_texts_are_looked_at_layer_by_layer(monkeypatch):
    from maskviz.ui.attention import look as attention_look

    monkeypatch.setattr(attention_look, "SENT_AT_ONCE", 1000)
    app = open_page(show="plain")
    assert not app.exception
    assert "in layer 1" in headline(app) or "layer 1, head" in headline(app)
    assert any("layers are" in caption.value for caption in app.caption)
    app.session_state["attention_layer"] = 2
    app.run()
    assert "layer 3, head" in headline(app)
    assert any(title.startswith("**Layer 3") for title in titles(app))
    monkeypatch.setattr(attention_look, "LARGEST_HELD", 1000)
    app.session_state["attention_layer"] = 3
    app.run()
    assert not app.exception
    assert "layer 4, head" in headline(app)


def counted_passes(monkeypatch) -> list:
    """Return a list that grows by (number of the layers captured) with every pass."""
    from maskviz.attention import capture

    passes, real = [], capture.capture

    def counting(*arguments):
        weights = real(*arguments)
        passes.append(len(weights))
        return weights

    monkeypatch.setattr(capture, "capture", counting)
    return passes


def test_another_layer_of_a_long_text_needs_no_pass_while_all_are_held(monkeypatch):
    from maskviz.byte_cache import ByteCache
    from maskviz.ui.attention import look as attention_look

    attention_look._cache.clear()
    passes = counted_passes(monkeypatch)
    app = open_page(text="One pass plain and one masked, whatever layer is looked at.")
    assert passes == [LAYERS, LAYERS]
    # Room for just these two passes: nothing is counted twice, so nothing is thrown out.
    room = ByteCache(attention_look._cache().bytes)
    monkeypatch.setattr(attention_look, "_cache", lambda: room)
    monkeypatch.setattr(attention_look, "SENT_AT_ONCE", 1000)
    for layer in (0, 2, 1, 3, 0):
        app.session_state["attention_layer"] = layer
        app.run()
        assert not app.exception
    assert passes == [LAYERS] * 4


def test_layers_too_large_to_hold_are_captured_when_they_are_looked_at(monkeypatch):
    from maskviz.ui.attention import look as attention_look

    monkeypatch.setattr(attention_look, "SENT_AT_ONCE", 1000)
    monkeypatch.setattr(attention_look, "LARGEST_HELD", 1000)
    passes = counted_passes(monkeypatch)
    app = open_page(text="Only those layers are captured that somebody looks at.", show="plain")
    assert passes == [1]
    app.session_state["attention_layer"] = 2
    app.run()
    app.session_state["attention_words"] = False
    app.run()
    app.session_state["attention_layer"] = 0
    app.run()
    assert not app.exception
    assert passes == [1, 1]


def test_beyond_what_a_page_holds_the_cost_and_a_smaller_view_are_named():
    from maskviz.errors import ParameterError
    from maskviz.ui.attention.look import Size, cost

    said = cost(Size(tuple(range(24)), 16, 512 * 512))
    assert "24 layers are 101 MB, more than a page should hold (50 MB)" in said
    assert "one layer is 4.2 MB" in said
    with pytest.raises(ParameterError, match="One layer of 64 heads would be 67 MB"):
        cost(Size(tuple(range(12)), 64, 1024 * 1024))


def test_what_attention_is_worth_stands_beside_every_method():
    app = open_page(text="A dull story, but the acting is wonderful and warm.")
    app.session_state["attention_worth"] = True
    app.run()
    assert not app.exception
    found = next(f.value for f in app.dataframe if "Method" in f.value)
    assert list(found["Method"])[:2] == ["raw", "mean"]
    assert set(found["Beyond chance"]) <= {"yes", "no"}


def test_numbers_per_layer_are_the_means_of_the_heads(opened):
    heads = opened.dataframe[0].value
    app = open_page()
    app.session_state["attention_per_layer"] = True
    app.run()
    layers = app.dataframe[0].value
    assert list(layers["Layer"]) == list(range(1, LAYERS + 1))
    first = heads[heads["Layer"] == 1]["Share, %"].mean()
    assert layers["Share, %"][0] == pytest.approx(first, abs=0.01)


@pytest.mark.parametrize("operator", ["mask", "delete", "placeholder", "attention"])
def test_every_operator_has_a_difference(operator):
    app = open_page(operator=operator)
    assert not app.exception
    assert not app.error
    assert "moves" in headline(app)


def test_a_model_that_is_not_there_is_one_sentence():
    app = open_page(model="no/such-model")
    assert not app.exception
    assert len(app.error) >= 1


def test_without_a_text_the_page_says_where_to_enter_one():
    from maskviz.ui.shared import state

    app = AppTest.from_file(PAGE, default_timeout=WAIT)
    app.session_state["maskviz_view"] = state.View("  ", "random")
    app.run()
    assert not app.exception
    assert "No text yet" in headline(app)


@pytest.mark.parametrize(
    "text", ["Yes", "🙂 🙂", "שלום עולם טוב", "<script>alert(1)</script> & <b>"]
)
def test_short_and_strange_texts_are_shown(text):
    app = open_page(text=text, ratio="1")
    assert not app.exception
    assert not app.error


def test_a_head_is_silenced_and_stands_among_all_heads():
    app = open_page(head="2.3")
    (button,) = [one for one in app.button if one.label == "Silence head 2.3"]
    app = button.click().run()
    assert not app.exception
    said = headline(app).replace("\\", "")
    assert said.startswith("### Silencing head 2.3 (mean) moves positive")
    assert f"of all {ALL_HEADS - 1} other masks of 1 head" in said
    for key in ("attention_scan", "attention_cut", "attention_lens"):
        app.toggle(key=key).set_value(True)
    app.run()
    assert not app.exception
    assert not app.error
    shown = " ".join(titles(app)).replace("\\", "")
    assert f"the largest of {ALL_HEADS} heads on this text, which is no verdict" in shown
    assert "windows is" in shown
    assert "From layer" in shown
    assert any("Share of the sum of all heads' effects by role" in one.value for one in app.caption)
    # With the scan in sight a head is chosen by its effect: its place is a rank.
    assert "chosen by its effect" in headline(app)


def silence(app: AppTest, *names: str) -> AppTest:
    """Choose units to silence."""
    (chosen,) = [one for one in app.multiselect if one.label == "Silenced"]
    return chosen.set_value(list(names)).run()


@pytest.mark.parametrize(("names", "said"), [
    (["2.mlp"], "Silencing the MLP of layer 2 (mean)"),
    (["2"], "Silencing layer 2 (mean)"),
])  # fmt: skip
def test_units_of_every_kind_are_silenced(names, said):
    app = silence(open_page(), *names)
    assert not app.exception
    assert not app.error
    assert headline(app).replace("\\", "").startswith(f"### {said}")


def test_units_that_cannot_be_silenced_together_are_one_sentence():
    app = silence(open_page(), "2.mlp", "1.1")
    assert not app.exception
    (error,) = app.error
    assert "several kinds" in error.value


def test_mlps_are_scanned():
    app = open_page()
    app.session_state["attention_kind"] = "mlp"
    app.toggle(key="attention_scan").set_value(True).run()
    assert not app.exception
    assert not app.error
    assert any(f"the largest of {LAYERS} MLPs" in one for one in titles(app))


def test_heads_are_silenced_for_good(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKVIZ_HOME", str(tmp_path))
    app = silence(open_page(), "2.3")
    (name,) = [one for one in app.text_input if one.label == "Name"]
    name.set_value("out/side").run()
    app = app.button(key="attention_prune").click().run()
    assert "no name of a folder" in app.error[0].value
    name = next(one for one in app.text_input if one.label == "Name")
    name.set_value("smaller").run()
    app = app.button(key="attention_prune").click().run()
    assert not app.exception
    assert not app.error
    shown = " ".join(titles(app)).replace("\\", "")
    assert "labels were right before and" in shown
    assert (tmp_path / "pruned" / "smaller" / "model.safetensors").is_file()


def test_a_click_with_shift_silences_a_head_and_another_one_lets_it_speak():
    app = open_page()
    key = f"mosaic_{sha256(b'mini').hexdigest()[:16]}"
    for said in ("Silencing head 2.3 (mean)", "Hiding"):
        app.session_state[key] = {"picked": {"layer": 1, "head": 2, "silent": True}}
        app.run()
        assert not app.exception
        assert headline(app).replace("\\", "").startswith(f"### {said}")
        app.session_state[key] = {}


def test_a_long_text_is_shown_in_blocks_one_layer_at_a_time(monkeypatch):
    monkeypatch.setattr("maskviz.attention.long_texts.LONGEST", 10)
    monkeypatch.setattr("maskviz.attention.pooled.CELLS", 6)
    app = open_page()
    assert not app.exception
    assert "to other blocks of 3 tokens; most in layer" in headline(app)
    assert any("each cell stands for 3 × 3" in one.value for one in app.caption)
    masked = open_page(show="masked")
    assert "At the hidden tokens, of" in headline(masked)
    assert not masked.error
