"""The sheet Log: what the main book says now, in one line, and a yellow table to keep it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from xlsxwriter.utility import xl_rowcol_to_cell

from crossmargin.template import inputs
from crossmargin.template.bands import END
from crossmargin.template.blocks import word_count
from crossmargin.template.grid import held
from crossmargin.template.limits import BREACHED
from crossmargin.template.report_words import parts
from crossmargin.template.style import LINE, number_format
from crossmargin.template.values import ERROR_MARK, is_error

if TYPE_CHECKING:
    from crossmargin.template.blocks import Block
    from crossmargin.template.grid import Cell
    from crossmargin.template.page import Page
    from crossmargin.template.values import Value

__all__ = ["write"]

_WIDTHS: Final = {
    "asof": 20.5,
    "book": 34.0,
    "rulebook": 19.0,
    "equity_adjusted": 14.0,
    "im": 11.5,
    "mm": 11.5,
    "usage": 9.5,
    "nearest_pct": 11.0,
    "first_liquidated": 38.0,
    "breaches": 9.5,
    "comment": 30.0,
}
"""The columns of the log and their widths."""
_TEXTS: Final = ("asof", "book", "rulebook", "first_liquidated", "comment")
_LAST: Final = len(_WIDTHS)
_LINE_ROW: Final = 10
_CHART_TOP: Final = 12
_CHART_ROWS: Final = 15
_EVERY: Final = 6  # rows from one label of the picture to the next: an instant is a long word
_ROWS: Final = 60  # about a quarter of a year of trading days
_PREFIX: Final = "book:"  # of a key, before its hash
_NOTHING: Final = f"{ERROR_MARK}#N/A"
_HOW: Final = (
    "Once a day copy the line, paste it into the next free row of the yellow table (paste special, "
    "values only), and type a comment there. For more room insert rows above the last one: picture "
    "and printed range grow with them."
)
_NEAREST: Final = (
    "nearest_pct: the shortest move of one coin alone that liquidates. breaches: limits on Limits "
    "that are restricted or suspended. With several accounts, first_liquidated is of the one whose "
    "usage is shown."
)
_NO_NEAREST: Final = (
    "nearest_pct is left empty, so that all rows of the log mean the same: set Liquidation back to "
    "the path alone, measured to the trigger."
)
_USUAL: Final = {"PricePath": "alone", "PriceTarget": "trigger"}
"""The settings of Liquidation under which its distances are those of the log."""


def write(page: Page, accounts: Block, prices: Block, limited: Block) -> None:
    """Write the line of today, the picture of usage, and the table.

    Parameters
    ----------
    page
        The sheet.
    accounts
        The table of accounts on Summary.
    prices
        The table of liquidation prices on Liquidation.
    limited
        The table of findings on Limits.
    """
    page.head(
        "Log",
        "The main book from day to day. A row that was pasted stays as it is: rows are only added.",
    )
    page.widths("B", *_WIDTHS.values())
    page.text("B5", _HOW, page.styles.note)
    usual = all(page.calculator.value(name) == word for name, word in _USUAL.items())
    is_usual = ",".join(f'{name}="{word}"' for name, word in _USUAL.items())
    page.formula(
        "B6", f'=IF(AND({is_usual}),"{_NEAREST}","{_NO_NEAREST}")',
        _NEAREST if usual else _NO_NEAREST, page.styles.note,
    )  # fmt: skip
    page.section(_LINE_ROW - 2, "Today: the line to copy", _LAST)
    line = {
        **_of_book(page),
        "nearest_pct": _nearest(prices, is_usual, usual=usual),
        "first_liquidated": _first(accounts, page.calculator.value("Usage")),
        "breaches": _breaches(limited),
    }
    for column, name in enumerate(_WIDTHS, start=1):
        is_text = name in _TEXTS
        side = {"align": "left", "indent": 1} if is_text else {"align": "right"}
        look = {"num_format": number_format(name), "bottom": 1, "bottom_color": LINE, **side}
        page.value(_LINE_ROW - 2, column, name, page.styles.header(right=not is_text))
        formula, value = line.get(name, ("", None))
        address = xl_rowcol_to_cell(_LINE_ROW - 1, column)
        if formula:
            is_array = name in {"nearest_pct", "breaches"}
            page.formula(address, formula, value, page.styles.get(**look), array=is_array)
        else:
            page.value(_LINE_ROW - 1, column, value, page.styles.get(**look))
    page.section(_CHART_TOP, "Usage, row by row of the table below", _LAST)
    top = _CHART_TOP + _CHART_ROWS + 2
    page.section(top, "The log", _LAST)
    bottom = inputs.table(
        page, "LogRows", [list(_WIDTHS)], kind="log", header_row=top + 2, spare=_ROWS, widths=False
    )
    _draw(page, first=top + 3, last=bottom)
    page.sheet.print_area(0, 0, bottom - 1, _LAST)
    page.sheet.repeat_rows(0, _LINE_ROW - 1)  # so that a later page says what its columns are


def _of_book(page: Page) -> dict[str, Cell]:
    """Return the cells that repeat a named cell, or a part of the key."""
    value = page.calculator.value
    key = value("Book")
    words = [_NOTHING, _NOTHING] if is_error(key) else str(key)[len(_PREFIX) :].split("|")
    _, rules, _ = parts("Book")
    names = {
        "asof": "AsOfInUse",
        "equity_adjusted": "Equity",
        "im": "InitialMargin",
        "mm": "MaintenanceMargin",
        "usage": "Usage",
    }
    return {
        **{column: (f"={name}", value(name)) for column, name in names.items()},
        "book": (f'=MID(Book,{len(_PREFIX) + 1},FIND("|",Book)-{len(_PREFIX) + 1})', words[0]),
        "rulebook": (f"={rules}", words[1]),
    }


def _nearest(prices: Block, is_usual: str, *, usual: bool) -> Cell:
    """Return the distance of the nearest coin; a later setting must not change what it means."""
    column = prices.column("nearest_pct", sheet=True)
    sizes = f'IF(ISNUMBER({column}),ABS({column}),"")'
    known = [] if prices.failed else prices.values("nearest_pct")
    numbers = [value for value in known if isinstance(value, float)]
    return (
        f'=IF(AND({is_usual}),IFERROR(INDEX({column},MATCH(MIN({sizes}),{sizes},0)),""),"")',
        min(numbers, key=abs) if usual and numbers else "",
    )


def _first(accounts: Block, usage: Value) -> Cell:
    """Return what is closed first in the account whose usage is that of the book."""
    texts, usages = (accounts.column(name, sheet=True) for name in ("first_liquidated", "usage"))
    known = [] if accounts.failed or is_error(usage) else accounts.values("usage")
    shown = held(accounts, known.index(usage) + 1, "first_liquidated") if usage in known else ""
    return f'=IFERROR(INDEX({texts},MATCH(Usage,{usages},0)),"")', shown


def _breaches(limited: Block) -> Cell:
    """Return how many limits are breached."""
    column = limited.column("status", sheet=True)
    terms = "+".join(word_count(column, word) for word in BREACHED)
    head = f"{limited.sheet}!{limited.cell(0, limited.header[0])}"
    if limited.failed:
        return f"=IF(ISERROR({head}),NA(),{terms})", _NOTHING
    words = limited.values("status")
    return f"=IF(ISERROR({head}),NA(),{terms})", float(sum(words.count(one) for one in BREACHED))


def _draw(page: Page, *, first: int, last: int) -> None:
    """Draw usage over the rows of the table; it is empty until one is pasted."""
    chart = page.workbook.add_chart({"type": "line"})
    small = {"name": "Calibri", "size": 9}
    names = list(_WIDTHS)

    def series(name: str) -> str:
        column = names.index(name) + 1
        area = [xl_rowcol_to_cell(row - 1, column, True, True) for row in (first, last)]
        return f"={page.name}!{':'.join(area)}"

    chart.add_series(
        {
            "name": "usage (1 = liquidation)",
            "categories": series("asof"),
            "values": series("usage"),
            "line": {"color": "#2F6DB5", "width": 1.75},
            "marker": {"type": "circle", "size": 5, "fill": {"color": "#2F6DB5"},
                       "border": {"color": "#2F6DB5"}},
        }
    )  # fmt: skip
    chart.set_x_axis({"num_font": small, "interval_unit": _EVERY, "major_tick_mark": "none",
                      "minor_tick_mark": "none"})  # fmt: skip
    chart.set_y_axis(
        {
            "name": "usage (1 = liquidation)", "min": 0, "max": END, "major_unit": 0.2,
            "num_format": "0.0", "num_font": small, "name_font": {"size": 9, "bold": False},
            "minor_tick_mark": "none",
            "major_gridlines": {"visible": True, "line": {"color": "#E5E7EB"}},
        }
    )  # fmt: skip
    chart.set_legend({"none": True})
    chart.set_size({"width": 1500, "height": 20 * _CHART_ROWS - 6})
    chart.set_chartarea({"border": {"color": LINE}})
    page.sheet.insert_chart(
        f"B{_CHART_TOP + 1}", chart, {"object_position": 2, "x_offset": 2, "y_offset": 3}
    )
