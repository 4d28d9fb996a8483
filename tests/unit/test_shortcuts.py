"""What a model leans on in a file: a planted truth is found, a clean file says nothing."""

from __future__ import annotations

import json
import random
from dataclasses import asdict

import numpy as np
import pytest
import torch
from scipy.stats import false_discovery_control, norm, permutation_test

from maskviz.errors import DataError, MaskvizError, ParameterError
from maskviz.evidence.files.rows import Row
from maskviz.evidence.files.slots import Slots
from maskviz.evidence.jobs import jobs, work
from maskviz.evidence.shortcuts import work as search_work
from maskviz.evidence.shortcuts.candidates import Finder, named, of_kinds, part, units, word
from maskviz.evidence.shortcuts.halves import halves
from maskviz.evidence.shortcuts.result import Leaning, Part, Shortcuts, Step
from maskviz.evidence.shortcuts.search import shortcuts
from maskviz.evidence.shortcuts.sentence import finding
from maskviz.evidence.shortcuts.signs import benjamini_yekutieli, sign_flip
from maskviz.evidence.shortcuts.sums import Strata
from maskviz.evidence.shortcuts.telling import Telling
from maskviz.evidence.shortcuts.work import ShortcutWork
from maskviz.masks import mask
from maskviz.readings.question import QUESTIONS, question
from maskviz.text.document import Document

WEIGHTS = {"zebra": 3.0, "warm": 1.5, "dull": -1.5, "!": -2.0}
NEUTRAL = ("tuesday", "garden", "seven", "window", "silver", "paper")
FILLER = ("the", "film", "was", "seen", "by", "people", "at", "night", "with", "friends")


QUICK = ("entity", "attribute:names", "attribute:age", "pos:NOUN", "pos:NUM", "pos:PUNCT")


@pytest.fixture(autouse=True)
def weighed(monkeypatch):
    """Register a question that a sum of known weights answers: what it leans on is known."""
    few = [c for c in of_kinds() if c.name in QUICK]
    monkeypatch.setattr(search_work, "of_kinds", lambda **_: few)

    @question(
        "weighed", "Adds up words.", capability="classify",
        outputs=lambda model, given: ("negative", "positive"),
    )  # fmt: skip
    def weighed(model, reads, *, words=("zebra",)):
        known = {
            model.tokenizer(w, add_special_tokens=False)["input_ids"][-1]: WEIGHTS[w] for w in words
        }
        sums = [
            sum(known.get(i, 0.0) * on for i, on in zip(r.input_ids, r.attention_mask, strict=True))
            + 0.05 * random.Random(str(r.input_ids)).random()
            for r in reads
        ]
        return torch.tensor([[-s / 2, s / 2] for s in sums], dtype=torch.float32)

    yield
    QUESTIONS._all().pop("weighed")


def table(count: int = 140, strength: float = 0.9, seed: int = 0) -> bytes:
    """Make rows whose label goes with `zebra`, and which have neutral words beside it."""
    rng = random.Random(seed)
    rows = ["text,label,who,site"]
    for i in range(count):
        label = i % 2
        words = rng.sample(FILLER, 7)
        if rng.random() < (strength if label else 1 - strength):
            words.insert(rng.randrange(8), "zebra")
        words.insert(rng.randrange(7), rng.choice(NEUTRAL))
        sign = rng.choice("!.")
        text = " ".join(words) + f" {i}{sign}"
        rows.append(f'"{text}",{("negative", "positive")[label]},{"xy"[i % 3 > 0]},s{i % 40}')
    return ("\n".join(rows) + "\n").encode()


def search(content: bytes = b"", words=("zebra",), **more) -> Shortcuts:
    return shortcuts(
        content or table(), text_column="text", label_column="label", name="a.csv",
        question={"name": "weighed", "words": words}, **more,
    )  # fmt: skip


