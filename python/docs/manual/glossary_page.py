"""The glossary, from the texts of the template's sheet of that name."""

from __future__ import annotations

from typing import Final

from crossmargin.template.words import MISUNDERSTANDINGS, RATIOS, UNITS
from docs.manual.markup import code, plain, table

__all__ = ["PATH", "page"]

PATH: Final = "glossary.md"


def page() -> str:
    """Return the page."""
    claims = [
        (str(number), plain(claim), plain(truth))
        for number, (claim, truth) in enumerate(MISUNDERSTANDINGS, start=1)
    ]
    ratios = [tuple(map(plain, row)) for row in RATIOS]
    units = [
        (plain(venue), code(column), plain(unit), plain(note))
        for venue, column, unit, note in UNITS
    ]
    return "\n".join([
        "# Glossary",
        "",
        ("The same texts stand on the sheet Glossary of the template. Terms and signs are on the "
        "page [Conventions](conventions.md)."),
        "",
        "## Misunderstandings",
        "",
        table(("", "people say", "in fact"), claims),
        "## Which way the venue's ratio goes",
        "",
        table(
            ("venue", "ratio", "towards liquidation it", "liquidated at", "in our scale"), ratios
        ),
        "## What a size means",
        "",
        table(("export", "column", "unit", "note"), units),
    ])  # fmt: skip
