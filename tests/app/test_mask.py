"""The Mask page, driven without a browser."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from maskviz.examples import EXAMPLES
from maskviz.masks import mask
from maskviz.ui.shared import state
from maskviz.ui.shared.strip import unit_offsets

TEXT = "It is not a good film, and nobody would call it fun."


def open_page(**link: str) -> AppTest:
    app = AppTest.from_file("../../pages/mask.py", default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    return app.run()


def headline(app: AppTest) -> str:
    return app.markdown[0].value


def test_it_opens_on_an_example_with_something_hidden() -> None:
    app = open_page()
    assert not app.exception
    assert not app.error
    assert "words are hidden" in headline(app).replace("\\", "")


def test_a_link_reproduces_the_view() -> None:
    app = open_page(text=TEXT, strategy="pattern", parameters='{"words": "not, nobody"}')
    view = app.session_state["maskviz_view"]
    assert state.current_mask(view).masked_text() == TEXT.replace("not", "[MASK]").replace(
        "nobody", "[MASK]"
    )
    assert "2 of 12 words are hidden" in headline(app)


def test_a_click_hides_a_word_and_a_new_strategy_forgets_it() -> None:
    app = open_page(text=TEXT, strategy="manual")
    key = f"strip_{hashlib.sha256(TEXT.encode()).hexdigest()[:16]}"
    revision = app.session_state["maskviz_view"].revision
    app.session_state[key] = {"edit": {"revision": f"{key}|{revision}", "hidden": [4]}}
    app.run()
    assert "1 of 12 words is hidden" in headline(app)
    assert app.session_state["maskviz_view"].edited == (4,)
    app.button_group(key="view_strategy").set_value("random").run()
    assert app.session_state["maskviz_view"].edited is None


def test_a_word_chosen_by_hand_has_no_score_beside_those_that_have() -> None:
    chosen = mask(TEXT, "key", ratio=0.15)
    own = chosen.hidden_words[0]
    by_hand = next(i for i in range(len(chosen.words)) if i not in chosen.hidden_words)
    app = open_page(text=TEXT, strategy="key", hidden=f"{min(own, by_hand)}.{max(own, by_hand)}")
    assert not app.exception
    scores = app.table[0].value["Score"].tolist()
    assert len(scores) == 2
    assert scores.count("") == 1


def test_controls_choose_the_mask() -> None:
    app = open_page(text=TEXT, strategy="random")
    app.slider(key="view_ratio").set_value(50).run()
    assert "6 of 12 words are hidden" in headline(app)
    app.number_input(key="view_seed").set_value(7).run()
    assert app.session_state["maskviz_view"].seed == 7
    app.text_area(key="view_text").set_value("Only three words").run()
    assert "2 of 3 words are hidden" in headline(app)


def test_a_text_without_words_is_one_sentence() -> None:
    app = open_page(text=TEXT, strategy="random")
    app.text_area(key="view_text").set_value("?!").run()
    assert not app.exception
    assert any("no words" in e.value.replace("\\", "") for e in app.error)


@pytest.mark.parametrize("text", ["", "   "])
def test_no_text_is_no_error_and_says_what_to_do(text: str) -> None:
    app = open_page(text=TEXT, strategy="random")
    app.text_area(key="view_text").set_value(text).run()
    assert not app.exception
    assert not app.error
    assert "No text yet: write one, or choose an example" in app.markdown[0].value


def test_a_text_in_another_language_is_said() -> None:
    app = open_page(text=TEXT, strategy="random")
    assert not app.warning
    app.text_area(key="view_text").set_value("Elokuva oli todella pitkä ja tylsä.").run()
    assert "expect little of its guesses" in app.warning[0].value
    assert not app.exception


def _reopened() -> None:
    from maskviz.ui.shared import state

    state.current()
    state.open_link("?strategy=pattern&seed=x&text=Only+three+words&hidden=1")


def test_a_tab_that_reloads_opens_the_view_it_kept() -> None:
    app = AppTest.from_function(_reopened).run()
    assert not app.exception
    view = app.session_state["maskviz_view"]
    assert (view.text, view.strategy, view.edited) == ("Only three words", "pattern", (1,))
    assert view.seed == 0  # what cannot be read stays at its default


def test_hostile_text_and_a_bad_pattern_do_no_harm() -> None:
    app = open_page(text="<script>alert(1)</script> **bold** [x](javascript:alert(1))")
    assert not app.exception
    app = open_page(text=TEXT, strategy="pattern")
    app.text_input(key="view_p_pattern_pattern").set_value("(").run()
    assert not app.exception
    assert any("regular expression" in e.value for e in app.error)


def test_a_broken_link_opens_the_example() -> None:
    app = open_page(ratio="many", parameters="[1", strategy="no-such")
    assert not app.exception
    assert any("Unknown strategy" in e.value for e in app.error)


def test_a_saved_mask_is_loaded_with_its_text() -> None:
    app = open_page(text=TEXT, strategy="random")
    document = json.dumps({"text": "Ann left", "spans": [{"start": 0, "end": 3, "reason": "why"}]})
    uploader = app.get("file_uploader")[0]
    uploader.upload("mask.json", document.encode(), "application/json").run()
    assert any("another text" in w.value for w in app.warning)
    next(b for b in app.button if "Open the mask" in b.label).click().run()
    assert not app.exception
    assert app.session_state["maskviz_view"].text == "Ann left"
    assert "1 of 2 words is hidden" in headline(app)


def test_every_example_opens() -> None:
    app = open_page()
    assert any("measure what changes" in caption.value for caption in app.caption)
    for example in EXAMPLES:
        button = app.button(key=f"example_{example.name}")
        assert button.label.endswith(f"→ {example.page.capitalize()}")
        if example.page == "mask":
            button.click().run()
            assert not app.exception, example.name
            assert not app.error, (example.name, app.error[0].value)
            assert "hidden" in headline(app)


def test_an_example_of_another_page_opens_it_on_its_text() -> None:
    app = AppTest.from_file("../../app.py", default_timeout=240).run()
    app.session_state["compare_shown"] = "A file"
    app.button(key="example_negation").click().run()
    assert not app.exception
    assert not app.error
    assert "Hiding 3 of 10 words" in headline(app)


def test_strategies_combine_on_the_page() -> None:
    app = open_page(text=TEXT, strategy="pattern", parameters='{"words": "not, nobody"}')
    app.text_input(key="view_combined").set_value("pattern:not | pattern:fun - manual:4").run()
    assert not app.exception
    assert not app.error
    assert "2 of 12 words are hidden" in headline(app)
    app.text_input(key="view_combined").set_value("pattern:not |").run()
    assert any("write such as" in e.value for e in app.error)
    app.selectbox(key="view_other").set_value("redundant").run()
    assert not app.error
    assert app.session_state["maskviz_view"].strategy == "redundant"


def test_tokens_are_clicked_like_words_and_stay_hidden_among_words() -> None:
    app = open_page(text=TEXT, strategy="manual", hidden="")
    app.segmented_control(key="view_unit").set_value("tokens").run()
    view = app.session_state["maskviz_view"]
    assert (view.unit, app.exception) == ("tokens", [])
    key = f"strip_{hashlib.sha256(TEXT.encode()).hexdigest()[:16]}"
    app.session_state[key] = {"edit": {"revision": f"{key}|{view.revision}", "hidden": [0, 5]}}
    app.run()
    view = app.session_state["maskviz_view"]
    offsets = unit_offsets(TEXT, "tokens", "mini")
    hidden = [(s.start, s.end) for s in state.current_mask(view).spans]
    assert hidden == [offsets[0], offsets[5]]
    app.segmented_control(key="view_unit").set_value("words").run()
    view = app.session_state["maskviz_view"]
    assert view.unit == "words"
    assert [(s.start, s.end) for s in state.current_mask(view).spans] == hidden


def test_the_complement_hides_all_else_and_travels_in_the_link() -> None:
    app = open_page(text=TEXT, strategy="pattern", parameters='{"words": "good, fun"}')
    app.checkbox(key="view_complement").check().run()
    view = app.session_state["maskviz_view"]
    assert state.current_mask(view).hidden_words == tuple(i for i in range(12) if i not in (4, 11))
    assert dict(parse_qsl(app.sidebar.code[0].value.removeprefix("?")))["complement"] == "1"


def test_the_audit_and_the_matrix_come_when_asked_for() -> None:
    app = open_page(text=TEXT, strategy="random", ratio="0.5")
    app.button(key="audit_run").click().run()
    assert not app.exception
    table = next(t.value for t in app.table if "Counted" in t.value)
    found = dict(zip(table["Counted"], table["Found"], strict=True))
    assert found["Words hidden"].startswith("50")
    assert found["Units hidden in part"] == "0"
    app.toggle(key="matrix_shown").set_value(True).run()
    assert not app.exception
    assert any("of all pairs may attend" in c.value for c in app.caption)
    app.selectbox(key="mask_matrix").set_value("custom").run()
    assert not app.exception
    tokens = len(unit_offsets(TEXT, "tokens", "mini")) + 2
    uploader = next(u for u in app.get("file_uploader") if "CSV" in u.label)
    lower = "\n".join(
        ",".join("1" if j <= i else "0" for j in range(tokens)) for i in range(tokens)
    )
    uploader.upload("m.csv", lower.encode(), "text/csv").run()
    assert not app.exception
    share = (tokens + 1) / (2 * tokens)
    assert any(c.value.startswith(f"custom: {100 * share:.0f}") for c in app.caption)


def test_a_second_strategy_has_its_own_ratio_and_seed_and_stands_beside() -> None:
    app = open_page(text=TEXT, strategy="random", ratio="0.5", hidden="0.1")
    app.selectbox(key="view_2_strategy").set_value("random").run()
    app.slider(key="view_2_ratio").set_value(25).run()
    app.number_input(key="view_2_seed").set_value(5).run()
    assert not app.exception
    view = app.session_state["maskviz_view"]
    assert (view.ratio, view.seed, view.edited) == (0.5, 0, (0, 1))  # the first is as it was
    assert state.mask_of(view, view.second) == mask(TEXT, "random", ratio=0.25, seed=5)
    assert any("random hides 3 of 12 words, your mask 2" in c.value for c in app.caption)


@pytest.mark.parametrize(("sign", "words"), [("or", "3, 4, 5"), ("and", "4"), ("minus", "3")])
def test_two_strategies_are_combined_and_travel_in_the_link(sign: str, words: str) -> None:
    first = {"strategy": "manual", "parameters": '{"indices": [3, 4]}'}
    app = open_page(text=TEXT, **first)
    app.selectbox(key="view_2_strategy").set_value("manual").run()
    app.text_input(key="view_2_p_manual_indices").set_value("4, 5").run()
    app.button_group(key="view_2_sign").set_value(sign).run()
    assert not app.exception
    wanted = mask(TEXT, "manual", indices=[int(i) for i in words.split(",")])
    assert state.current_mask(app.session_state["maskviz_view"]) == wanted
    assert f"manual {sign} manual" in app.sidebar.text[-1].value
    next(c for c in app.checkbox if "link" in c.label).check().run()
    said = dict(parse_qsl(app.sidebar.code[0].value.removeprefix("?")))
    again = open_page(**said)
    assert state.current_mask(again.session_state["maskviz_view"]) == wanted
    app.checkbox(key="view_complement").check().run()
    assert state.current_mask(app.session_state["maskviz_view"]) == ~wanted


@pytest.mark.parametrize(
    "link",
    [
        {"ratio": "1.5"},
        {"ratio": "nan"},
        {"seed": "-3"},
        {"seed": "99999999999999"},
        {"operator": "blur"},
        {"second": "7", "sign": "or"},
        {"second": '{"strategy": "no-such"}', "sign": "or"},
        {"second": '{"strategy": "random", "ratio": "many"}', "sign": "or"},
        {"second": '{"strategy": "random", "seed": null}', "sign": "or"},
        {"second": '{"strategy": "pattern", "parameters": {"pattern": "("}}', "sign": "minus"},
        {"second": '{"strategy": "random"}', "sign": "plus"},
        {"hidden": "99999"},
        {"parameters": "7"},
        {"strategy": "pattern", "parameters": '{"words": 5}'},
        {"strategy": "entity", "parameters": '{"types": "GPE"}'},
        {"strategy": "redundant", "parameters": '{"threshold": "high"}'},
        {"strategy": "manual", "parameters": '{"indices": ["x"]}'},
        {"strategy": "manual", "parameters": '{"indices": [true]}'},
        {"strategy": "key", "parameters": '{"by": ["model"]}'},
        {"strategy": "key", "parameters": '{"by": "guess"}'},
        {"strategy": "entity", "parameters": '{"types": ["PLANET"]}'},
        {"strategy": "random -"},
        {"model": "no/such"},
        {"model": "../../etc"},
    ],
    ids=str,
)
def test_a_link_with_a_wrong_value_never_breaks_the_page(link: dict[str, str]) -> None:
    app = open_page(text=TEXT, **link)
    assert not app.exception, app.exception[0].message


@pytest.mark.parametrize("text", [TEXT, "Ann, 52, met her sister and a young priest in Rome."])
@pytest.mark.parametrize("strategy", ["attribute", "random", "entity"])
def test_the_pages_own_link_gives_the_same_mask_to_another_visitor(
    text: str, strategy: str
) -> None:
    first = open_page(text=text, strategy="key")
    first.button_group(key="view_strategy").set_value(strategy).run()
    next(c for c in first.checkbox if "link" in c.label).check().run()
    said = dict(parse_qsl(first.sidebar.code[0].value.removeprefix("?")))
    second = open_page(**said)
    one, two = (state.current_mask(app.session_state["maskviz_view"]) for app in (first, second))
    assert one == two
    assert second.session_state["maskviz_view"].ratio is None


@pytest.mark.parametrize("strategy", ["attribute", "entity"])
def test_what_few_need_is_folded_away(strategy: str) -> None:
    app = open_page(text="Anna met Bob.", strategy=strategy)
    more = next(one for one in app.expander if one.label == "More")
    assert [box.label for box in more.text_input if box.label == "Tagger"] == ["Tagger"]
    assert [box.label for box in app.text_input if box.label == "Tagger"] == ["Tagger"]
    assert not any(box.label == "Types" for box in more.get("button_group"))