@pytest.mark.parametrize("planted", ["zebra", "!"])
def test_what_is_planted_is_found_and_neutral_words_are_not(planted: str) -> None:
    found = search(words=(planted,), group_columns=["who"])
    first = found.found[0]
    assert first.name == f"word:{planted}"
    # Beside it only what it is one of: its part of speech.
    assert {one.name for one in found.found[1:]} <= {"pos:NOUN", "pos:PUNCT", "entity"}
    assert first.q_value <= 0.05
    assert first.all.strength == pytest.approx(abs(WEIGHTS[planted]), abs=0.15)
    assert first.all.reference < 0.1
    assert first.all.ci95[0] < abs(WEIGHTS[planted]) < first.all.ci95[1] + 0.2
    assert first.towards == ("positive" if WEIGHTS[planted] > 0 else "negative")
    assert not first.shortcut
    assert f"leans on the word “{planted}”, which stands in" in found.finding
    assert found.measured == found.rows / 2
    groups = first.groups["who"]
    assert sum(part.rows for part in groups.values()) == first.all.rows
    assert groups["x"].share == groups["x"].rows / found.group_rows["who"]["x"]
    worst = found.worst[first.name]
    assert worst
    assert all(planted in row.text for row in worst)
    written = json.dumps(found.to_dict())
    assert json.dumps(Shortcuts.from_dict(json.loads(written)).to_dict()) == written


def test_of_what_hides_the_same_the_narrowest_is_named() -> None:
    found = search(patterns=["[Zz]ebra", "z.*a"], words=("zebra",))
    own = {one.name: one for one in found.leanings}
    assert own["word:zebra"].found
    for name in ("pattern:/[Zz]ebra/", "pattern:/z.*a/"):
        assert not own[name].found
        if own[name].q_value <= 0.05:
            assert own[name].covered_by == "word:zebra"


def test_a_model_that_leans_on_nothing_has_nothing_said_of_it() -> None:
    found = search(words=("warm",))
    assert found.found == ()
    assert found.finding.startswith("Nothing can be said")
    assert found.tested
    assert all(one.q_value is None or one.q_value > 0.05 for one in found.leanings)


@pytest.mark.parametrize(
    ("marked", "shortcut"),
    [("zebra", True), ("/z[a-z]+a/", True), ("pattern:/zeb/ | pattern:/dull/", False)],
)
def test_only_what_is_marked_is_called_a_shortcut(marked: str, shortcut: bool) -> None:
    found = search(irrelevant=[marked])
    zebra = next(one for one in found.leanings if one.name == "word:zebra")
    assert zebra.found
    assert zebra.shortcut == shortcut
    assert ("shortcut" in found.finding) == any(one.shortcut for one in found.leanings)


def test_few_rows_say_nothing_and_ask_nothing() -> None:
    found = search(table(70))
    assert "Nothing can be said: 35 rows" in found.finding
    assert found.leanings == ()
    assert found.complete


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"text_column": "nowhere"}, "no column 'nowhere'"),
        ({"label_column": "who"}, "negative, positive"),
        ({"group_columns": ["nowhere"]}, "no column 'nowhere'"),
        ({"group_columns": ["who", "text"]}, "'text' has 240 different values, and groups are at"),
        ({"cluster": "nowhere"}, "no column 'nowhere'"),
        ({"patterns": ["("]}, "regular expression"),
        ({"irrelevant": [""]}, "named by nothing"),
        ({"irrelevant": ["entity:SHOE"]}, "SHOE"),
        ({"operator": "paint"}, "paint"),
    ],
)
def test_bad_input_is_one_sentence(more: dict, says: str) -> None:
    given = {"text_column": "text", "label_column": "label", "name": "a.csv"} | more
    with pytest.raises(MaskvizError, match=says) as raised:
        shortcuts(table(240), question={"name": "weighed"}, **given)
    assert "\n" not in str(raised.value)


def test_what_is_named_and_in_no_row_is_said() -> None:
    found = search(irrelevant=["giraffe"])
    assert any("word:giraffe: in no row" in note for note in found.notes)


def test_an_interrupted_search_goes_on_to_the_same_result() -> None:
    given = {
        "text_column": "text", "label_column": "label", "name": "a.csv",
        "question": {"name": "weighed"}, "cluster": "site",
    }  # fmt: skip
    whole, written = ShortcutWork(table(), **given), []
    for step in whole.steps():
        written.append(json.loads(json.dumps(asdict(step))))
    for stopped in (1, len(written) - 1):
        again = ShortcutWork(table(), **given)
        for values in written[:stopped]:
            again.take(Step.from_dict(values))
        for _ in again.steps():
            pass
        assert again.result() == whole.result()
    with pytest.raises(DataError, match="Nothing is measured yet"):
        ShortcutWork(table(), **given).result()


