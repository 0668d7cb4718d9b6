"""The sheet Report: page 1 of the desk report, one printed page of links to tables beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from xlsxwriter.utility import xl_rowcol_to_cell

from crossmargin.template import bands, report_feed
from crossmargin.template.grid import Column, Grid, held, linked
from crossmargin.template.report_feed import ACCOUNTS, Feed
from crossmargin.template.style import INK, NUMBERS, STATUS_WORDS
from crossmargin.template.values import is_error

if TYPE_CHECKING:
    from crossmargin.template.blocks import Block
    from crossmargin.template.grid import Cell
    from crossmargin.template.page import Page
    from crossmargin.template.values import Value

__all__ = ["prepare", "settings", "write"]

prepare = report_feed.prepare
settings = report_feed.settings

_WIDE: Final = 36
_TILE: Final = 6
_MAP_ROWS: Final = 13
_ROWS: Final = 5
_FINDINGS: Final = 3
_FIRST_MAP_ROW: Final = 11
_LETTERS: Final[dict[str, dict[str, object]]] = {
    "L": {"bg_color": "#E57368", "bold": True},
    "C": {"bg_color": "#F4B183"},
    "W": {"bg_color": "#FBE5A2"},
    "·": {"bg_color": "#CDE8D2", "font_color": "#6B7280"},
    "?": {"bg_color": "#E5E7EB"},
}
_ACCOUNT_COLUMNS: Final[tuple[Column, ...]] = (
    ("account", 3, "text"), ("equity, k", 3, "thousands"), ("IM, k", 3, "thousands"),
    ("MM, k", 3, "thousands"), ("usage", 2, "two"), ("change", 2, "change"),
    ("excess MM, k", 3, "thousands"), ("nearest", 2, "percent"), ("sigmas", 2, "plain"),
    ("liquidated first", 7, "text"), ("call, k", 3, "thousands"), ("status", 3, "text"),
)  # fmt: skip
_LIMIT_COLUMNS: Final[tuple[Column, ...]] = (
    ("limit", 2, "text"), ("scope", 2, "text"), ("metric", 4, "text"), ("value", 2, "brief"),
    ("limit", 2, "brief"), ("use", 2, "share"), ("owner", 3, "text"), ("action", 3, "text"),
    ("status", 3, "text"),
)  # fmt: skip
_ACTION_COLUMNS: Final[tuple[Column, ...]] = (
    ("action", 2, "text"), ("what", 4, "text"), ("quantity", 2, "quantity"), ("cost", 2, "money"),
    ("usage then", 2, "two"),
)  # fmt: skip
_FINDING_COLUMNS: Final[tuple[Column, ...]] = (
    ("severity", 3, "text"), ("table", 3, "text"), ("row", 2, "text"), ("what", 18, "text"),
    ("repair", 10, "text"),
)  # fmt: skip


def write(page: Page, limited: Block) -> None:
    """Write the page at the left, settings and feeding tables at its right.

    `limited` is the table of findings on the sheet Limits.
    """
    page.head(
        "Desk margin report",
        "One page to print, of links alone. Which book, which coins, which target: the yellow "
        "cells at the right of the page.",
        book="Reported",
    )
    page.widths("B", *[5.9] * _WIDE, 3)
    feed = report_feed.write(page, limited)
    grid = Grid(page)
    grid.span(4, 1, _WIDE, feed.line, font_size=10, bold=True, font_color=INK)
    _tiles(grid, feed)
    page.sheet.set_row(7, 40)
    grid.span(8, 1, _WIDE, feed.sentence, font_size=11, text_wrap=True, valign="vcenter")
    _map(grid, feed)
    top = _FIRST_MAP_ROW + _MAP_ROWS + 2
    grid.span(
        top, 1, _WIDE,
        "Left: prices of the two axes move, all other prices, volatilities, balances and orders "
        "held fixed; every cell is measured anew, and of several accounts the worst counts. Right: "
        "usage = trigger x maintenance margin / adjusted equity, now; the first twelve accounts.",
        font_size=8, font_color="#6B7280",
    )  # fmt: skip
    top = _accounts(grid, feed, top + 1)
    top = _lists(grid, feed, top + 1)
    top = _findings(grid, feed, top + 1)
    for number, cell in enumerate(feed.stamp):
        grid.span(top + number, 1, _WIDE, cell, font_size=7, font_color="#6B7280")
    page.sheet.print_area(0, 0, top + len(feed.stamp) - 2, _WIDE)
    page.sheet.fit_to_pages(1, 1)
    page.sheet.repeat_rows(0, 2)


def _tiles(grid: Grid, feed: Feed) -> None:
    page = grid.page
    for row, height in ((4, 14), (5, 25), (6, 14)):
        page.sheet.set_row(row, height)
    accounts = feed.accounts
    first = held(accounts, 1, "status")
    status = f"=UPPER({accounts.cell(1, 'status')})"
    tiles: tuple[tuple[str, Cell, str, Cell], ...] = (
        ("status", (f'=IFERROR({status[1:]},"NO ANSWER")', str(first).upper() or "NO ANSWER"),
         "text", linked(accounts, 1, "account")),
        ("usage (1 = liquidation)", linked(accounts, 1, "usage"), "two", feed.earlier),
        ("excess over maintenance", linked(accounts, 1, "excess_mm"), "short", feed.initial),
        ("nearest trigger", linked(accounts, 1, "nearest_pct"), "percent", feed.nearest),
        ("liquidated first", linked(accounts, 1, "first_liquidated"), "text", ('=""', "")),
        ("data", feed.data, "text", feed.counts),
    )  # fmt: skip
    ground: dict[str, object] = {"bg_color": "#EEF2F7", "left": 5, "left_color": "#FFFFFF"}
    for number, (label, big, style, small) in enumerate(tiles):
        column = 1 + number * _TILE
        grid.span(5, column, _TILE, label, font_size=8, font_color="#4B5563", indent=1, **ground)
        long = label == "liquidated first"
        grid.span(
            6, column, _TILE, big, bold=True, font_size=10 if long else 15, font_color=INK,
            align="left", indent=1, num_format=NUMBERS[style], text_wrap=long, **ground,
        )  # fmt: skip
        grid.span(
            7, column, _TILE, small, font_size=8, font_color="#4B5563", align="left", indent=1,
            num_format=NUMBERS["over"], shrink=True, **ground,
        )  # fmt: skip
    looks = {**STATUS_WORDS, "errors": STATUS_WORDS["call"]}
    for word, look in looks.items():
        for column in (1, 1 + 5 * _TILE):
            own = xl_rowcol_to_cell(5, column, row_abs=True, col_abs=True)
            page.sheet.conditional_format(
                4, column, 6, column + _TILE - 1,
                {"type": "formula", "criteria": f'={own}&""="{word.upper()}"',
                 "format": page.styles.rule(**look)},
            )  # fmt: skip


def _map(grid: Grid, feed: Feed) -> None:
    """Write the map as letters on colours, and the chart of usage beside it."""
    page, table = grid.page, feed.map
    value = page.calculator.value
    wide = 15
    grid.heading(9, 1, wide, (
        '="Where it ends: "&ReportX&" across, "&ReportY&" down"',
        f"Where it ends: {value('ReportX')} across, {value('ReportY')} down",
    ))  # fmt: skip
    grid.heading(9, 17, _WIDE - 16, "Usage over the bands: trade, watch, call, liquidate")
    small: dict[str, object] = {"font_size": 7, "font_color": "#6B7280", "align": "center"}
    page.sheet.set_row(9, 12)
    for place in range(1, _MAP_ROWS + 1):
        cell = xl_rowcol_to_cell(table.top, table.left + place)
        words = table.rows[0]
        shown: Value = "" if table.failed or place >= len(words) else str(words[place])
        grid.span(10, 2 + place, 1, (_plain(cell), shown), **small)
    bands_now = (float(value("WatchBand") or 0.0), float(value("CallBand") or 0.0))
    for below in range(1, _MAP_ROWS + 1):
        row = _FIRST_MAP_ROW + below - 1
        page.sheet.set_row(row - 1, 14.5)
        known = not table.failed and below < len(table.rows)
        cell = xl_rowcol_to_cell(table.top + below, table.left)
        grid.span(
            row, 1, 2, (_plain(cell), table.rows[below][0] if known else ""),
            num_format="+0%;-0%;0%", **{**small, "align": "right"},
        )  # fmt: skip
        for place in range(1, _MAP_ROWS + 1):
            cell = xl_rowcol_to_cell(table.top + below, table.left + place)
            inside = known and place < len(table.rows[below])
            letter = _letter(table.rows[below][place] if inside else None, bands_now)
            formula = (
                f'=IF(ISERROR({cell}),"?",IF(ISNUMBER({cell}),IF({cell}>=1,"L",IF({cell}>=CallBand,'
                f'"C",IF({cell}>=WatchBand,"W","·"))),IF(LEN({cell})=0,"?","L")))'
            )
            grid.span(row, 2 + place, 1, (formula, letter), font_size=8, align="center")
    first, last = _FIRST_MAP_ROW - 1, _FIRST_MAP_ROW + _MAP_ROWS - 2
    own = xl_rowcol_to_cell(first, 3)
    now = f'D$10&""="0 %",ISNUMBER($B{_FIRST_MAP_ROW}),$B{_FIRST_MAP_ROW}=0'
    rules = [
        (f'=AND({now},{own}="{letter}")', {**look, "border": 1, "bold": True, "underline": 1})
        for letter, look in _LETTERS.items()
    ]
    rules += [(f'={own}="{letter}"', look) for letter, look in _LETTERS.items()]
    for criteria, look in rules:  # LibreOffice applies the first that holds
        page.sheet.conditional_format(
            first, 3, last, 2 + _MAP_ROWS,
            {"type": "formula", "criteria": criteria, "format": page.styles.rule(**look)},
        )  # fmt: skip
    row = _FIRST_MAP_ROW + _MAP_ROWS
    page.sheet.set_row(row, 12)
    grid.span(row, 1, wide, "· below watch   W watch   C call   L liquidated   underlined: now",
              **small)  # fmt: skip
    bands.draw(feed.bands, f"R{10}", 930, 272)


def _plain(cell: str) -> str:
    return f'=IF(ISERROR({cell}),"",IF(LEN({cell})=0,"",{cell}))'


def _letter(value: Value, at: tuple[float, float]) -> str:
    if isinstance(value, float):
        if value >= 1.0:
            return "L"
        return "C" if value >= at[1] else "W" if value >= at[0] else "·"
    return "?" if value is None or is_error(value) or value == "" else "L"


def _accounts(grid: Grid, feed: Feed, top: int) -> int:
    grid.heading(top, 1, _WIDE, "Accounts, the one with least above its trigger first; money in "
                 "thousands of the account's reporting currency")  # fmt: skip
    grid.header(top + 1, 1, _ACCOUNT_COLUMNS)
    accounts = feed.accounts
    last = top + 1 + ACCOUNTS
    grid.colour(top + 2, last, 1 + _WIDE - 3, 3)
    for number in range(1, ACCOUNTS + 1):
        cells = (
            linked(accounts, number, "account"),
            linked(accounts, number, "equity_adjusted", thousands=True),
            feed.initial_margin[number - 1],
            linked(accounts, number, "mm", thousands=True),
            linked(accounts, number, "usage"),
            feed.change[number - 1],
            linked(accounts, number, "excess_mm", thousands=True),
            *(linked(accounts, number, name)
              for name in ("nearest_pct", "sigmas", "first_liquidated")),
            linked(accounts, number, "call_amount", thousands=True),
            linked(accounts, number, "status"),
        )  # fmt: skip
        grid.row(top + 1 + number, 1, _ACCOUNT_COLUMNS, cells)
    return last + 1


def _lists(grid: Grid, feed: Feed, top: int) -> int:
    """Write breaches and actions side by side; return the next free row."""
    actions_from = 25
    grid.heading(top, 1, 23, feed.limits_title)
    grid.heading(top, actions_from, 12, (
        '="Actions for today, to reach "&ReportTarget',
        f"Actions for today, to reach {grid.page.calculator.value('ReportTarget')}",
    ))  # fmt: skip
    grid.header(top + 1, 1, _LIMIT_COLUMNS)
    grid.header(top + 1, actions_from, _ACTION_COLUMNS)
    last = top + 1 + _ROWS
    grid.colour(top + 2, last, 21, 3, more=("suspended",))
    for number in range(1, _ROWS + 1):
        grid.row(top + 1 + number, 1, _LIMIT_COLUMNS, feed.breach(number))
        cells = [linked(feed.actions, number, name)
                 for name in ("action", "symbol", "qty", "cost", "usage_after")]  # fmt: skip
        grid.row(top + 1 + number, actions_from, _ACTION_COLUMNS, cells)
    return last + 1


def _findings(grid: Grid, feed: Feed, top: int) -> int:
    grid.heading(top, 1, _WIDE, "Data issues; all of them on Checks")
    grid.header(top + 1, 1, _FINDING_COLUMNS)
    for number in range(1, _FINDINGS + 1):
        cells = [linked(feed.findings, number, name)
                 for name in ("severity", "sheet", "row", "message", "fix")]  # fmt: skip
        if number == 1:
            own, shown = feed.findings.cell(1, "severity"), cells[0][1]
            cells[0] = (
                f'=IF(ISERROR({own}),"",IF({own}&""="OK","none",{own}))',
                "none" if shown == "OK" else shown,
            )
        grid.row(top + 1 + number, 1, _FINDING_COLUMNS, cells)
    return top + 2 + _FINDINGS
