"""The report on a comparison of a whole file."""

from __future__ import annotations

import pytest

from maskviz.errors import DataError
from maskviz.evidence.jobs import jobs
from maskviz.evidence.jobs.work import work
from maskviz.report import comparison_report, render

CSV = "text,label,who\n" + "".join(
    f"{'A fine' if i % 2 else 'A dull'} <b>film</b> that {'he' if i % 3 else 'she'} saw {i} times,"
    f"{'good' if i % 2 else 'bad'},{'x' if i % 4 > 1 else '<i>y'}\n"
    for i in range(24)
)


@pytest.mark.parametrize("kind", ["compare", "fairness"])
def test_a_comparison_becomes_a_report(kind: str, tmp_path, tiny) -> None:
    path = tmp_path / "own.csv"
    path.write_text(CSV)
    given: dict[str, object] = {"strategies": {"random": {}, "span": {}}, "text_column": "text",
                                "model": str(tiny("bert"))}  # fmt: skip
    if kind == "compare":
        told = {"good": "LABEL_1", "bad": "LABEL_0"}
        given |= {"label_column": "label", "label_map": told, "operator": "mask"}
        given["group_columns"] = ["who"]
    else:
        given |= {"swap": ["gender", "places"], "operator": "placeholder"}
    job = jobs.create(kind, "own.csv", path, given)
    with pytest.raises(DataError, match="nothing yet"):
        comparison_report(job)
    work(job)
    assert job.status().state == "done", job.status().message
    page = render(comparison_report(job))
    assert "Over 24 rows" in page if kind == "compare" else "from 24 of 24 rows" in page
    assert "<b>film</b>" not in page
    assert "<i>y" not in page
    if kind == "compare":
        assert "plain: accuracy is 50\u00a0% in every group of 10 rows or more." in page
        assert "--group-columns who" in page
    assert "--label-map" in page if kind == "compare" else "--swap gender,places" in page
