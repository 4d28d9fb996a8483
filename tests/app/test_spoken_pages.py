"""Attention and Compare over a conversation, driven without a browser."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from maskviz.evidence import compare_file
from maskviz.masks import mask
from maskviz.text.conversation import Conversation, Turn
from maskviz.ui.compare import file
from maskviz.ui.shared import state
from tests.tiny_chat import chat_model

SAID = Conversation(
    (
        Turn("system", "Ann lives in Rome. Bob lives in Milan."),
        Turn("user", "Where is Ann?"),
        Turn("assistant", "Rome"),
    )
)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return chat_model(tmp_path_factory.mktemp("chat"))


def open_page(page: str, model: str, **link: str) -> AppTest:
    app = AppTest.from_file(f"../../pages/{page}.py", default_timeout=180)
    for name, value in {"model": model, "strategy": "role", "operator": "delete", **link}.items():
        app.query_params[name] = value
    app.session_state["compared"] = []
    return app.run()


def said_in(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.error, *app.warning]
    return "\n".join(part.value for part in parts).replace("\\", "")


def paste(app: AppTest, said: str) -> AppTest:
    return next(a for a in app.text_area if a.label == "Paste one").set_value(said).run()


@pytest.mark.parametrize("page", ["attention", "compare"])
def test_a_conversation_is_chosen_on_the_page(model: str, page: str) -> None:
    app = open_page(page, model, text="A plain text.")
    assert "The text is read as it is." in said_in(app)
    app = paste(app, SAID.to_json())
    assert not app.exception
    assert not app.error
    view = app.session_state["maskviz_view"]
    assert view.spoken == SAID.prompt
    assert view.question["answer"] == "Rome"
    # The mask is chosen among turns: `role` hides the system prompt alone.
    assert "8 of 11 words" in said_in(app).replace("\u2068", "")
    shows = {"attention": "From turn to turn", "compare": "By role and turn"}
    assert shows[page] in said_in(app)
    app = next(b for b in app.button if b.label == "A plain text again").click().run()
    assert app.session_state["maskviz_view"].text == "A plain text."
    assert app.session_state["maskviz_view"].spoken is None
    assert shows[page] not in said_in(app)


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ('[{"role": "user", "content": "Hi', "JSON is broken"),
        ('[{"role": "narrator", "content": "Hi"}]', "the roles are system"),
        ("[]", "no turns"),
        (json.dumps([{"role": "user", "content": "word " * 20_000}]), "are the limit here"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(model: str, pasted: str, told: str) -> None:
    app = paste(open_page("attention", model, text="A plain text."), pasted)
    assert not app.exception
    assert [told in error.value for error in app.error] == [True]
    assert app.session_state["maskviz_view"].text == "A plain text."


def test_a_model_that_reads_none_offers_one_that_does() -> None:
    app = AppTest.from_file("../../pages/attention.py", default_timeout=180)
    app.query_params["model"] = "mini"
    app.run()
    assert "has no chat template" in said_in(app)
    assert "Use mini\\-chat" in [button.label for button in app.button]


def test_a_link_carries_conversation_and_mask_where_the_text_is_asked_for(model: str) -> None:
    chosen = mask(SAID.prompt, "pattern", words="Rome")
    question = {"name": "answer", "conversation": SAID.prompt.to_dict(), "answer": "Rome"}
    view = state.View(
        SAID.prompt.text, "manual", operator="delete", model=model, saved=chosen.to_json(),
        question=question,
    )  # fmt: skip

    def script() -> None:
        import streamlit as st

        from maskviz.ui.shared import state

        if "view" in st.session_state:
            state.open_view(st.session_state.pop("view"))
            st.session_state["links"] = [state.link(with_text=w) for w in (False, True)]
            return
        state.open_link(st.session_state["links"][1])
        found = state.current()
        st.session_state["found"] = found, state.current_mask(found)

    app = AppTest.from_function(script, default_timeout=60)
    app.session_state["view"] = view
    app.run()
    bare, whole = app.session_state["links"]
    assert "Rome" not in bare
    assert "Ann" not in bare
    assert "text=" not in whole
    app.run()
    assert not app.exception
    found, again = app.session_state["found"]
    assert found.spoken == SAID.prompt
    assert dict(found.question) == question
    assert again == chosen


@pytest.mark.parametrize("saved", ["[[0, 3]]", '[["a", 3, "x", null]]', "[[0, 9000, 1, 2]]", "{"])
def test_a_broken_mask_in_a_link_is_left_out(model: str, saved: str) -> None:
    app = open_page("attention", model, text="A plain text.", strategy="manual", saved=saved)
    assert not app.exception
    assert app.session_state["maskviz_view"].saved is None


def test_a_file_of_conversations_is_told_by_its_cells(model: str, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MASKVIZ_HOME", str(tmp_path))
    begun: list[dict[str, object]] = []
    monkeypatch.setattr(file, "begin", lambda kind, name, path, given: begun.append(given))
    app = AppTest.from_file("../../pages/compare.py", default_timeout=180)
    app.query_params["model"], app.query_params["view"] = model, "A file"
    app.query_params["question"] = json.dumps({"name": "answer", "longest": 4})
    app.run()
    rows = "".join(json.dumps({"talk": SAID.messages(), "gold": "Rome"}) + "\n" for _ in range(3))
    up = app.get("file_uploader")[0]
    app = up.upload("talks.jsonl", rows.encode(), "application/json").run()
    assert not app.exception
    assert "Each row is a conversation" in said_in(app)
    next(s for s in app.selectbox if s.label == "Answers").select("gold").run()
    next(b for b in app.button if b.label == "Compare all rows").click().run()
    assert not app.exception
    assert not app.error
    (given,) = begun
    assert (given["conversations"], given["answer_column"]) == (True, "gold")
    assert set(given["strategies"]) == {"role", "random"}
    assert compare_file(
        rows.encode(), name="talks.jsonl", **{**given, "draws": 0}  # type: ignore[arg-type]
    ).rows == 3  # fmt: skip


@pytest.mark.parametrize("page", ["mask", "attention", "compare"])
def test_a_conversation_stands_where_the_model_reads_none(page: str) -> None:
    question = {"name": "answer", "conversation": SAID.prompt.to_dict()}
    app = AppTest.from_file(f"../../pages/{page}.py", default_timeout=180)
    app.query_params["question"] = json.dumps(question)
    app.query_params["model"], app.query_params["strategy"] = "mini", "role"
    app.run()
    assert not app.exception
    assert not app.error, [e.value for e in app.error]
    assert app.session_state["maskviz_view"].spoken == SAID.prompt


def test_the_worst_row_of_conversations_opens_with_its_turns(model: str) -> None:
    rows = [{"talk": SAID.messages()}, {"talk": SAID.prompt.messages()}]
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    found = compare_file(
        data, ["role"], text_column="talk", conversations=True, model=model, name="talks.jsonl",
        operator="delete", question={"name": "answer", "longest": 2}, draws=0,
    )  # fmt: skip
    again = type(found).from_dict(json.loads(json.dumps(found.to_dict())))
    row = again.worst["role"][0]
    assert row.conversation == SAID.prompt.to_dict()

    def script(row, model: str) -> None:
        import streamlit as st

        from maskviz.ui.shared import state

        state.update(model=model)
        st.session_state["found"] = [
            state.of_text(row.text, "role", row.conversation),
            state.of_text("A plain text.", "role"),
        ]

    app = AppTest.from_function(script, default_timeout=60, args=(row, model))
    app.query_params["question"] = json.dumps({"name": "next", "conversation": row.conversation})
    opened, plain = app.run().session_state["found"]
    assert opened.spoken == SAID.prompt
    assert opened.question["name"] == "next"
    assert plain.question == {"name": "next"}


@pytest.mark.parametrize("page", ["chat", "attention"])
def test_what_cannot_be_read_yet_comes_back_after_a_reload(model: str, page: str) -> None:
    cut = '[{"role": "user", "content": "Where is'
    app = paste(open_page(page, model), cut)
    assert app.error
    kept = state.DRAFTS[page != "chat"]
    assert app.session_state[kept] == cut

    def script() -> None:
        import streamlit as st

        from maskviz.ui.shared import state

        st.session_state["link"] = state.link(**state.drafts())
        for name in state.DRAFTS:
            del st.session_state[name]
        state.open_link(st.session_state["link"])

    again = AppTest.from_function(script, default_timeout=60)
    for name in state.DRAFTS:
        again.session_state[name] = cut if name == kept else ""
    again.run()
    assert not again.exception
    assert again.session_state[kept] == cut