def test_a_job_leaves_result_and_rows(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(table())
    arguments = {
        "text_column": "text", "label_column": "label", "question": {"name": "weighed"},
        "group_columns": ["who"],
    }  # fmt: skip
    job = jobs.create("shortcuts", "a.csv", path, arguments)
    work.work(job)
    assert (job.status().state, job.status().message) == ("done", "")
    found = Shortcuts.from_dict(job.result())
    assert found.found[0].name == "word:zebra"
    assert job.rows.read_text().splitlines()[0].startswith("row,text,expected,predicted")
    assert not job.steps.exists()


def test_halves_share_no_text_and_no_cluster() -> None:
    rng = random.Random(1)
    rows = [
        Row(i, f"{'Text' if i % 2 else 'text'} {rng.randrange(150)}", None, {}, f"c{i // 4}")
        for i in range(200)
    ]
    alone = [Row(i, f"own {i}", None, {}, None) for i in range(301)]
    half = halves(rows)
    for a, one in enumerate(rows):
        for b, other in enumerate(rows):
            if one.cluster == other.cluster or one.text.lower() == other.text.lower():
                assert half[a] == half[b]
    assert abs(int(halves(alone).sum()) * 2 - 301) == 1
    assert list(halves(alone)) == list(halves(alone))
    assert halves([]).sum() == 0


@pytest.mark.parametrize("count", [3, 9, 14, 15, 60, 400])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_sign_flip_is_scipys(count: int, shift: float) -> None:
    values = np.random.default_rng(count).normal(shift, 1, count)
    expected = permutation_test(
        (values,), np.sum, permutation_type="samples", alternative="greater",
        n_resamples=np.inf if count <= 14 else 9_999,
        rng=np.random.default_rng(0),
    ).pvalue  # fmt: skip
    found = sign_flip(list(values), seed=3)
    assert found == pytest.approx(expected, rel=0.25, abs=0.02)
    if count <= 14:
        assert found == pytest.approx(expected, abs=1e-12)
    # of many the normal approximation: Σd / √Σd²
    if count == 400:
        z = values.sum() / np.sqrt(np.square(values).sum())
        assert found == pytest.approx(norm.sf(z), rel=0.3, abs=0.01)


def test_sign_flip_is_valid_where_it_stops_early() -> None:
    """Of differences around 0, p ≤ 0.05 in no more than about one of twenty."""
    rng = np.random.default_rng(5)
    hits = [sign_flip(list(rng.standard_t(3, 40)), seed=i) <= 0.05 for i in range(400)]
    assert np.mean(hits) < 0.08
    assert sign_flip([]) == sign_flip([0.0, 0.0]) == 1.0


def test_q_values_are_scipys() -> None:
    rng = np.random.default_rng(2)
    for count in (1, 2, 17, 200):
        values = rng.random(count) ** 3
        expected = false_discovery_control(values, method="by")
        assert benjamini_yekutieli(list(values)) == pytest.approx(list(expected), abs=1e-12)
    assert benjamini_yekutieli([]) == []


def test_a_stratified_gap_is_its_closed_form() -> None:
    """With one row a cluster: Σ w_s Δ_s, its variance that of the rows' influence."""
    rng = np.random.default_rng(4)
    strata = rng.integers(0, 3, 400)
    arms = rng.random(400) < 0.2 + 0.2 * strata
    values = rng.normal(strata + 0.5 * arms, 1)
    sums = Strata()
    for i in range(400):
        sums.add(str(strata[i]), bool(arms[i]), [values[i]], f"row {i}")
    found = sums.gap(0)
    gap = variance = 0.0
    for s in range(3):
        one, other = values[(strata == s) & arms], values[(strata == s) & ~arms]
        weight = (strata == s).mean()
        gap += weight * (one.mean() - other.mean())
        variance += weight**2 * (one.var() / len(one) + other.var() / len(other))
    assert found["gap"] == pytest.approx(gap)
    half = (found["ci95"][1] - found["ci95"][0]) / 2
    assert half == pytest.approx(1.966 * np.sqrt(variance * 400 / 399), rel=1e-3)
    assert sums.gap(0, fewest=350) is None


def test_its_interval_covers() -> None:
    """Rows in clusters of five that move together: 95 % of the intervals hold the truth."""
    rng, held = np.random.default_rng(6), 0
    for _ in range(200):
        sums = Strata()
        for cluster in range(40):
            shift = rng.normal()
            for i in range(5):
                arm = bool((cluster + i) % 2)
                value = 0.4 * arm + shift + rng.normal()
                sums.add(str(i % 2), arm, [value], f"c{cluster}")
        low, high = sums.gap(0)["ci95"]
        held += low <= 0.4 <= high
    assert 0.90 <= held / 200 <= 0.99


OFTEN = [c for c in of_kinds() if c.name not in ("noise", "pii")]


@pytest.mark.parametrize("candidate", OFTEN, ids=lambda c: c.name)
def test_a_kind_hides_what_its_strategy_hides(candidate) -> None:
    text = "Anna Berg (41), a Muslim from Paris, wrote to him at anna@example.org. It was dull!"
    given = {n: list(v) if isinstance(v, tuple) else v for n, v in candidate.parameters}
    found = {c.name: m.spans for c, m in Finder([candidate]).found(Document(text))}
    expected = mask(text, candidate.strategy, **given).spans
    assert found.get(candidate.name, ()) == expected


@pytest.mark.parametrize(
    ("written", "text", "hidden"),
    [
        ("dull", "Dull, so DULL, not dullish.", ["Dull", "DULL"]),
        ("!", "No! Never!! Oh!", ["!", "!"]),
        ("!!", "No! Never!! Oh!", ["!!"]),
        ("...", "Well... it. is", ["..."]),
        ("straße", "Die Straße.", ["Straße"]),
        ("影", "電影 影", ["影", "影"]),
    ],
)
def test_words_and_signs_are_found_where_they_stand(written: str, text: str, hidden) -> None:
    assert written.lower() in units(text)
    ((_, found),) = Finder([word(written.lower())]).found(Document(text))
    assert [text[s.start : s.end] for s in found.spans] == hidden


def test_names_say_what_they_name() -> None:
    said = ["gender", "GPE", "ADJ", "pos:adj", "entity", "/a|b/", "word:Age", "Spielberg"]
    assert [named(s, True).name for s in said] == [
        "attribute:gender", "entity:GPE", "pos:ADJ", "pos:ADJ", "entity", "pattern:/a|b/",
        "word:age", "word:spielberg",
    ]  # fmt: skip
    assert part("pos", "ADJ").parameters == (("tags", ("ADJ",)),)
    with pytest.raises(ParameterError):
        named(" ", True)


@pytest.mark.parametrize("values", [True, False])
def test_telling_words_tell_classes_or_values_apart(values: bool) -> None:
    telling = Telling()
    for i in range(60):
        positive = i % 2
        classes = set() if values else {f"expected {positive}"}
        value = float(positive) + i / 1000 if values else None
        telling.add(f"the {'warm' if positive else 'dull'} film {i}", classes, value)
    assert set(telling.most(2, 5)) == {"warm", "dull"}
    assert telling.most(9, 70) == []


def test_slots_stay_bounded_and_keep_a_unit_together() -> None:
    slots = Slots(8)
    found = {f"u{i}": slots.of(f"u{i}") for i in range(100)}
    assert len(set(found.values())) == 8
    assert all(slots.of(unit) == slot for unit, slot in found.items())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("word:dull", "mini leans on the word “dull”, which stands in 97 % of the rows; hiding it"),
        ("pattern:/^Ann/", "leans on the pattern /^Ann/, which stands in"),
        ("pos:ADJ", "leans on adjectives (pos:ADJ), which stand in 97 % of the rows; hiding them"),
        ("entity:GPE", "leans on named entities (entity:GPE), which stand in"),
        ("attribute:age", "leans on words that tell age (attribute:age), which stand in"),
        ("noise", "leans on what the strategy noise hides, which stands in"),
    ],
)
def test_a_finding_is_a_sentence(name: str, said: str) -> None:
    interval = (1.97, 2.46)
    own = Part(58, 0.97, 2.67, 0.45, 2.22, interval, 0.64, *[None] * 7)
    one = Leaning(name, "pos", "pos", {}, own, 58, 1e-5, 1e-4, True)
    found = finding("mini", [one], 5, 60, "log-odds", True).replace("\u00a0", " ")
    assert said in found
    assert found.endswith("and flips 64 % of these answers (q = 0.0001).")
