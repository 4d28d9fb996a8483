"""The Guide's part on which strategy to choose, and answers measured on this machine."""

from __future__ import annotations

import streamlit as st

from maskviz.evidence.distraction import distraction
from maskviz.evidence.distraction import experiment as distracting
from maskviz.evidence.distractor.experiment import QUICK, Experiment
from maskviz.evidence.distractor.interference import known_cells, summarise
from maskviz.evidence.distractor.result import Interference
from maskviz.evidence.distractor.words import neutral_said, recovered
from maskviz.evidence.text.ratios import DRAWS, Guessed, guessed_by_ratio
from maskviz.masks import STRATEGIES
from maskviz.models.abilities import abilities
from maskviz.models.locate import public_name
from maskviz.text.percent import percent
from maskviz.ui.shared import state
from maskviz.ui.shared.page import escape

# strategy, use it when, beware, what shows it, where: a page, and its tab where it has some
_ROWS = (
    ("random", "as the control of all others", "most of what it hides says little",
     "every sweep has it", "experiments", "Sweeps"),
    ("random-token", "to train as the usual collator does", "half a word gives the rest away",
     "the guesses under it", "mask", ""),
    ("span", "to ask for more than a neighbour can tell", "few, long gaps in a short text",
     "the guesses under it", "mask", ""),
    ("sentence", "to see which sentence carries an answer", "hides much at once",
     "its row beside chance", "compare", ""),
    ("entity", "does an answer rest on who and where?", "misses lower case and rare names",
     "planted distractor", "experiments", "Planted distractor"),
    ("attribute", "to keep age, gender and names out of a verdict",
     "what stands in for an attribute stays", "planted distractor", "experiments",
     "Planted distractor"),
    ("pos", "what do adjectives or verbs alone do?", "as good as its tagger",
     "its row beside chance", "compare", ""),
    ("key", "what does an answer rest on?", "in training it hides the task itself",
     "planted distractor", "experiments", "Planted distractor"),
    ("pii", "before a text goes anywhere", "finds patterns, not meaning", "its reasons", "mask",
     ""),
    ("redundant", "before a summary of a text that repeats itself",
     "the same words may say the opposite", "ROUGE before and after", "tasks", "Summarisation"),
    ("noise", "on text full of typing errors", "takes rare names for errors",
     "chrF and BLEU four ways", "tasks", "Translation"),
    ("collocation", "to hide words that belong together", "its counts come from one corpus",
     "its reasons", "mask", ""),
    ("pattern, manual", "when you know what to hide", "you see only what you looked for",
     "your mask beside chance", "compare", ""),
)  # fmt: skip
_READ = 1000  # characters of a text that a hundred passes read within seconds
_PAGES = {"experiments": "Experiments", "mask": "Mask", "compare": "Compare", "tasks": "Tasks"}


def show() -> None:
    """The table, each row with a link to what shows it: the tab, or the strategy on the text."""
    st.subheader("Which strategy?", divider="gray")
    state.follow_again()
    for name, when, beware, shows, page, tab in _ROWS:
        columns = st.columns((2, 4, 4, 4))
        columns[0].markdown(f"**{escape(name)}**")
        columns[1].markdown(escape(when))
        columns[2].markdown(f"*Beware:* {escape(beware)}")
        asked = {"tab": tab} if tab else {"try": name} if name in STRATEGIES else None
        columns[3].page_link(
            f"pages/{page}.py", label=f"→ {_PAGES[page]}: {shows}", query_params=asked
        )


def answers() -> list[tuple[str, str]]:
    """Return questions whose answers are measured, from the experiment that was run here."""
    result = _measured()
    if result is None:
        where = "Run the planted distractor on Experiments: this place then shows its figures."
        return [
            ("Does masking keep a model from learning what misleads?", where),
            ("Does accuracy fall?", where),
            ("Do strategies differ?", where),
        ]
    return [
        ("Does masking keep a model from learning what misleads?", result.finding),
        ("Does accuracy fall?", neutral_said(result)),
        ("Do strategies differ?", _won_back(result)),
    ]


def _won_back(result: Interference) -> str:
    told = ", ".join(f"{arm} {recovered(result, arm)}" for arm in result.arms if arm != "plain")
    return (
        f"Share of the plain arm's loss that each wins back: {told}. No two of them are tested "
        "against each other."
    )


def distracted() -> tuple[str, str]:
    """Return whether irrelevant sentences disturb a chat model, as far as that is measured."""
    asked = distracting.Experiment(**distracting.QUICK)
    cells = distraction.known_cells(asked)
    found = "Run Distraction on Experiments: this place then shows its figures."
    if cells["base"]:
        found = distraction.summarise(asked, cells).finding
    return "Do irrelevant sentences disturb a chat model, and what cures it?", found


def why_this_ratio() -> None:
    """Answer for the reader's own text: the more is hidden, the less is guessed right."""
    st.markdown(
        "BERT was trained so ([Devlin et al. 2019](https://arxiv.org/abs/1810.04805)); it is a "
        "habit more than a law, and 40 % can be better for large models ([Wettig et al. "
        "2023](https://arxiv.org/abs/2202.08005)). A pass teaches from what is hidden alone, and "
        "the more is hidden, the less is left to guess it from. A sweep on **Experiments** draws "
        "the curve for your own data; here is your text:"
    )
    view = state.current()
    if not abilities(view.model).fill:
        st.caption(escape(f"{public_name(view.model)} guesses no words: choose one that does."))
        return
    if not st.button("Measure it on my text", key="guide_ratios"):
        return
    rows = _by_ratio(view.text[:_READ], view.model)
    st.table(
        [
            {
                "asked for": percent(one.ratio, 0),
                "words hidden": percent(one.realised, 0),
                f"guessed right by {escape(view.model)}": percent(one.right, 0),
                "95 %": f"{percent(one.ci95[0], 0)} to {percent(one.ci95[1], 0)}",
            }
            for one in rows
        ],
        hide_index=True, border="horizontal",
    )  # fmt: skip
    cut = f" Of your text the first {_READ:,} characters." if len(view.text) > _READ else ""
    st.caption(f"Hidden tokens that the first guess meets, over {DRAWS} random masks a row.{cut}")


@st.cache_data(max_entries=32, show_spinner="Guessing …", show_time=True)
def _by_ratio(text: str, model: str) -> list[Guessed]:
    return guessed_by_ratio(text, model)


def _measured() -> Interference | None:
    """Return the experiment with the page's own settings as far as it has been run here."""
    for experiment in (Experiment(), Experiment(**QUICK)):
        cells = known_cells(experiment)
        if len(cells["plain"]) > 1:
            return summarise(experiment, cells)
    return None
