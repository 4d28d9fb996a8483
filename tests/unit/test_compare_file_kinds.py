"""A file at a time: two models on it, a regression, several labels a row."""

from __future__ import annotations

import numpy as np
import pytest

from maskviz.errors import DataError
from maskviz.evidence import compare_file
from maskviz.evidence.files.tally import RowResult
from tests.file_rows import run
from tests.tiny_models import build


def test_two_models_are_paired_on_the_same_rows_and_masks(tiny) -> None:
    first, second = tiny("bert"), tiny("modernbert")
    found = run(first, label_column="label", beside=second)
    alone = run(second, label_column="label", draws=0)  # chance is that of the first model
    assert found.beside.strategies == alone.strategies
    paired = found.beside.paired["plain"]
    assert paired["accuracy_first"] == found.strategies["span"].accuracy_original
    assert paired["accuracy_second"] == alone.strategies["span"].accuracy_original
    same = run(first, label_column="label", beside=first).beside
    assert same.agreement == 1
    assert same.paired["span"]["p_value"] == 1


def test_models_of_different_tasks_are_refused(tiny, tmp_path) -> None:
    other = str(build("bert", tmp_path / "three", num_labels=3))
    with pytest.raises(DataError, match="same task"):
        run(tiny("bert"), beside=other)


def test_a_regression_gives_errors_in_place_of_accuracy(tmp_path) -> None:
    from scipy.stats import ttest_rel

    model = str(build("bert", tmp_path / "one", num_labels=1, initializer_range=0.5))
    rows: list[RowResult] = []
    content = b"text,score\n" + b"".join(b"a film %d,%d.5\n" % (i, i % 4) for i in range(40))
    found = compare_file(
        content, ["random"], text_column="text", label_column="score", model=model,
        name="a.csv", each=rows.append,
    )  # fmt: skip
    result = found.strategies["random"]
    truth = [float(r.expected) for r in rows]
    before = [abs(r.probability - t) for r, t in zip(rows, truth, strict=True)]
    after = [abs(r.effects["random"].probability - t) for r, t in zip(rows, truth, strict=True)]
    assert result.accuracy_original is None
    assert result.mean_kl is None
    assert (result.error_original, result.error_masked) == pytest.approx(
        (np.mean(before), np.mean(after))
    )
    assert result.error_p_value == pytest.approx(ttest_rel(after, before).pvalue)
    with pytest.raises(DataError, match="needs a number"):
        compare_file(
            b"text,score\na film,good\n", ["random"], text_column="text", label_column="score",
            model=model, name="a.csv",
        )  # fmt: skip


def test_a_multi_label_head_gives_sets_of_labels(tmp_path) -> None:
    model = str(
        build(
            "bert", tmp_path / "multi", num_labels=3, initializer_range=0.5,
            problem_type="multi_label_classification",
        )
    )  # fmt: skip
    rows: list[RowResult] = []
    lines = ['{"text": "a film", "tags": ["LABEL_0", "LABEL_2"]}', '{"text": "b", "tags": "1"}']
    lines += ['{"text": "c", "tags": []}', '{"text": "d", "tags": "(none)"}']
    found = compare_file(
        "\n".join(lines).encode(), ["random"], text_column="text", label_column="tags",
        model=model, name="a.jsonl", each=rows.append,
    )  # fmt: skip
    assert [r.expected for r in rows] == ["LABEL_0, LABEL_2", "LABEL_1", "(none)", "(none)"]
    assert found.strategies["random"].ece_original is None
    assert found.strategies["random"].mean_kl >= 0
