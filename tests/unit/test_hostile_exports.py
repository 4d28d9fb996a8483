"""What people wrote stays text in every file and figure that leaves the house."""

from __future__ import annotations

import csv
import io
import json
import re
from types import SimpleNamespace

import pytest

from maskviz.data.export import CsvFile, to_csv
from maskviz.evidence import compare_masks
from maskviz.evidence.words.attribution import Explanation, WordScore
from maskviz.figures import compare as figures
from maskviz.figures import vision
from maskviz.masks import mask
from maskviz.models import load_model
from maskviz.training import RunSpec
from maskviz.training.model.card import model_card
from tests.tiny_models import build

FORMULAS = ("=cmd|' /C calc'!A0", "@SUM(1+1)", "+1+1", "-2+3", "\t=1+1", "\r=1+1", "＝1+1")
MARKUP = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>Bob</a> & <b>",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_and_no_column_of_a_csv_is_a_formula(text, tmp_path) -> None:
    record = {text: text, "change": -0.5, "text": f"a {text}"}
    path = tmp_path / "a.csv"
    with CsvFile(path) as written:
        written.add(record)
    for content in (to_csv([record]), path.read_bytes().decode()):
        head, row = csv.reader(io.StringIO(content, newline=""))
        assert head[0] == row[0] == f"'{text}"
        assert row[1:] == ["-0.5", f"a {text}"]  # a number stays one, and so does the rest


def test_names_of_labels_and_words_are_no_markup_in_a_chart(tmp_path) -> None:
    labels = dict(enumerate(MARKUP))
    back = {label: i for i, label in labels.items()}
    model = load_model(str(build("bert", tmp_path / "tiny", id2label=labels, label2id=back)))
    effects = compare_masks([(MARKUP[0], mask("a fine film", "random", seed=0))], model)
    one = effects[0].comparison
    words = Explanation(MARKUP[0], 0.5, (WordScore(0, 5, MARKUP[1], 0.5),))
    look = SimpleNamespace(probabilities=dict.fromkeys(MARKUP, 0.3), label=MARKUP[0])
    drawn = (
        figures.answers(one, effects[0].control), figures.strategies(effects),
        figures.grid(effects), figures.words(words), vision.answers(look, look),
        figures.gaps({MARKUP[0]: SimpleNamespace(ctf_gap=0.1, ctf_ci95=(0.0, 0.2))}),
    )  # fmt: skip
    for figure in drawn:
        said = json.dumps(figure.to_plotly_json(), default=str)
        assert not re.search("<(?!/?extra>)", said)
        assert "&lt;" in said


def test_a_model_card_holds_what_people_wrote_as_code() -> None:
    pattern = "``` <img src=x onerror=alert(1)> | [a](javascript:x)"
    spec = RunSpec.build(strategy="pattern", parameters={"pattern": pattern})
    result = {
        "finding": "Fine.", "train_rows": 1, "labels": ["<b>`x`</b> | y"], "realised_ratio": 0.1,
        "steps": 1, "device": "cpu", "precision": "float32", "evaluations": [],
    }  # fmt: skip
    card = model_card("a-run", spec, result)
    table, settings = card.split("````toml\n")
    assert settings.rstrip().endswith("````")
    outside = re.sub("`[^`\n]*`", "", table)
    assert "<" not in outside
    assert "javascript" not in outside
