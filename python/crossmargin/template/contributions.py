"""The sheet Contributions: who bears the margin, and the orders that the definitions give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template.breakdown import SHOWN, bars, say_which
from crossmargin.template.calls import Named, call
from crossmargin.template.tail import RISK_BOOK

if TYPE_CHECKING:
    from crossmargin.template.blocks import Block
    from crossmargin.template.page import Page

__all__ = ["write"]

_LAST: Final = 16
_GROUPS: Final = ("position", "underlying", "account", "strategy")
_BARS: Final = ("component", "incremental", "standalone")
_SERIES: Final = (
    ("component", "bears (component)", "#2F6DB5"),
    ("incremental", "frees when closed (incremental)", "#E0922F"),
)
_MOST: Final = 14
_CHART_ROWS: Final = 20  # between a heading and its table
_NOTES: Final = (
    (
        "component: the share of the margin that the row bears; all rows add up to the TOTAL. "
        "marginal: what one unit of notional more would add. incremental: what closing it frees. "
        "standalone: what it would need alone."
    ),
    (
        "The ranks differ because the questions differ: component for attribution, marginal for "
        "small cuts, incremental for closing whole positions. A negative component is a hedge."
    ),
)


def write(page: Page) -> None:
    """Write the sheet: the shown book's own margin, and the shortfall of the main book."""
    page.head(
        "Contributions",
        "Which positions the margin comes from, by four definitions side by side.",
        book="Shown",
    )
    page.widths("B", 25, 15, 13, 14, 14, 14, 10, 14, 8, 14, 10, 10, 10, 10, 10, 40)
    say_which(page, 5)
    page.text("B6", "Grouped by", page.styles.label)
    page.input("C6", "ContributionsBy", page.calculator.value("ContributionsBy"), choices=_GROUPS)
    for number, text in enumerate(_NOTES):
        page.text(f"B{7 + number}", text, page.styles.note)
    made = (
        ("Maintenance margin of the book shown", call("CM_CONTRIB", SHOWN, "MM", _by())),
        (
            "Expected shortfall of the main book, sheet Tail",
            call("CM_CONTRIB", RISK_BOOK, "ES", _by()),
        ),
    )
    top, ranges = 10, []
    for number, (title, one) in enumerate(made):
        first = 1 if number == 0 else top - 1
        page.section(top, title, _LAST)
        block = page.block(f"B{top + _CHART_ROWS}", one, 60)
        page.count(f"Q{top}", block)
        bars(page, block, _BARS)
        _chart(page, block, top + 1)
        ranges.append(f"A{first}:Q{block.printed(4)}")
        top = block.bottom + 3
    page.print_ranges(*ranges)


def _by() -> Named:
    return Named("ContributionsBy")


def _chart(page: Page, block: Block, top: int) -> None:
    """Show above a table what its first rows bear and free."""
    chart = page.workbook.add_chart({"type": "column"})
    last = max(min(len(block.rows) - 2, _MOST), 1)
    area = (block.top + 1, block.top + last)
    at = {name: block.left + block.header.index(name) for name in ("symbol", "component",
                                                                   "incremental")}  # fmt: skip
    for name, title, colour in _SERIES:
        chart.add_series(
            {
                "name": title,
                "categories": [page.name, area[0], at["symbol"], area[1], at["symbol"]],
                "values": [page.name, area[0], at[name], area[1], at[name]],
                "fill": {"color": colour},
                "gap": 60,
            }
        )
    small = {"name": "Calibri", "size": 9}
    chart.set_title({"name": "Bears, and frees when closed", "name_font": {"size": 11}})
    chart.set_x_axis({"label_position": "low", "num_font": small})
    chart.set_y_axis(
        {"num_format": "#,##0", "num_font": small, "name": "reporting currency",
         "name_font": {"size": 9, "bold": False},
         "major_gridlines": {"visible": True, "line": {"color": "#E5E7EB"}}}
    )  # fmt: skip
    chart.set_legend({"position": "bottom", "font": {"size": 9}})
    chart.set_size({"width": 1460, "height": 370})
    chart.set_chartarea({"border": {"color": "#D5DAE1"}})
    page.sheet.insert_chart(f"B{top}", chart, {"object_position": 2, "y_offset": 4})
