"""What a page leaves out of the session's text, or does otherwise than was chosen."""

from __future__ import annotations

from contextlib import suppress

from maskviz.errors import MaskvizError
from maskviz.masks.expression import asks
from maskviz.text.specials import specials_in
from maskviz.ui.shared import fit, limits, state


def notices(view: state.View) -> list[str]:
    """Return a sentence for each limit that a page keeps to on this text."""
    words, said = limits.words_in(view.text), []
    if view.given:
        said.append(
            f"Read here: the first {words:,} of {view.given:,} words. The command line takes a "
            "text of any length."
        )
    if holds := specials_in(view.text):
        said.append(holds)
    asked = state.chosen()
    chosen = [asked.first] if view.saved is None else []
    said += fit.said(view.model, asked.operator, [*chosen, *filter(None, [asked.second])])
    chosen = [view.first] if view.saved is None else []
    for choice in filter(None, [*chosen, view.second]):
        with suppress(MaskvizError):  # a strategy that cannot be read: its own error says so
            if words > limits.ASKED and asks(choice.strategy, choice.parameters):
                said.append(limits.asked(choice.strategy, words))
    return said
