"""A chart of usage per account over the bands of the desk, and the columns that feed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xlsxwriter.utility import xl_cell_to_rowcol, xl_rowcol_to_cell

from crossmargin.template.style import LINE, STATUS_COLOURS
from crossmargin.template.values import ERROR_MARK, is_error

if TYPE_CHECKING:
    from crossmargin.template.blocks import Block
    from crossmargin.template.page import Page
    from crossmargin.template.values import Value

__all__ = ["END", "Bands", "draw", "feed"]

END: Final = 1.2
"""Where the scale ends; a larger usage, or an account without one, is drawn there."""
_NOTHING: Final = f"{ERROR_MARK}#N/A"
_BANDS: Final = (
    ("trade", "=WatchBand", STATUS_COLOURS["ok"][0]),
    ("watch", "=CallBand-WatchBand", STATUS_COLOURS["watch"][0]),
    ("call", "=1-CallBand", STATUS_COLOURS["call"][0]),
    ("liquidate", f"={END}-1", "#F2A79E"),
)


@dataclass(frozen=True)
class Bands:
    """Where the columns that feed a chart stand: names, bands and usages from this row on."""

    page: Page
    row: int
    column: int
    count: int

    def series(self, place: int) -> str:
        """Return one of the columns as the reference of a series."""
        first, last = (
            xl_rowcol_to_cell(self.row + below, self.column + place, row_abs=True, col_abs=True)
            for below in (0, self.count - 1)
        )
        return f"={self.page.name}!{first}:{last}"


def feed(page: Page, address: str, accounts: Block, count: int) -> Bands:
    """Write name, bands and usage of the first accounts of a table of CM_ACCOUNTS.

    Parameters
    ----------
    page
        The sheet.
    address
        The cell of the first header.
    accounts
        The table, on the same sheet.
    count
        Accounts at most.
    """
    row, column = xl_cell_to_rowcol(address)
    value = page.calculator.value
    watch, called = (float(value(name) or 0.0) for name in ("WatchBand", "CallBand"))
    sizes = (watch, called - watch, 1.0 - called, END - 1.0)
    number = page.styles.get(num_format="0.000")
    for place, word in enumerate(("account", *(name for name, _, _ in _BANDS), "usage")):
        page.value(row, column + place, word, page.styles.header(right=place > 0))
    names = [] if accounts.failed else accounts.values("account")
    usages = [] if accounts.failed else accounts.values("usage")
    for below in range(1, count + 1):
        known = below <= len(names)
        first, own = accounts.cell(below, "account"), accounts.cell(below, "usage")
        header = accounts.cell(0, "account")
        missing = f'IF(ISERROR({first}),TRUE,OR(LEN({first})=0,{first}&""={header}&""))'
        page.formula(
            xl_rowcol_to_cell(row + below, column), f'=IF({missing},"",{first})',
            names[below - 1] if known else "",
        )  # fmt: skip
        for place, ((_, formula, _), size) in enumerate(zip(_BANDS, sizes, strict=True), start=1):
            page.formula(xl_rowcol_to_cell(row + below, column + place), formula, size, number)
        page.formula(
            xl_rowcol_to_cell(row + below, column + 5),
            f"=IF({missing},NA(),IF(ISNUMBER({own}),MIN({own},{END}),{END}))",
            _drawn(usages[below - 1]) if known else _NOTHING, number,
        )  # fmt: skip
    return Bands(page, row + 1, column, max(1, min(count, len(names))))


def draw(bands: Bands, address: str, width: int, height: int) -> None:
    """Draw the chart: bands as columns behind, a mark for each account."""
    workbook = bands.page.workbook
    columns = workbook.add_chart({"type": "column", "subtype": "stacked"})
    small = {"name": "Calibri", "size": 9}
    for place, (name, _, colour) in enumerate(_BANDS, start=1):
        columns.add_series(
            {
                "name": name,
                "categories": bands.series(0),
                "values": bands.series(place),
                "fill": {"color": colour},
                "border": {"color": colour},
                "gap": 12,
            }
        )
    marks = workbook.add_chart({"type": "line"})
    marks.add_series(
        {
            "name": "usage now",
            "categories": bands.series(0),
            "values": bands.series(5),
            "line": {"none": True},
            "marker": {"type": "diamond", "size": 9, "fill": {"color": "#111827"},
                       "border": {"color": "#FFFFFF"}},
            "data_labels": {"value": True, "position": "above", "num_format": "0.00",
                            "font": {**small, "bold": True}},
        }
    )  # fmt: skip
    columns.combine(marks)
    columns.set_x_axis({"num_font": small, "major_tick_mark": "none", "minor_tick_mark": "none"})
    columns.set_y_axis(
        {
            "name": "usage (1 = liquidation)", "min": 0, "max": END, "major_unit": 0.2,
            "num_format": "0.0", "num_font": small, "name_font": {"size": 9, "bold": False},
            "major_gridlines": {"visible": False}, "minor_tick_mark": "none",
        }
    )  # fmt: skip
    columns.set_legend({"position": "bottom", "font": {"size": 9}})
    columns.set_size({"width": width, "height": height})
    columns.set_chartarea({"border": {"color": LINE}})
    bands.page.sheet.insert_chart(
        address, columns, {"object_position": 2, "x_offset": 2, "y_offset": 3}
    )


def _drawn(usage: Value) -> float:
    """Return where the usage of an account is drawn."""
    return min(usage, END) if isinstance(usage, float) and not is_error(usage) else END
