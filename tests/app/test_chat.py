"""The Chat page, driven without a browser: its states, its clicks, its answers."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from maskviz.masks import Mask, MaskSpan, apply
from maskviz.models import load_model
from maskviz.models.pulled import PULLED
from maskviz.readings.language.answering import written
from maskviz.readings.question import asked
from maskviz.text.conversation import Conversation, Turn
from maskviz.ui.chat import answers, cards
from maskviz.ui.shared import asking
from maskviz.ui.shared.talk import Talk, to_value
from tests.tiny_chat import chat_model
from tests.tiny_models import build

TURNS = (
    Turn("system", "Ann lives in Rome. Bob lives in Milan."),
    Turn("user", "Where is <b>Ann</b>?"),
)
TALK = Talk(TURNS, longest=6)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return chat_model(tmp_path_factory.mktemp("chat"))


def open_page(model: str, talk: Talk | None = TALK) -> AppTest:
    app = AppTest.from_file("../../pages/chat.py", default_timeout=180)
    app.query_params["model"] = model
    if talk is not None:
        app.query_params["chat"] = json.dumps(to_value(talk))
    return app.run()


def shown(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.error, *app.warning]
    text = "\n".join(part.value for part in parts).replace("\\", "")
    return text.replace("\u2068", "").replace("\u2069", "")


def headline(app: AppTest) -> str:
    return next(m.value for m in app.markdown if m.value.startswith("### ")).replace("\\", "")


def press(app: AppTest, label: str) -> AppTest:
    return next(b for b in app.button if b.label == label).click().run()


def talk_of(app: AppTest) -> Talk:
    found = app.session_state["maskviz_view"].chat
    assert isinstance(found, Talk)
    return found


def click(app: AppTest, *words: int) -> AppTest:
    revision = f"{cards.KEY}|{talk_of(app).revision}"
    app.session_state[cards.KEY] = {"edit": {"revision": revision, "hidden": list(words)}}
    return app.run()


def test_two_answers_stand_side_by_side_and_the_finding_comes_first(model: str) -> None:
    app = click(open_page(model), 0)
    assert not app.exception
    assert "1 of 13 words is hidden" in headline(app)
    app = press(app, "Ask")
    assert not app.exception
    assert not app.error
    loaded = load_model(model)
    put = asked(loaded, {"name": "answer", "conversation": Conversation(TURNS), "longest": 6})
    text = Conversation(TURNS).text
    mask = Mask(text, (MaskSpan(0, 3),))
    plain, masked = apply(text, "attention", put.model), apply(mask, "delete", put.model)
    held = app.session_state[answers.KEY]
    assert held.writing.finished
    assert held.writing.tokens == (
        written(put.model, plain, 6), written(put.model, masked, 6),
    )  # fmt: skip
    assert "Without “Ann” in the system prompt the answer" in headline(app).replace(
        "\u2068", ""
    ).replace("\u2069", "")
    assert "They part at token" in shown(app) or "Both are the same" in shown(app)
    assert "Where does it matter?" in shown(app)
    app = press(app, "Explain")
    assert not app.exception
    assert "What does the plain answer rest on?" in shown(app)
    assert "Its sentences, the strongest first" in shown(app)
    app = click(app, 0, 1)
    assert "Asked before the last change" in shown(app)
    assert "2 of 13 words are hidden" in headline(app)


def test_compare_opens_the_same_conversation(model: str) -> None:
    app = press(click(open_page(model), 0), "Ask")
    asked_about = app.session_state[answers.KEY].request
    question = json.dumps(asked_about.question())
    compare = AppTest.from_file("../../pages/compare.py", default_timeout=240)
    view = {
        "text": asked_about.mask.text, "model": model, "strategy": "pattern", "operator": "delete",
        "parameters": json.dumps({"pattern": "Ann"}), "question": question,
    }  # fmt: skip
    for name, value in view.items():
        compare.query_params[name] = value
    compare.session_state["compared"] = []
    compare.run()
    assert not compare.exception
    assert not compare.error
    assert "What it writes, plain and masked" in shown(compare)
    assert "Asked about the conversation" in shown(compare)
    box = next(a for a in compare.text_area if a.label == "Text")
    compare = box.set_value("Another text without turns.").run()
    assert not compare.exception
    assert "conversation" not in compare.session_state["maskviz_view"].question


def test_attention_reads_the_same_conversation_as_the_template_writes_it(model: str) -> None:
    spoken = Conversation(TURNS)
    page = AppTest.from_file("../../pages/attention.py", default_timeout=240)
    question = {"name": "answer", "conversation": spoken.to_dict()}
    page.query_params["question"] = json.dumps(question)
    page.query_params["text"], page.query_params["model"] = spoken.text, model
    page.run()
    assert not page.exception
    assert not page.error
    words = asking.reader_of(page.session_state["maskviz_view"]).tokenise(spoken.text).tokens
    assert words[0] == "<|start|>"
    page.session_state["maskviz_view"] = replace(
        page.session_state["maskviz_view"], text="Another text."
    )
    reader = asking.reader_of(page.session_state["maskviz_view"])
    assert reader.name == load_model(model).name


@pytest.mark.parametrize(
    ("turns", "offered"),
    [
        (TURNS, set()),
        ((Turn("user", "1+1?"), Turn("assistant", "2", "one and one")), {"thought"}),
        ((*TURNS, Turn("assistant", "Rome"), Turn("user", "And Bob?")), {"example"}),
    ],
)
def test_a_strategy_is_offered_where_it_finds_something(model: str, turns, offered) -> None:
    app = open_page(model, Talk(turns))
    pills = next(c for c in app.get("button_group") if c.label == "Hide")
    own = {"thought", "tool", "example"}
    assert {option for option in pills.options if option in own} == offered


def test_nothing_hidden_asks_all_the_same(model: str) -> None:
    app = press(open_page(model), "Ask")
    assert not app.exception
    assert not app.error
    assert "Nothing is hidden" in headline(app)
    assert "Both are the same" in shown(app)


def test_a_last_answer_is_written_anew(model: str) -> None:
    app = open_page(model, Talk((*TURNS, Turn("assistant", "In Rome.")), longest=4))
    app = press(click(app, 0, 13), "Ask")
    assert not app.exception
    assert not app.error
    assert app.session_state[answers.KEY].request.prompt == Conversation(TURNS)


@pytest.mark.parametrize(
    ("talk", "says"),
    [
        (Talk(), "No conversation yet: add a turn"),
        (Talk((Turn("user"),)), "No conversation yet: add a turn"),
        (Talk((Turn("user", " \n"),)), "The conversation has no text"),
        (Talk((Turn("tool", "No rain"),)), "Turn 1 is the result of a tool that no turn"),
        (Talk((Turn("user", "?!"),)), "The text has no words to hide"),
        (Talk(TURNS, operator="mask"), "Nothing is hidden"),
    ],
)
def test_every_unfinished_conversation_has_its_sentence(model: str, talk: Talk, says: str) -> None:
    app = open_page(model, talk)
    assert not app.exception
    assert says in shown(app)


def test_a_longer_conversation_than_the_model_takes_is_said(model: str) -> None:
    app = open_page(model, Talk((Turn("user", "many words " * 400),)))
    app = press(app, "Ask")
    assert not app.exception
    assert "where" in app.error[0].value
    assert "shorten the text" in app.error[0].value


def test_a_model_without_a_template_is_said_and_others_are_offered(
    model: str, tmp_path, maskviz_home
) -> None:
    app = open_page(str(build("llama", tmp_path / "plain", "CausalLM")))
    assert not app.exception
    assert not app.error
    assert "has no chat template" in shown(app)
    assert not any(button.label == "Ask" for button in app.button)
    assert any(button.label.startswith("Fetch SmolLM2") for button in app.button)


def test_a_fresh_visitor_sees_an_example_and_the_model_to_fetch(monkeypatch) -> None:
    from maskviz.ui.shared import speaker

    monkeypatch.setattr(speaker, "chat_models", list)
    app = open_page("mini", None)
    assert not app.exception
    assert "mini has no chat template" in shown(app)
    assert any(button.label.startswith("Fetch SmolLM2") for button in app.button)
    assert "6 of 41 words are hidden" in headline(app)


def test_mini_hands_over_to_a_chat_model_that_is_here(model: str, monkeypatch) -> None:
    from maskviz.ui.shared import speaker

    monkeypatch.setattr(speaker, "chat_models", lambda: [model])
    app = press(open_page("mini"), "Ask")
    assert not app.exception
    assert not app.error
    assert "mini reads no conversations, so" in shown(app)
    assert app.session_state[answers.KEY].request.model == model


def test_the_conversation_outlives_a_link_a_page_and_an_example(model: str) -> None:
    app = click(open_page(model), 0, 3)
    hidden = talk_of(app).hidden
    link = app.get("code")[0].value
    assert "chat=" not in link
    next(c for c in app.checkbox if "conversation into the link" in c.label).check()
    assert "chat=" in app.run().get("code")[0].value
    assert talk_of(app).hidden == hidden
    app = press(app, "An example turn")
    assert talk_of(app).turns != TURNS
    app = press(app, "The one before")
    assert (talk_of(app).turns, talk_of(app).hidden) == (TURNS, hidden)


def test_a_long_conversation_stays_out_of_the_link(model: str) -> None:
    app = open_page(model, Talk((Turn("user", "word " * 2000),)))
    assert next(c for c in app.checkbox if "into the link" in c.label).disabled
    assert "too long for a link" in shown(app)


@pytest.mark.parametrize(
    ("pasted", "roles"),
    [
        ('[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]',
         ["user", "assistant"]),
        ('{"conversations": [{"from": "human", "value": "Hi"}]}', ["user"]),
        ("just text", ["user"]),
    ],
)  # fmt: skip
def test_a_conversation_is_pasted_in_any_form(model: str, pasted: str, roles: list[str]) -> None:
    app = open_page(model)
    next(a for a in app.text_area if a.label == "Paste one").set_value(pasted).run()
    assert not app.exception
    assert [turn.role for turn in talk_of(app).turns] == roles


def test_what_cannot_be_read_is_said_and_nothing_is_lost(model: str) -> None:
    app = open_page(model)
    cut = '[{"role": "user", "content": "Hi'
    next(a for a in app.text_area if a.label == "Paste one").set_value(cut).run()
    assert "The conversation's JSON is broken" in shown(app)
    assert talk_of(app).turns == TURNS


@pytest.mark.parametrize(
    ("name", "content", "turns"),
    [
        ("a.json", b'{"messages": [{"role": "user", "content": "Hi"}]}', 1),
        ("a.jsonl", b'{"prompt": "Hi", "response": "Yo"}\n\n{"prompt": "x"}\n', 2),
        ("a.txt", b"Hello", 1),
    ],
)
def test_a_file_is_opened(model: str, name: str, content: bytes, turns: int) -> None:
    app = open_page(model)
    app.file_uploader[0].upload(name, content, "text/plain").run()
    app = press(app, f"Open its {turns} turn{'s' * (turns != 1)}")
    assert not app.exception
    assert len(talk_of(app).turns) == turns


def test_turns_are_written_added_deleted_and_brought_back(model: str) -> None:
    talk = Talk(TURNS, hidden=((0,), (1,)))
    write = cards.Act(1, "write", 1, "assistant", "Where is Bob?")
    talk = cards._done(talk, write)
    assert talk.turns[1] == Turn("assistant", "Where is Bob?")
    assert talk.hidden == ((0,), (1,))
    talk = cards._done(talk, cards.Act(2, "add", 2))
    assert talk.turns[2] == Turn("user")
    assert cards._done(talk, cards.Act(3, "write", 9, "user", "x")) == talk
    app = open_page(model)
    app.session_state[cards.DELETED] = (1, Turn("user", "gone"))
    app = press(app.run(), "Bring back turn 2")
    assert [turn.content for turn in talk_of(app).turns][1] == "gone"


def test_the_users_text_stays_text(model: str) -> None:
    hostile = Talk((Turn("user", "**bold** <script>alert(1)</script> $x$ :red[y]"),), longest=3)
    app = press(click(open_page(model, hostile), 0), "Ask")
    assert not app.exception
    for part in app.markdown:
        assert "<script>" not in part.value
        assert ":red[" not in part.value


def test_the_order_of_the_models_puts_the_best_known_first(model, maskviz_home, monkeypatch):
    from maskviz.models.gguf import place_of
    from maskviz.ui.shared import speaker

    one = PULLED["smollm2"]
    place = place_of(one.sha256)
    shutil.copytree(model, place)
    monkeypatch.setattr("maskviz.models.pulled.source_of", lambda folder: folder)
    assert speaker.chat_models()[0] == "smollm2"
    assert speaker.speaker_of("mini") == "smollm2"
