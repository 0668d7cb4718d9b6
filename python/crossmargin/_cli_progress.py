"""A bar on the terminal while a calculation takes long."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from crossmargin._progress import told

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["bar_shown"]

PATIENCE = 0.5  # seconds before a bar is shown at all


class _Bar:
    """The bar of one command; it appears late, goes when it is full, and may come again."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._first: float | None = None
        self._shown: tuple[Progress, TaskID] | None = None

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = now
        if done >= total:
            self.close()
        elif self._shown is not None:
            progress, task = self._shown
            progress.update(task, completed=done, total=total)
        elif now - self._first >= PATIENCE and self._console.is_terminal:
            columns = (TextColumn("scenarios"), BarColumn(), TimeRemainingColumn())
            progress = Progress(*columns, console=self._console, transient=True)
            progress.start()
            self._shown = progress, progress.add_task("", completed=done, total=total)

    def close(self) -> None:
        """Take the bar off the terminal."""
        self._first = None
        if self._shown is not None:
            self._shown[0].stop()
            self._shown = None


@contextmanager
def bar_shown(console: Console | None = None) -> Iterator[None]:
    """Show a bar for long calculations within the block, if the error stream is a terminal."""
    bar = _Bar(console or Console(stderr=True))
    try:
        with told(bar):
            yield
    finally:
        bar.close()
