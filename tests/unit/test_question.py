"""A question of one's own: ten lines, and every kind of evidence works on it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from maskviz.errors import CapabilityError, UnknownNameError
from maskviz.evidence import (
    METHODS,
    compare,
    compare_file,
    compare_masks,
    control,
    explain,
    explain_many,
    fairness,
    sensitivity,
)
from maskviz.evidence.counterfactual.swaps import Pair
from maskviz.evidence.files.files import FileComparison
from maskviz.evidence.text.sentence import comparison_sentence
from maskviz.evidence.words.faithfulness import faithfulness
from maskviz.evidence.words.plausibility import plausibility
from maskviz.evidence.words.rationales import Rationale
from maskviz.evidence.words.worth import worth
from maskviz.masks import apply, mask
from maskviz.models import load_model
from maskviz.readings.batches import batch
from maskviz.readings.question import QUESTIONS, asked, question
from maskviz.report import text_report

TEXT = "Anna saw it twice, and to her the film was [MASK]"
WORDS = ("good", "bad", "long")
THREE = {"name": "three"}
FILE = (
    b"text,label\n"
    b"Anna laughed a lot and the film was [MASK],good\n"
    b"Tom slept through it and the film was [MASK],bad\n"
    b"It took three hours and the film was [MASK],long\n"
)


@pytest.fixture(autouse=True)
def three():
    """Register p(word) for given words at the last hidden place, beside that of any other word."""

    @question(
        "three", "Which word fits?", capability="fill",
        outputs=lambda model, given: (*given["words"], "(other)"),
    )  # fmt: skip
    def three(model, reads, *, words=WORDS):
        inputs = batch(model, reads)
        places = inputs["input_ids"] == model.tokenizer.mask_token_id
        last = places.shape[1] - 1 - places.flip(1).int().argmax(1)
        logits = model.network("fill")(**inputs).logits[torch.arange(len(reads)), last]
        ids = [model.tokenizer(" " + w, add_special_tokens=False)["input_ids"][0] for w in words]
        said = logits.log_softmax(-1)[:, ids]
        return torch.cat([said, torch.log1p(-said.exp().sum(1, keepdim=True))], 1)

    yield
    QUESTIONS._all().pop("three")


def by_hand(text: str) -> np.ndarray:
    """Return the four probabilities from a pass of one's own."""
    model = load_model("mini")
    read = model.tokenizer(text, return_tensors="pt")
    at = int((read["input_ids"][0] == model.tokenizer.mask_token_id).nonzero()[-1])
    with torch.inference_mode():
        p = model.network("fill")(**read).logits[0, at].double().softmax(-1)
    some = [
        float(p[model.tokenizer(" " + w, add_special_tokens=False)["input_ids"][0]]) for w in WORDS
    ]
    return np.array([*some, 1 - sum(some)])


def test_its_numbers_are_those_of_a_pass_of_ones_own() -> None:
    put = asked("mini", THREE)
    found = put.probabilities(put.logits([apply(TEXT, "mask", put.model)]))[0]
    assert put.outputs == (*WORDS, "(other)")
    np.testing.assert_allclose(found, by_hand(TEXT), atol=1e-6)


def test_compare_says_what_changes_in_its_outputs() -> None:
    chosen = mask(TEXT, "pattern", pattern="Anna|twice")
    found = compare(chosen, "mini", question=THREE)
    assert list(found.delta) == [*WORDS, "(other)"]
    after = by_hand(TEXT.replace("Anna", "[MASK]").replace("twice", "[MASK]"))
    np.testing.assert_allclose(list(found.masked.probabilities.values()), after, atol=1e-6)
    assert found.to_dict()["question"] == "three"
    assert found.original.label in comparison_sentence(found)


def test_control_and_sensitivity_ask_it_too() -> None:
    chosen = mask(TEXT, "pattern", pattern="twice")
    chance = control(chosen, "mini", question=THREE)
    assert chance.label == compare(chosen, "mini", question=THREE).original.label
    effects = compare_masks([("twice", chosen)], "mini", ["mask", "delete"], question=THREE)
    assert set(sensitivity(effects)["twice"].conclusions) == {"mask", "delete"}


@pytest.mark.parametrize("method", [*METHODS])
def test_every_method_scores_words_for_one_of_its_outputs(method: str) -> None:
    if method == "attention-relevance":  # it follows the gradient of a label
        with pytest.raises(CapabilityError, match="attention-relevance"):
            explain(TEXT, "mini", method, "bad", question=THREE)
        return
    found = explain(TEXT, "mini", method, "bad", question=THREE)
    assert found.label == "bad"
    assert found.probability == pytest.approx(by_hand(TEXT)[1], abs=1e-6)
    assert len(found.words) == len(mask(TEXT, "random").words)
    assert any(word.score for word in found.words)


