"""Fine-tune on conversations: what is learned by a click, what is marked, and what comes after."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from maskviz import runs
from maskviz.training import RunSpec
from tests.app.test_finetune import ROOT, TIMEOUT, _button, _page, _words
from tests.app.test_finetune import no_worker as no_worker
from tests.tiny_chat import chat_model


def _strip(at: AppTest) -> tuple[str, list[str], list[int], list[bool]]:
    """Return the strip of the last run of the page: its key, words, what is hidden and learned."""
    return at.session_state["maskviz_finetune"]["lesson_strip"][:4]


def _click(at: AppTest, word: str, learned: bool) -> AppTest:
    key, words, hidden, taught = _strip(at)
    i = next(i for i, w in enumerate(words) if w == word and taught[i] == learned)
    at.session_state[key] = {"edit": {"revision": f"{key}|", "hidden": sorted({*hidden} ^ {i})}}
    at.run()
    assert not at.exception
    return at


def test_a_click_in_the_strip_changes_what_is_learned_in_all_rows(tmp_path):
    at = _page(model=chat_model(tmp_path / "chat"))
    at.segmented_control(key="ft_source").set_value("Conversations").run()
    at.toggle(key="ft_hide").set_value(False).run()
    at.segmented_control(key="ft_click").set_value("all rows").run()
    _, words, _, taught = _strip(at)
    answer = next(w for w, learned in zip(words, taught, strict=True) if learned and w.isalpha())
    _click(at, answer, learned=True)
    left = f"role:assistant - pattern:/\\b{answer}\\b/"
    assert at.text_input(key="ft_loss_strategy").value == left
    _, words, _, taught = _strip(at)
    assert not any(learned for w, learned in zip(words, taught, strict=True) if w == answer)
    _click(at, answer, learned=False)
    assert at.text_input(key="ft_loss_strategy").value == "role:assistant"
    at.toggle(key="ft_end_of_turn").set_value(False).run()
    assert "the ends of 0 of 48 turns" in _words(at)


def test_a_click_changes_one_row_alone_and_can_be_taken_back(tmp_path):
    at = _page(model=chat_model(tmp_path / "chat"))
    at.segmented_control(key="ft_source").set_value("Conversations").run()
    at.toggle(key="ft_hide").set_value(False).run()
    at.number_input(key="ft_lesson_row").set_value(3).run()
    _, words, _, taught = _strip(at)
    answer = next(w for w, learned in zip(words, taught, strict=True) if learned and w.isalpha())
    before = [w for w, learned in zip(words, taught, strict=True) if learned]
    _click(at, answer, learned=True)
    assert at.text_input(key="ft_loss_strategy").value == "role:assistant"
    assert "Changed by hand, in these rows alone: 3." in _words(at)
    _, words, _, taught = _strip(at)
    left = [w for w, learned in zip(words, taught, strict=True) if learned]
    assert before.count(answer) > left.count(answer)
    asked = next(w for w, learned in zip(words, taught, strict=True) if not learned and w.isalpha())
    _click(at, asked, learned=False)
    _button(at, "Start").click().run()
    assert not at.exception
    changes = runs.list_runs()[0].spec.loss.rows
    assert list(changes) == ["3"]
    assert [change[0] for change in changes["3"]] == ["-", "+"]
    assert changes["3"][0].endswith(f" {answer}")
    _button(at, "Take back").click().run()
    assert "Changed by hand" not in _words(at)


def test_the_sentence_that_distracts_is_hidden_in_training(tmp_path):
    at = _page(model=chat_model(tmp_path / "chat"))
    at.segmented_control(key="ft_source").set_value("Conversations").run()
    at.selectbox(key="ft_spans").set_value("irrelevant").run()
    assert "Hidden is what the column irrelevant marks in each row." in _words(at)
    assert _strip(at)[2]
    _button(at, "Start").click().run()
    assert not at.exception
    spec = runs.list_runs()[0].spec
    assert (spec.masking.strategy, spec.masking.operator) == ("spans", "delete")
    assert spec.data.spans_column == "irrelevant"


def test_a_tuned_decoder_is_offered_beside_its_base_and_as_code(tmp_path):
    base = chat_model(tmp_path / "chat")
    spec = RunSpec.build(
        task="causal", model=base, max_rows=24, max_steps=1, device="cpu", name="told"
    )
    run = runs.train(spec)
    assert run.state == "done", run.reason
    at = _page(run=run.id)
    assert any(b.label.startswith("Chat beside") for b in at.button)
    _button(at, "Write the script").click().run()
    assert not at.exception
    assert any("class InOrder(Trainer)" in code.value for code in at.code)
    chat = AppTest.from_file(ROOT / "pages" / "chat.py", default_timeout=TIMEOUT)
    chat.query_params["model"] = run.id
    chat.run()
    assert chat.segmented_control(key="chat_beside").options == [base, run.id]
    chat.segmented_control(key="chat_beside").set_value(base).run()
    assert not chat.exception
    assert chat.segmented_control(key="chat_beside").value == base
