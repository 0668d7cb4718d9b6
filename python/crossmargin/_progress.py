"""Who is told how far a long calculation is; standard library only."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["listener", "told"]

_listener: ContextVar[Callable[[int, int], object] | None] = ContextVar("listener", default=None)


def listener() -> Callable[[int, int], object] | None:
    """Return what is to be called with the steps done and the steps known of, if anything."""
    return _listener.get()


@contextmanager
def told(call: Callable[[int, int], object]) -> Iterator[None]:
    """Have calculations within the block tell ``call`` how far they are."""
    before = _listener.set(call)
    try:
        yield
    finally:
        _listener.reset(before)