def test_occlusion_is_the_fall_of_its_output() -> None:
    found = explain(TEXT, "mini", "occlusion", "bad", question=THREE)
    falls = [
        by_hand(TEXT)[1] - by_hand(TEXT[: w.start] + "[MASK]" + TEXT[w.end :])[1]
        for w in found.words
        if w.text in ("Anna", "film")
    ]
    shown = [w.score for w in found.words if w.text in ("Anna", "film")]
    np.testing.assert_allclose(shown, falls, atol=1e-6)
    (many,) = explain_many([TEXT], "mini", question=THREE)
    alone = explain(TEXT, "mini", question=THREE)
    assert [w.score for w in many.words] == pytest.approx([w.score for w in alone.words], abs=1e-6)


def test_integrated_gradients_add_up_to_its_logit() -> None:
    found = explain(TEXT, "mini", "integrated-gradients", "bad", question=THREE)
    assert found.convergence_gap is not None
    assert found.convergence_gap < 0.1


def test_faithfulness_worth_and_plausibility_ask_it_too() -> None:
    put = asked("mini", THREE)
    found = explain(TEXT, put)
    trust = faithfulness(found, TEXT)
    assert trust.label == found.label
    assert trust.comprehensiveness > trust.random["comprehensiveness"].low
    assert "raw" in {one.method for one in worth(TEXT, put)}
    marked = Rationale(1, TEXT, frozenset({8}))
    assert plausibility([marked], model=put).rows == 1


def test_files_and_their_tallies_ask_it_too() -> None:
    found = compare_file(
        FILE, ["random", "entity"], text_column="text", label_column="label", name="f.csv",
        question=THREE,
    )  # fmt: skip
    said = [by_hand(line.split(",")[0]) for line in FILE.decode().splitlines()[1:]]
    right = np.mean([np.argmax(p) == i for i, p in zip((0, 1, 2), said, strict=True)])
    assert found.strategies["random"].accuracy_original == pytest.approx(right)
    assert found.question == "three"
    assert FileComparison.from_dict(json.loads(json.dumps(found.to_dict()))).question == "three"


def test_fairness_asks_it_too() -> None:
    pair = Pair(1, TEXT, TEXT.replace("her", "him"))
    found = fairness([pair], model="mini", label="good", question=THREE)
    fall = by_hand(pair.second)[0] - by_hand(pair.first)[0]
    assert found.arms["plain"].mean_difference == pytest.approx(fall, abs=1e-6)
    assert found.arms["differences"].ctf_gap == 0


def test_the_report_names_it_and_how_to_ask_again() -> None:
    chosen = mask("To Anna the film was [MASK]", "entity")
    given = {**THREE, "words": ("good", "bad")}
    report = text_report(chosen, "mini", question=given)
    assert report.settings["question"] == given
    assert "--question three --ask words=good,bad" in report.commands[-1]


def test_the_command_line_asks_it(run) -> None:
    code, out, err = run(
        "compare", TEXT, "--strategy", "random", "--question", "three", "--ask", "words=good,bad",
        "--json",
    )  # fmt: skip
    assert code == 0
    assert "special token, [MASK]" in err
    found = json.loads(out)
    assert list(found["original"]["probabilities"]) == ["good", "bad", "(other)"]
    assert found["question"] == {"name": "three", "words": ["good", "bad"]}
    code, out, _ = run("explain", TEXT, "--question", "three", "--label", "long", "--json")
    assert (code, json.loads(out)["label"]) == (0, "long")


def test_a_file_on_the_command_line_is_asked_it(run, tmp_path) -> None:
    path = tmp_path / "films.csv"
    path.write_bytes(FILE)
    code, out, _ = run(
        "compare", "--file", str(path), "--text-column", "text", "--label-column", "label",
        "--strategy", "random", "--question", "three", "--json",
    )  # fmt: skip
    assert code == 0
    assert json.loads(out)["rows"] == 3


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (
            "tree",
            UnknownNameError,
            "Unknown question 'tree': choose one of .*labels.*three",
        ),
        ({**THREE, "word": "x"}, UnknownNameError, "choose one of words"),
        ({"name": "labels", "words": "x"}, UnknownNameError, "takes no parameter .words."),
    ],
)
def test_a_bad_name_is_one_sentence_with_what_there_is(given, error, said) -> None:
    with pytest.raises(error, match=said):
        asked("mini", given)


def test_what_a_model_cannot_be_asked_is_refused(tiny, run) -> None:
    with pytest.raises(CapabilityError, match="cannot fill"):
        asked(tiny("bert"), THREE)
    with pytest.raises(UnknownNameError, match=r"Unknown output 'fine'.*good, bad, long"):
        explain(TEXT, "mini", label="fine", question=THREE)
    code, _, err = run("compare", TEXT, "--ask", "words", "--question", "three")
    assert code == 2
    assert "write NAME=VALUE" in err
