"""The report: one file, offline, under 5 MB, and no text of the user's ever read as markup."""

from __future__ import annotations

import base64
import json
import re
import shlex
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import maskviz
from maskviz import cli
from maskviz.errors import MaskvizError, ParameterError, RunError
from maskviz.report import render, run_report, save, text_report
from maskviz.report.charts import bars, intervals, lines, table
from maskviz.report.document import LARGEST, Report, escape
from maskviz.runs import Run
from maskviz.training import RunSpec

HOSTILE = (
    "Anna said </script><script>alert(1)</script> and left.",
    'A film <img src=x onerror="alert(1)"> was "dull" & \'slow\'.',
    "Left \u202eto right\u202c and \u2066isolated\u2069 words here.",
    "${title} $data javascript:alert(1) <!-- --> ]]> a comment",
    "<svg onload=alert(1)> <a href='javascript:x'>film</a> great \x00 zero",
    "नमस्ते 我喜欢这部电影 שלום a film 🙂",
)
_ALLOWED = {  # every element a report is made of
    "html", "head", "meta", "title", "style", "body", "main", "p", "h1", "h2", "section", "table",
    "thead", "tbody", "tr", "th", "td", "pre", "div", "script", "span", "button", "svg", "rect",
    "text", "line", "circle", "polyline",
}  # fmt: skip


