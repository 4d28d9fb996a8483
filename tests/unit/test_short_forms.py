"""Full stops of short forms end no sentence, with a pipeline and without one."""

from __future__ import annotations

import pytest

from maskviz.text import Document
from maskviz.text.languages import sentence_offsets

ONE = (
    "Vaswani et al. propose attention.", "We follow Devlin et al. (2019) in this.",
    "See e.g. Fig. 3 for details.", "Dr. Berg left.", "Prof. Dr. Meyer came.", "No. 5 is best.",
    "Results (cf. Sec. 4.2) hold.", "We use approx. 30 samples, i.e. few.", "Eqs. 3 and 4 agree.",
    "Gen. Lee and Lt. Col. Day met.", "It cost ca. 5 dollars.", "See pp. 3-5 and vol. 2 there.",
    "By Thm. 2 and Def. 1 it holds.", "Mr. Lee vs. Acme Inc. was heard.",
)  # fmt: skip
TWO = (
    ("She said no.", "They left."), ("We met the rep.", "She called."),
    ("We follow Brown et al.", "It works."), ("I gave an ex.", "Nobody read it."),
)  # fmt: skip


@pytest.mark.parametrize("sentence", ONE)
def test_a_short_form_ends_no_sentence(sentence: str) -> None:
    text = f"It rained. {sentence} Snow fell."
    document = Document(text)
    assert [text[s.start : s.end] for s in document.sentences] == [
        "It rained.", sentence, "Snow fell."
    ]  # fmt: skip


@pytest.mark.parametrize("sentence", ONE)
def test_nor_does_it_where_marks_alone_tell(sentence: str) -> None:
    text = f"{sentence} Regnet falt."
    found = [text[a:b] for a, b in sentence_offsets(text, "nb")]
    assert found == [sentence, "Regnet falt."]


@pytest.mark.parametrize(("first", "second"), TWO)
def test_a_word_that_only_looks_like_one_does(first: str, second: str) -> None:
    text = f"{first} {second}"
    assert [text[a:b] for a, b in sentence_offsets(text, "nb")] == [first, second]
