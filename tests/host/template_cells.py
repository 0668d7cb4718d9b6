"""Where things stand in the template, by name and by header, so that sheets may change."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import openpyxl
from openpyxl.utils import get_column_letter

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["named", "position"]


def named(path: Path, name: str) -> tuple[str, str]:
    """Return the address and the sheet of a named cell."""
    sheet, _, address = _opened(path).defined_names[name].attr_text.rpartition("!")
    return address.replace("$", ""), sheet.strip("'")


def position(path: Path, symbol: str, column: str) -> tuple[str, str]:
    """Return the address and the sheet of a figure of a position."""
    sheet = _opened(path)["Positions"]
    area = sheet[sheet.tables["Positions"].ref]
    header = [cell.value for cell in area[0]]
    across, found = header.index(column), header.index("symbol")
    row = next(row for row in area if row[found].value == symbol)
    return f"{get_column_letter(row[across].column)}{row[across].row}", "Positions"


def _opened(path: Path) -> openpyxl.Workbook:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(path)
