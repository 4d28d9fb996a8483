"""Rich display in notebooks: the same self-contained page as in an exported file."""

from __future__ import annotations

import html

from .attention.capture import Attention
from .attention.view import view
from .display import DISPLAYS, Display
from .errors import MaskvizError
from .figures.page import attention_page

HEIGHT = 760  # pixels


def attention_html(attention: Attention) -> str:
    """Return a captured attention as an iframe that holds its whole page.

    The page lies in an attribute and runs apart from the notebook, without its origin. Attention
    that would pass 50 MB is one sentence that says what to do.
    """
    try:
        page = attention_page(view(attention), f"Attention of {attention.model}")
    except MaskvizError as error:
        return f"<p>{html.escape(str(error))}</p>"
    return (
        f'<iframe sandbox="allow-scripts" style="width:100%;height:{HEIGHT}px;border:0" '
        f'srcdoc="{html.escape(page)}"></iframe>'
    )


DISPLAYS.add(Display("attention", attention_html))
