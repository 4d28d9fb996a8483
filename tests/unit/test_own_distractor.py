"""A distractor in rows of one's own: planted with its strength, or a column that is there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from scipy.stats import binomtest

from maskviz.errors import DataError, MaskvizError, ParameterError, UnknownNameError
from maskviz.evidence.distractor import cell
from maskviz.evidence.distractor import interference as planted
from maskviz.evidence.distractor.experiment import ARMS, Experiment
from maskviz.evidence.distractor.interference import interference, summarise
from maskviz.evidence.distractor.own import Own, own, own_frame
from maskviz.masks import mask

PLANTS = ("name", "place", "age", "gender", "word:zebra", "sentence:Sent from my phone.")


def table(folder: Path, rows: int = 600, tie: float = 0.85, text: str = "") -> Path:
    """Write rows whose site goes with the label in a share of them."""
    path = folder / "rows.csv"
    lines = ["text,label,site"]
    for i in range(rows):
        label = i % 2
        site = label if (i // 2) % 20 < tie * 20 else 1 - label
        lines.append(
            f"film {i} was {('dull', 'warm')[label]} {text},{('bad', 'good')[label]},s{site}"
        )
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("place", ["start", "end", "middle"])
@pytest.mark.parametrize("plant", PLANTS)
def test_a_plant_goes_with_the_label_as_asked(tmp_path, plant: str, place: str) -> None:
    asked = own(str(table(tmp_path)), "text", "label", plant, place)
    frame = own_frame(asked, 400, 0.9, 0.1, seed=3)
    train = frame[frame.split == "train"]
    aligned = int((train.group == (train.label == "good")).sum())
    assert binomtest(aligned, len(train), 0.9).pvalue > 0.001
    turned = sum(("warm" in t) != (label == "good") for t, label in zip(train.text, train.label,
                                                                        strict=True))  # fmt: skip
    assert binomtest(turned, len(train), 0.1).pvalue > 0.001
    for split, share in (("aligned", 1.0), ("reversed", 0.0)):
        rows = frame[frame.split == split]
        assert ((rows.group == (rows.label == "good")).mean()) == share
        assert all(("warm" in t) == (label == "good") for t, label in zip(rows.text, rows.label,
                                                                          strict=True))  # fmt: skip
    for row in frame.itertuples():
        assert row.distractor in row.text
        if plant.startswith(("word", "sentence")):
            assert (row.distractor in row.text and row.distractor != "") == bool(row.group)
        if row.distractor and place != "middle":
            at = row.text.startswith if place == "start" else row.text.endswith
            assert at(row.distractor)
    # The same texts in all three tests, none of them in training.
    bare = {s: [t.split("film ")[1].split(" ")[0] for t in frame[frame.split == s].text]
            for s in ("train", "aligned", "neutral", "reversed")}  # fmt: skip
    if place != "middle":
        assert bare["aligned"] == bare["neutral"] == bare["reversed"]
        assert not set(bare["train"]) & set(bare["aligned"])
    assert own_frame(asked, 400, 0.9, 0.1, seed=3).equals(frame)
    assert not own_frame(asked, 400, 0.9, 0.1, seed=4).equals(frame)


def test_a_column_is_tested_aligned_and_reversed_as_it_is(tmp_path) -> None:
    asked = own(str(table(tmp_path)), "text", "label", "site")
    frame = own_frame(asked, 350, 0.5, 0.5, seed=0)
    assert set(frame.text) <= {f"film {i} was {('dull', 'warm')[i % 2]} " .strip()
                               for i in range(600)}  # fmt: skip
    for split, share in (("aligned", 1.0), ("neutral", 0.5), ("reversed", 0.0)):
        rows = frame[frame.split == split]
        assert (rows.distractor == rows.label.map({"bad": "s0", "good": "s1"})).mean() == share
    train = frame[frame.split == "train"]
    assert 0.78 < (train.distractor == train.label.map({"bad": "s0", "good": "s1"})).mean() < 0.92


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"plant": "word:"}, "says nothing"),
        ({"plant": "nowhere"}, "no column 'nowhere'"),
        ({"place": "above"}, "above"),
        ({"plant": "word:film"}, "already: plant something"),
        ({"label_column": "text"}, "600 labels"),
        ({"path": "none.csv"}, "cannot be read"),
        ({"plant": "label"}, "is the text or the label itself"),
        ({"plant": "text"}, "is the text or the label itself"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, change: dict, says: str) -> None:
    given = {"path": str(table(tmp_path)), "text_column": "text", "label_column": "label",
             "plant": "name", **change}  # fmt: skip
    with pytest.raises(MaskvizError, match=says):
        own_frame(own(**given), 400, 0.9, 0.1, 0)


@pytest.mark.parametrize(
    ("rows", "tie", "says"),
    [
        (100, 0.85, "at least 144"),
        (600, 1.0, "cannot be told apart"),
        (600, 0.95, "11 rows of the"),
    ],
)
def test_too_little_to_tell_is_said(tmp_path, rows: int, tie: float, says: str) -> None:
    asked = own(str(table(tmp_path, rows, tie)), "text", "label", "site")
    with pytest.raises(DataError, match=says):
        own_frame(asked, 350, 0.9, 0.1, 0)


LABELS = ("bad", "good")


@pytest.mark.parametrize(
    ("site", "label", "says"),
    [
        (lambda i: "s", lambda i: LABELS[i % 2], "same label most often"),
        (lambda i: f"s{i}", lambda i: LABELS[i % 2], "600 different values, and at most 200"),
        (lambda i: "", lambda i: LABELS[i % 2], "^0 different texts with all"),
        (lambda i: f"s{i % 2}" if i % 3 else "", lambda i: LABELS[i % 2], "cannot be told apart"),
        (lambda i: f"s{i // 2 % 2}", lambda i: LABELS[i % 2], "same label most often"),
        (lambda i: f"s{i % 2}", lambda i: "bad", r"has 1 label \(bad\)"),
        (lambda i: f"s{i % 2}", lambda i: f"l{i}", r"has 600 labels \(l0, .*, …\)"),
    ],
)
def test_a_column_of_which_nothing_can_be_told_is_one_sentence(tmp_path, site, label, says) -> None:
    rows = [f"film {i} was seen,{label(i)},{site(i)}" for i in range(600)]
    (tmp_path / "rows.csv").write_text("text,label,site\n" + "\n".join(rows))
    with pytest.raises(DataError, match=says):
        own_frame(own(str(tmp_path / "rows.csv"), "text", "label", "site"), 400, 0.9, 0.1, 0)


@pytest.mark.parametrize("lean", [0.0, -0.02])
def test_where_the_model_leans_on_nothing_it_is_said(lean: float) -> None:
    figures = {
        "accuracy_aligned": 0.8, "accuracy_neutral": 0.8, "accuracy_reversed": 0.8 - lean,
        "reliance": lean, "worst_group": 0.6, "leakage_text": 0.5, "leakage_text_chance": 0.5,
        "leakage_representation": 0.5, "leakage_representation_chance": 0.5,
    }  # fmt: skip
    found = summarise(Experiment(), {arm: [figures] * 3 for arm in ARMS})
    assert "it hardly leans on it, so there is little to win back" in found.finding
    assert "nan" not in found.finding
    assert [held for _, held, _ in found.verdicts] == [False, None, None, True]


def test_rows_that_have_the_plant_already_are_left_out(tmp_path) -> None:
    path = table(tmp_path)
    text = path.read_text().replace("film 7 ", "film 7 zebra ")
    path.write_text(text)
    frame = own_frame(own(str(path), "text", "label", "word:zebra"), 400, 0.9, 0.0, 0)
    assert not frame.text.str.contains("film 7 ").any()


def test_where_too_few_are_left_it_is_said_how_many_have_the_plant(tmp_path) -> None:
    path = table(tmp_path, 200)
    lines = path.read_text().split("\n")
    path.write_text("\n".join(x.replace("film", "zebra", int(i < 80)) for i, x in enumerate(lines)))
    with pytest.raises(DataError, match=r"^121 .* \(79 have the word “zebra” already and are left"):
        own_frame(own(str(path), "text", "label", "word:zebra"), 400, 0.9, 0.0, 0)


def test_the_rows_of_all_seeds_are_checked_before_the_first_is_trained_on(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("MASKVIZ_HOME", str(tmp_path / "home"))
    checked, rows = [], own(str(table(tmp_path)), "text", "label", "name")

    def frame_of(_experiment: Experiment, seed: int) -> None:
        checked.append(seed)
        if seed == 2:
            raise DataError("Too few.")

    monkeypatch.setattr(planted, "frame_of", frame_of)
    monkeypatch.setattr(planted, "run_missing", lambda *_: pytest.fail("a cell was begun"))
    with pytest.raises(DataError, match="Too few"):
        interference(Experiment(own=rows))
    assert checked == [0, 1, 2]


def test_an_experiment_of_ones_own_is_another_one_and_others_stay_themselves(tmp_path) -> None:
    planted = own(str(table(tmp_path)), "text", "label", "site")
    usual = Experiment()
    arms = tuple(a for a in ARMS if a != "oracle")
    mine = Experiment(own=planted, arms=arms)
    assert "own" not in usual.settings()
    assert mine.id != usual.id
    assert mine.planted == "column “site”"
    json.dumps(mine.settings())
    (tmp_path / "rows.csv").write_text((tmp_path / "rows.csv").read_text() + "\nmore,bad,s1")
    again = own(str(tmp_path / "rows.csv"), "text", "label", "site")
    assert Experiment(own=again, arms=arms).id != mine.id
    with pytest.raises(ParameterError, match="oracle"):
        Experiment(own=planted)
    with pytest.raises(ParameterError, match="keep-head"):
        replace(mine, fresh=False)
    with pytest.raises(UnknownNameError):
        Own("a", "b", "c", "name", "above")


@pytest.mark.parametrize("plant", PLANTS)
def test_the_oracle_hides_what_is_planted_and_no_trace_of_it_stays(tmp_path, plant: str) -> None:
    """Of a word that is there or not a mask token would say that it was there."""
    experiment = Experiment(own=own(str(table(tmp_path)), "text", "label", plant), rows=400)
    frame = cell.frame_of(experiment, 0)
    hidden = cell.masking_of(experiment, "oracle", frame, tmp_path, 0)
    there_or_not = plant.startswith(("word", "sentence"))
    assert hidden.operator == ("delete" if there_or_not else "mask")
    read = {}
    for split in ("aligned", "reversed"):
        rows = frame[frame.split == split].head(20)
        masks = [mask(t, "pattern", **hidden.parameters) for t in rows.text]
        read[split] = [" ".join(m.masked_text(hidden.operator).split()) for m in masks]
    assert read["aligned"] == read["reversed"]
    assert cell.masking_of(experiment, "plain", frame, tmp_path, 0).strategy == "none"


@pytest.mark.slow
def test_a_cell_of_ones_own_rows_has_all_figures(tmp_path) -> None:
    """The plain arm leans on what is planted where the text says little; the oracle does not."""
    path = table(tmp_path, 500)
    path.write_text(path.read_text().replace("dull", "seen").replace("warm", "seen"))
    experiment = Experiment(
        own=own(str(path), "text", "label", "word:zebra"), rows=200, steps=25, noise=0.0,
        strength=0.95, seeds=2,
    )  # fmt: skip
    plain = cell.measure(experiment, "plain", 0, _folder(tmp_path, "plain"))
    oracle = cell.measure(experiment, "oracle", 0, _folder(tmp_path, "oracle"))
    assert plain["reliance"] > 0.5
    assert abs(oracle["reliance"]) < 0.2
    assert set(plain) == set(oracle) >= {"worst_group", "leakage_text", "accuracy_neutral"}


def _folder(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder
