"""The pages of the folder docs, included as they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FOLDER", "pages"]

FOLDER: Final = "studies"
_SOURCE: Final = Path(__file__).parents[3] / "docs"


def pages() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each page."""
    for path in sorted(_SOURCE.glob("*.md")):
        included = f"```{{include}} ../../../docs/{path.name}\n:relative-images:\n```\n"
        yield f"{FOLDER}/{path.name}", included
