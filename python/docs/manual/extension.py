"""Sphinx extension: writes the pages that are made from data before the sources are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sphinx.util.docutils import SphinxDirective

from docs.manual import (
    command_page,
    function_pages,
    glossary_page,
    python_page,
    rulebook_pages,
    study_pages,
    worked,
)
from docs.manual.markup import block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docutils.nodes import Node
    from sphinx.application import Sphinx

__all__ = ["FOLDERS", "pages", "setup"]

FOLDERS = ("functions", "rulebooks", study_pages.FOLDER)
"""What holds nothing but generated pages; git leaves them and the other generated pages out."""


class Formula(SphinxDirective):
    """A formula about a worked book, with its answer calculated while the page is made."""

    has_content = True
    option_spec: ClassVar = {"where": str}

    def run(self) -> list[Node]:
        """Return the formula and what it shows."""
        self.env.note_reread()  # the answer may change where the page does not
        formula = "\n".join(self.content)
        scope = _SCOPES.get(self.env.docname, "")
        lines = [
            block(formula),
            *function_pages.answered(worked.answer(formula, scope), self.options.get("where", "")),
        ]
        return self.parse_text_to_nodes("\n".join(lines))


class RulebookStatus(SphinxDirective):
    """The status of every rulebook with what its sources say, from the data."""

    def run(self) -> list[Node]:
        """Return the table."""
        self.env.note_reread()
        return self.parse_text_to_nodes(rulebook_pages.statuses())


_SCOPES = {"first-book": "First"}
"""Pages with a book of their own."""


def pages() -> Iterator[tuple[str, str]]:
    """Yield the path within the manual and the text of every generated page."""
    yield from function_pages.pages()
    yield from rulebook_pages.pages()
    yield from study_pages.pages()
    yield glossary_page.PATH, glossary_page.page()
    yield python_page.PATH, python_page.page()
    yield command_page.PATH, command_page.page()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("formula", Formula)
    app.add_directive("rulebook-status", RulebookStatus)
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
