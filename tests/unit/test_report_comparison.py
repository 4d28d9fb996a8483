"""The report on a comparison of a whole file."""

from __future__ import annotations

import pytest

from maskviz.errors import DataError
from maskviz.evidence.jobs import jobs
from maskviz.evidence.jobs.work import work
from maskviz.report import comparison_report, render

CSV = "text,label,who\n" + "".join(
    f"{'A fine' if i % 2 else 'A dull'} <b>film</b> that {'he' if i % 3 else 'she'} saw {i} times,"
    f"{'good' if i % 2 else 'bad'},{'x' if i % 4 else 'y'}\n"
    for i in range(8)
)


@pytest.mark.parametrize("kind", ["compare", "fairness"])
def test_a_comparison_becomes_a_report(kind: str, tmp_path, tiny) -> None:
    path = tmp_path / "own.csv"
    path.write_text(CSV)
    given: dict[str, object] = {"strategies": {"random": {}, "span": {}}, "text_column": "text",
                                "model": str(tiny("bert"))}  # fmt: skip
    if kind == "compare":
        told = {"good": "LABEL_1", "bad": "LABEL_0"}
        given |= {"label_column": "label", "label_map": told, "by": ["who"], "operator": "mask"}
    else:
        given |= {"swap": ["gender", "places"], "operator": "placeholder"}
    job = jobs.create(kind, "own.csv", path, given)
    with pytest.raises(DataError, match="nothing yet"):
        comparison_report(job)
    work(job)
    assert job.status().state == "done", job.status().message
    page = render(comparison_report(job))
    assert "Over 8 rows" in page if kind == "compare" else "from 8 of 8 rows" in page
    assert "<b>film</b>" not in page
    assert "--label-map" in page if kind == "compare" else "--swap gender,places" in page
