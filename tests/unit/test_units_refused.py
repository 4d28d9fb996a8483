"""Masks over units: what is refused, and what their names and checks say."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from maskviz.errors import CapabilityError, ParameterError, UnknownNameError
from maskviz.evidence.units.choose import choose_units
from maskviz.evidence.units.compare import compare_units
from maskviz.evidence.units.scan import scan_rows, scan_text
from maskviz.evidence.units.sentence import scan_sentence
from maskviz.models import load_model
from maskviz.models.checks import finding
from maskviz.readings.question import asked

TEXT = "Anna didn't like this truly dull film, though."


@pytest.mark.parametrize(("arguments", "said"), [
    (["--heads", "9.1"], "There is no layer 9 in 'mini': it has 6."),
    (["--heads", "3.9"], "There is no head 3.9 in 'mini': layer 3 has 4 heads."),
    (["--heads", "3.1,3.2,3.3,3.4"], "All 4 heads of layer 3 are named"),
    (["--heads", "cross:1.1"], "'mini' has no cross beside"),
    (["--heads", ","], "No unit is named"),
    (["--heads", "1.1", "--unit-operator", "half"], "unit operator 'half'"),
    (["--heads", "1.1", "--unit-operator", "from", "--strategy", "pattern", "--pattern", "zzz"],
     "takes the values of a masked text"),
    (["--heads", "1.1", "--mean-over", "none.csv"], "none.csv"),
])  # fmt: skip
def test_bad_input_is_said_in_one_line(run, arguments: list[str], said: str) -> None:
    code, out, error = run("compare", "A truly great film.", *arguments)
    assert code == 2
    assert out == ""
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("text", ["", " \n\t"])
@pytest.mark.parametrize("command", [
    ["heads"], ["compare", "--heads", "1.1"], ["knockout", "--to", "last"], ["lens"],
    ["compare", "--heads", "1.1", "--unit-operator", "zero"], ["lens", "--strategy", "random"],
])  # fmt: skip
def test_a_text_that_is_empty_is_refused(run, command: list[str], text: str) -> None:
    name, *options = command
    said = "maskviz: The text has no words to hide: enter at least one word.\n"
    assert run(name, text, *options) == (2, "", said)


@pytest.mark.parametrize(("family", "said"), [("fnet", "that one can see"), ("longformer", "")])
@pytest.mark.parametrize("command", [
    ["heads", TEXT], ["compare", TEXT, "--heads", "1.1"], ["knockout", TEXT, "--to", "last"],
    ["compare", TEXT, "--heads", "random:2"], ["prune", "--heads", "1.1", "--out", "{out}"],
    ["compare", TEXT, "--heads", "1.mlp"], ["heads", TEXT, "--kind", "mlp"],
])  # fmt: skip
def test_an_architecture_without_visible_attention_is_one_sentence(
    run, tiny, tmp_path, command: list[str], family: str, said: str
) -> None:
    out = tmp_path / "out"
    code, printed, error = run(*(one.format(out=out) for one in command), "-m", tiny(family))
    last = error.splitlines()[-1]  # behind what the libraries say as they build the tiny model
    assert (code, printed) == (2, "")
    assert last.startswith("maskviz: The ")
    assert f"rchitecture '{family}'" in last
    assert said in last
    assert not out.exists()


@pytest.mark.parametrize("rows", ["text\n", 'text,label\n"",a\n" ",b\n'])
@pytest.mark.parametrize("command", [["compare", TEXT, "--heads", "1.1"], ["heads", TEXT]])
def test_a_mean_over_no_rows_is_one_sentence(run, tmp_path, command, rows: str) -> None:
    table = tmp_path / "rows.csv"
    table.write_text(rows)
    code, out, error = run(*command, "--mean-over", str(table), "--text-column", "text")
    assert (code, out) == (2, "")
    assert "no rows" in error or "none is given" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("operator", ["from", "from-plain"])
@pytest.mark.parametrize("command", [
    ["heads", "A dull story."], ["compare", "A dull story.", "--heads", "1.1"],
    ["heads", "--file", "texts.csv"],
])  # fmt: skip
def test_values_of_a_masked_text_need_what_is_hidden(
    run, tmp_path, monkeypatch, command: list[str], operator: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts.csv").write_text("text\nA dull story.\nA warm film.\n")
    code, out, error = run(*command, "--unit-operator", operator)
    assert (code, out) == (2, "")
    assert f"unit operator {operator} takes the values of a masked text, and nothing says" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("rows", [1, 2, 6])
def test_a_scan_in_which_nothing_moves_names_no_head(rows: int) -> None:
    found = scan_text(TEXT) if rows == 1 else scan_rows([TEXT] * rows)
    assert "moves nothing" not in scan_sentence(found)
    still = replace(found, effects=tuple(replace(one, effect=0.0) for one in found.effects))
    said = "Silencing any one of the 24 heads (mean) moves nothing: no effect reaches 0.001."
    assert scan_sentence(still) == said


@pytest.mark.parametrize(("family", "said"), [
    ("fnet", "it computes none that one can see"),
    ("convbert", "a mixture lies between"),
])  # fmt: skip
def test_what_fails_the_check_is_not_offered(tiny, family: str, said: str) -> None:
    model = load_model(tiny(family))
    assert not finding(model, "heads").passed
    with pytest.raises(
        CapabilityError, match=rf"'{family}' cannot be changed one by one \(.*{said}"
    ):
        compare_units(TEXT, "1.1", model)


def test_models_info_shows_the_checks(run) -> None:
    shown = json.loads(run("models", "info", "mini", "--json")[1])["checks"]
    found = {one["name"]: one for one in shown}
    assert found["heads"]["said"] == "24 heads in 6 layers can be changed"
    assert found["layers read once"]["passed"]


@pytest.mark.parametrize(("written", "said"), [
    ("random:0", "from 1 to 23"),
    ("random:24", "from 1 to 23"),
    ("top-k:x", "from 1 to 23"),
    ("role:king", "role 'king'"),
    ("best:3", "strategy over units 'best'"),
])  # fmt: skip
def test_strategies_over_heads_say_what_they_take(written: str, said: str) -> None:
    with pytest.raises((ParameterError, UnknownNameError), match=said):
        choose_units(written, asked("mini"), TEXT)


def test_heads_drawn_at_random_are_the_same_for_the_same_seed() -> None:
    put = asked("mini")
    one, same, other = (choose_units("random:5", put, TEXT, seed=seed) for seed in (3, 3, 4))
    assert one == same != other
    assert len(one) == 5