class _Reader(HTMLParser):
    """Collects elements and attributes as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self.scripts += tag == "script"


def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text, tiny):
    mask = maskviz.mask(text, "random", ratio=0.3)
    page = render(text_report(mask, tiny("bert")))
    found = read(page)
    assert found.tags <= _ALLOWED
    assert found.scripts == 2  # the data and our own
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert not [v for n, v in found.attributes if n in ("href", "src")]
    assert not re.search("[\u202a-\u202e\u2066\u2067]", page)
    assert page.count("\u2068") == page.count("\u2069")  # our own, around quoted words
    data = json.loads(base64.b64decode(re.search(r"octet-stream\">([^<]*)<", page)[1]))
    assert data["words"] == [text[a:b] for a, b in mask.words]


def test_the_report_fetches_nothing_and_says_what_is_needed_to_repeat_it(tiny, tmp_path):
    mask = maskviz.mask("Anna loved the warm and funny film.", "random", ratio=0.4, seed=3)
    page = render(text_report(mask, tiny("bert")))
    assert "http" not in page.replace("http-equiv", "")
    assert "default-src 'none'" in page
    for said in ("What did the model look at?", "How sure are we?", mask.text_hash, "--seed 3"):
        assert said in page
    path = save(text_report(mask, tiny("bert")), tmp_path / "r.html")
    assert path.read_text(encoding="utf-8") == page
    assert "@media print" in page


def test_attention_is_of_words_and_rows_sum_to_one(tiny):
    mask = maskviz.mask("Anna loved the warm film.", "random")
    attention = text_report(mask, tiny("bert")).data["attention"]
    assert len(attention) == len(mask.words)
    assert all(abs(sum(row) - 1) < 0.01 for row in attention)


def test_a_long_text_stays_under_the_limit(tiny):
    text = "A<b>" * 250_000  # one line of 1 MB
    report = text_report(maskviz.Mask(text, (maskviz.MaskSpan(0, 1),)), tiny("bert"))
    assert "Read here: the first 10,000 of 500,000 words." in report.sure
    assert len(render(report).encode()) < LARGEST
    with pytest.raises(ParameterError, match=r"more than 5 MB"):
        render(Report("t", "x" * 5_100_000, [], "", {}))


def test_a_decoder_without_a_classifier_is_refused(tiny):
    with pytest.raises(MaskvizError, match="cannot classify"):
        text_report(maskviz.mask("Anna left.", "random"), tiny("gpt2", "CausalLM"))


def _done(folder: Path, state: str = "done") -> Run:
    (folder / "spec.toml").write_text(RunSpec(name="<b>").to_toml())
    rows = [{"split": "<i>dev", "mask": m, "rows": 90, "accuracy": 0.8, "ci95": 0.05, "loss": 1.0}
            for m in ("plain", "masked")]  # fmt: skip
    result = {"finding": "Accuracy <80 %>", "evaluations": rows, "train_rows": 100, "steps": 9,
              "seconds": 60.0, "majority": 0.5, "realised_ratio": 0.1, "device": "CPU",
              "precision": "bf16"}  # fmt: skip
    (folder / "result.json").write_text(json.dumps(result))
    line = {"step": 4, "plain_accuracy": 0.7, "masked_accuracy": 0.6}
    (folder / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    return Run("a-run", folder, state)


def test_a_run_is_told_in_plain_words(tmp_path):
    page = render(run_report(_done(tmp_path)))
    assert read(page).tags <= _ALLOWED
    for said in ("Always giving the most frequent answer", "80.0\u00a0%", "Accuracy &lt;80 %&gt;"):
        assert said in page
    with pytest.raises(RunError, match="is failed"):
        run_report(_done(tmp_path, "failed"))


def test_charts_carry_their_figures_and_escape_names():
    nan = float("nan")
    drawn = bars(["<b>"], [0.9], [0.1], "two") + intervals([("<i>", 0.5, nan, nan, "plain")], "one")
    drawn += intervals([("a", -0.1, -0.2, 0.1, "masked")], "signed", signed=True)
    drawn += lines([("<u>", "plain", [(1, 0.5), (2, 0.6)])], "curve", "step") + table(
        "a", [["<s>"]]
    )
    found = read(drawn)
    assert {"b", "i", "u", "s"}.isdisjoint(found.tags)
    tips = [v.replace("\u00a0", " ") for name, v in found.attributes if name == "data-tip"]
    assert tips == ["<b>, text as it is: 90.0 %", "<b>, words hidden: 10.0 %", "<i>: 50.0 %",
                    "a: -10.0 %, 95 % between -20.0 % and +10.0 %",
                    "<u>, step 1: 50.0 %", "<u>, step 2: 60.0 %"]  # fmt: skip
    assert "Nothing was measured" in lines([], "none", "step")
    assert escape("a\u202eb") == 'a<span class="mark" title="U+202E">RLO</span>b'


def test_the_command_writes_a_file_and_refuses_another_ending(tiny, tmp_path, monkeypatch, capsys):
    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["maskviz", "report", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capsys.readouterr()
        return int(stopped.value.code or 0), out, err

    out = str(tmp_path / "r.html")
    flags = ("--model", tiny("bert"), "--strategy", "random", "--json")
    status, said, err = call("Anna loved the film.", "--out", out, *flags)
    assert status == 0, err
    assert json.loads(said)["bytes"] == Path(out).stat().st_size
    status, _, err = call("Anna loved it.", "--out", str(tmp_path / "r.pdf"), *flags)
    assert (status, err.count("\n")) == (2, 1)
    assert "end it in .html" in err


@pytest.mark.parametrize(
    ("strategy", "settings"),
    [
        ("attribute", {"types": ["names", "age"]}),
        ("pattern", {"words": ["loved", "film"]}),
        ("random", {"ratio": 0.4, "seed": 3}),
        ("manual", {"indices": [1]}),
        ("random", {"complement": True}),
    ],
)
def test_what_the_report_says_to_do_makes_the_same_mask_again(
    strategy, settings, tiny, tmp_path, monkeypatch
):
    mask = maskviz.mask("Anna, 71 years old, loved the 'film' $HOME.", strategy, **settings)
    found = text_report(mask, tiny("bert"))
    monkeypatch.chdir(tmp_path)
    if found.commands[0] == "# mask.json":
        Path("mask.json").write_text(found.commands[1])
        assert found.commands[1].isascii()
    again = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("maskviz.report.text_report", lambda m, *_: again.append(m) or found)
    monkeypatch.setattr(sys, "argv", shlex.split(found.commands[-1]))
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code
    assert again[0].spans == mask.spans


def test_an_interval_beyond_the_axis_ends_with_it():
    drawn = intervals(
        [("few seeds", 0.75, -0.2, 1.4, "plain"), ("all", 0.5, 0.0, 1.0, "chance")], ""
    )
    beyond, within = re.findall(r'x1="([\d.]+)" x2="([\d.]+)" y1="(?:30|74)"', drawn)
    assert beyond == within
