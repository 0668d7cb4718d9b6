"""Sphinx extension: writes the pages that are made from data before the sources are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docs.manual import function_pages, glossary_page, rulebook_pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

__all__ = ["FOLDERS", "pages", "setup"]

FOLDERS = ("functions", "rulebooks")
"""What holds nothing but generated pages; git leaves them and `glossary.md` out."""


def pages() -> Iterator[tuple[str, str]]:
    """Yield the path within the manual and the text of every generated page."""
    yield from function_pages.pages()
    yield from rulebook_pages.pages()
    yield glossary_page.PATH, glossary_page.page()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write(app: Sphinx) -> None:
    """Write what has changed, and remove pages of functions and rulebooks that are gone."""
    source = Path(app.srcdir)
    made = dict(pages())
    for folder in FOLDERS:
        known = {Path(name).name for name in made if name.startswith(f"{folder}/")}
        for path in (source / folder).glob("*.md"):
            if path.name not in known:
                path.unlink()
    for name, text in made.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
