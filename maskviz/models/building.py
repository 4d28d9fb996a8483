"""What holds while transformers builds a network: one at a time, and without its reports."""

from __future__ import annotations

import threading

# transformers builds a network under settings of the whole process: two at once in two threads
# leave one without its weights.
LOADING = threading.Lock()


class quiet:
    """Silence transformers' report on the heads a checkpoint has beside the one that is loaded."""

    def __enter__(self) -> None:
        from transformers.utils import logging

        self._level, self._bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
        logging.set_verbosity_error()
        logging.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        from transformers.utils import logging

        logging.set_verbosity(self._level)
        if self._bars:
            logging.enable_progress_bar()
