"""Images: patches masked for a Vision Transformer, its attention, its answer plain and masked."""

from maskviz.ui.images import panel as images_panel
from maskviz.ui.shared.page import close_page, errors, open_page


def main() -> None:
    """One picture, one mask, two answers."""
    open_page(reads=False)
    with errors():
        images_panel.show()


main()
close_page()
