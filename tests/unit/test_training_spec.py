"""RunSpec: checked when made, the same after TOML, whoever writes it."""

from __future__ import annotations

import tomllib

import pytest

from maskviz.errors import MaskvizError, ParameterError, UnknownNameError
from maskviz.training import RunSpec
from maskviz.training.spec.toml import to_toml


def test_toml_round_trip_keeps_everything():
    spec = RunSpec.build(
        name='quo"te \\ ä 🎉',
        strategy="entity",
        parameters={"types": ["PERSON", "GPE"]},
        ratio=0.3,
        learning_rate=1e-5,
        max_minutes=2.5,
        dynamic=False,
    )
    assert RunSpec.from_toml(spec.to_toml()) == spec


def test_toml_writer_agrees_with_the_reader():
    table = {
        "text": "line\nbreak\ttab \x7f \u2028",
        "small": 1e-07,
        "whole": 3.0,
        "yes": True,
        "list": [1, "two", 3.5],
        "odd key": 1,
        "section": {"inline": {"a": [1], "b c": "d"}, "none": None},
    }
    read = tomllib.loads(to_toml(table))
    assert read["section"].pop("inline") == {"a": [1], "b c": "d"}
    del table["section"]
    assert read.pop("section") == {}
    assert read == table


def test_a_hand_written_spec_needs_only_what_differs():
    spec = RunSpec.from_toml('model = "mini"\n[masking]\nstrategy = "span"\nratio = 0\n')
    assert (spec.masking.strategy, spec.masking.ratio) == ("span", 0.0)
    assert spec.training.num_train_epochs == 3.0


def test_flat_names_and_their_short_forms():
    spec = RunSpec.build(epochs=2.0, batch_size=8, path="a.csv", seed=7)
    assert spec.training.num_train_epochs == 2.0
    assert spec.training.per_device_train_batch_size == 8
    assert (spec.data.path, spec.seed) == ("a.csv", 7)
    assert spec.changed(seed=8).data.path == "a.csv"


def test_a_relative_data_path_is_meant_from_the_spec_file(tmp_path):
    (tmp_path / "spec.toml").write_text('[data]\npath = "rows.csv"\n')
    spec = RunSpec.from_file(tmp_path / "spec.toml")
    assert spec.data.path == str(tmp_path / "rows.csv")
    (tmp_path / "example.toml").write_text("seed = 1\n")
    assert RunSpec.from_file(tmp_path / "example.toml").data.path == "example"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"ratio": 1.5}, r"ratio is 1\.5 and must lie between 0 and 1"),
        ({"strategy": "rndom"}, "Unknown strategy 'rndom'.* none"),
        ({"operator": "burn"}, "Unknown operator 'burn'"),
        ({"strategy": "manual"}, "needs a person"),
        ({"parameters": {"typs": ["PERSON"]}, "strategy": "entity"}, "does not take 'typs'"),
        ({"parameters": ["x"]}, "must be a table"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast' and must be a number"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"learning_rate": 0.0}, "learning_rate is 0"),
        ({"max_steps": 0}, "max_steps is 0"),
        ({"seed": True}, "seed is 'True' and must be a whole number"),
        ({"seed": -1}, "seed is -1"),
        ({"task": "poetry"}, "Unknown task 'poetry': choose one of classification, mlm"),
        ({"task": "mlm", "strategy": "none"}, "mlm learns what a mask hides"),
        ({"device": "tpu"}, "Unknown device"),
        ({"learningrate": 1.0}, "Unknown setting 'learningrate'"),
        ({"per_device_train_batch_size": 0}, "per_device_train_batch_size is 0"),
        ({"path": ""}, "no data"),
        ({"name": "x" * 81}, "81 characters"),
    ],
)
def test_a_bad_value_gets_one_sentence(values, words):
    with pytest.raises((ParameterError, UnknownNameError), match=words):
        RunSpec.build(**values)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("seed = ", "not TOML"),
        ("[masking]\nstrtegy = 'x'", "setting in masking 'strtegy'"),
        ("training = 3", "must be a table"),
        ("foo = 3", "'foo'"),
    ],
)
def test_a_bad_document_gets_one_sentence(document, words):
    with pytest.raises(MaskvizError, match=words):
        RunSpec.from_toml(document)


def test_a_spec_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ParameterError, match="no spec file"):
        RunSpec.from_file(tmp_path / "nowhere.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match="cannot be read"):
        RunSpec.from_file(tmp_path / "binary.toml")


def test_the_evaluation_follows_the_training_mask_unless_told():
    spec = RunSpec.build(strategy="span", ratio=0.4)
    assert spec.evaluated_mask.strategy == "span"
    assert not spec.evaluated_mask.dynamic
    own = RunSpec.from_toml("[evaluation]\nstrategy = 'random'\nratio = 0.5\n")
    assert own.evaluated_mask.ratio == 0.5
    assert RunSpec.from_toml(own.to_toml()) == own
