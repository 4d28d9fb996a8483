"""What the pages offer follows from what the chosen model can do: no page opens on an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from maskviz.errors import CapabilityError
from maskviz.masks import mask
from maskviz.ui.shared import fit, state
from maskviz.ui.shared.asking import second_models
from tests.tiny_models import build

KINDS = {
    "encoder": ("bert", "PreTraining"),  # its head is taken away below
    "mlm": ("bert", "MaskedLM"),
    "tagger": ("bert", "TokenClassification"),
    "decoder": ("llama", "CausalLM"),
    "decoder-classifier": ("llama", "SequenceClassification"),
    "writer": ("t5", "Seq2SeqLM"),
}
WHOLE = ("encoder", "decoder-classifier")  # of the others two pages tell
PAGES = ("mask", "attention", "compare", "guide", "tasks")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("kinds")
    found = {name: build(kind, root / name, head) for name, (kind, head) in KINDS.items()}
    config = found["encoder"] / "config.json"
    config.write_text(config.read_text().replace("BertForPreTraining", "BertModel"))
    return found


def run(page: str, model: Path | str, **link: str) -> AppTest:
    app = AppTest.from_file("../../app.py", default_timeout=180)
    for name, value in {"model": str(model), **link}.items():
        app.query_params[name] = value
    return app.switch_page(f"pages/{page}.py").run()


def said(app: AppTest) -> str:
    shown = [*app.markdown, *app.caption]
    return "\n".join(one.value for one in shown).replace("\\", "")


@pytest.mark.parametrize(
    ("page", "kind"),
    [(p, k) for k in KINDS for p in PAGES if k in WHOLE or p in ("mask", "compare")],
)
def test_a_fresh_session_opens_without_an_error(page, kind, folders) -> None:
    app = run(page, folders[kind])
    assert not app.exception, (app.exception[0].message, app.exception[0].stack_trace)
    assert not app.error, app.error[0].value
    if page == "compare" and kind == "encoder":
        assert "encoder gives neither labels nor words" in said(app)
    if page == "tasks" and kind == "encoder":
        assert "encoder gives no labels: mini answers here" in said(app)


@pytest.mark.parametrize(
    ("kind", "guesses", "operator", "sentence"),
    [
        ("encoder", False, "mask", "encoder cannot classify, so key goes by the words' tf-idf."),
        ("mlm", True, "mask", "mlm cannot classify, so key goes by the words' tf-idf."),
        ("decoder-classifier", False, "delete", "so hidden words are left out."),
    ],
)
def test_the_mask_page_promises_what_the_model_can_do(
    kind, guesses, operator, sentence, folders
) -> None:
    app = run("mask", folders[kind])
    assert sentence in said(app)
    assert (f"under each stands what {kind} guesses" in said(app)) is guesses
    assert ("Guesses" in app.table[0].value) is guesses
    (offered,) = [box for box in app.selectbox if box.label == "Operator"]
    assert offered.value == operator
    assert ("mask" in offered.options) is (operator == "mask")
    assert ("infill" in offered.options) is guesses


@pytest.mark.parametrize(
    "strategy", ["key & entity", "~(key | attribute:age)", "key - pattern:/the/", "key & noise"]
)
@pytest.mark.parametrize("kind", ["encoder", "decoder"])
def test_an_expression_asks_no_more_than_the_model_can_do(strategy, kind, folders) -> None:
    app = run("mask", folders[kind], strategy=strategy, text="Anna saw a dull film in Oslo.")
    assert not app.error, app.error[0].value
    assert f"{kind} cannot classify, so key goes by the words' tf-idf" in said(app)
    assert ("noise goes by frequencies" in said(app)) is ("noise" in strategy)


def test_key_by_model_names_the_other_ways_where_there_is_no_classifier(folders) -> None:
    for strategy in ("key", "key & entity"):
        with pytest.raises(CapabilityError, match=r"choose another way .*tfidf"):
            mask("Anna saw a dull film.", strategy, model=str(folders["mlm"]))


def test_another_model_gives_the_choice_back(folders) -> None:
    app = run("mask", folders["decoder-classifier"])
    app.session_state["maskviz_view"]  # what was chosen stays
    app.selectbox(key="view_model").set_value("mini").run()
    assert not app.error
    assert app.selectbox(key="view_operator").value == "mask"
    assert "hidden words are left out" not in said(app)


def test_a_second_model_classifies_under_the_operator(folders, monkeypatch) -> None:
    from maskviz.models import catalogue, tuned

    runs = [("no-mask", folders["decoder-classifier"]), ("only-guesses", folders["mlm"])]
    monkeypatch.setattr(tuned, "tuned_models", lambda: runs)
    monkeypatch.setattr(tuned, "base_of", lambda name: str(folders["encoder"]))
    assert {info.name for info in catalogue.list_models("classify")} >= {"mini", "no-mask"}
    assert "only-guesses" not in {info.name for info in catalogue.list_models("classify")}
    beside_mini = state.View("A fine day.", "random", model="mini")
    assert second_models(beside_mini, "mask") == []
    assert second_models(beside_mini, "delete") == ["no-mask"]


def test_a_model_that_is_not_known_yet_is_offered_everything() -> None:
    assert fit.operators("no/such") == fit.operators("mini")
    assert fit.said("no/such", "mask", []) == []
