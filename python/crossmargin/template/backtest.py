"""The sheet Backtest: would the margin have been enough, and what would have been cheaper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template.breakdown import bars
from crossmargin.template.calls import Named, call
from crossmargin.template.style import STATUS_COLOURS
from crossmargin.template.tail import RISK_BOOK

if TYPE_CHECKING:
    from crossmargin.template.blocks import Block
    from crossmargin.template.calls import Calculator
    from crossmargin.template.page import Page

__all__ = ["prepare", "settings", "write"]

_LAST: Final = 13
_SHOCKS: Final = "coverage=0.99; method=filtered; window=250; decay=0.97; floor_share=0.5"
_VIEWS: Final = (("SeriesOptions", "view=series; "), ("ExceedanceOptions", "view=exceedances; "))
_GOOD, _BAD = STATUS_COLOURS["ok"], STATUS_COLOURS["call"]
_COLOURS: Final = {
    **dict.fromkeys(("pass", "accepted", "green", "yes"), _GOOD),
    **dict.fromkeys(("watch", "yellow"), STATUS_COLOURS["watch"]),
    **dict.fromkeys(("fail", "rejected", "red"), _BAD),
}
_WORDS: Final = {
    word: {"bg_color": fill, "font_color": ink, "bold": True}
    for word, (fill, ink) in _COLOURS.items()
}
_NOTES: Final = (
    (
        "Today's holdings, moved by each day of the sheet History: the margin as it was known the "
        "day before against the loss that followed. No day sees its own future."
    ),
    (
        "A test that fails says that the model does not fit these days, a test that passes with "
        "few days says little. Regulatory floors are named for comparison, not as advice."
    ),
)


def settings() -> dict[str, float | str | None]:
    """Return the input cells of the sheet."""
    return {
        "BacktestOptions": "window=250",
        "CalibrateOptions": "window=250; decay=0.94,0.97,0.99; floor_share=0,0.5",
    }


def prepare(calculator: Calculator) -> None:
    """Make the options of the views known."""
    for name, words in _VIEWS:
        calculator.note(name, f"{words}{calculator.value('BacktestOptions') or ''}")


def write(page: Page) -> None:
    """Write the sheet: the tests, the picture, the exceedances, and the calibration."""
    page.head(
        "Backtest",
        "Whether the margin of the main book would have been enough on each day of its history.",
        book="RiskBook",
    )
    page.widths("B", 16, 30, 22, 40, 14, 14, 16, 14, 14, 14, 14, 14, 60, 9, 11, 15)
    value, label = page.calculator.value, page.styles.label
    for number, text in enumerate(_NOTES):
        page.text(f"B{4 + number}", text, page.styles.note)
    page.text("B7", "Options", label)
    page.input("C7", "BacktestOptions", value("BacktestOptions"),
               hint="window=250; horizon_days=1; level=initial; coverage=0.99; first=2025-01-01 "
               "...")  # fmt: skip
    for row, (name, words) in enumerate(_VIEWS, start=7):
        page.formula(f"E{row}", f'="{words}"&BacktestOptions', value(name), page.styles.stamp)
        page.define(name, f"E{row}")
    page.section(10, "Margin known the day before, and the loss that followed", _LAST)
    top = 32
    page.section(top, "Tests", _LAST)
    tests = page.block(
        f"B{top + 1}", call("CM_BACKTEST", RISK_BOOK, "all", Named("BacktestOptions")), 90,
        words=_WORDS,
    )  # fmt: skip
    page.count(f"N{top}", tests)
    top = tests.bottom + 3
    page.section(top, "Days on which it was not enough", _LAST)
    exceeded = page.block(
        f"B{top + 1}", call("CM_BACKTEST", RISK_BOOK, "margin", Named("ExceedanceOptions")), 30
    )
    page.count(f"N{top}", exceeded)
    bars(page, exceeded, ("excess",))
    first, end = exceeded.bottom + 2, _calibration(page, exceeded.bottom + 3)
    series = page.block(
        "S9", call("CM_BACKTEST", RISK_BOOK, "margin", Named("SeriesOptions")), 1_500
    )
    page.text("S7", "Feeds the picture; not printed", page.styles.section)
    page.count("S8", series)
    _chart(page, series)
    page.print_ranges(f"A1:N{exceeded.printed(3)}", f"A{first}:Q{end}")


def _calibration(page: Page, top: int) -> int:
    """Write shocks and parameters that would cover; return the last row worth printing."""
    page.section(top, "Shocks that cover 99 % of the days, coin by coin", _LAST)
    shocks = page.block(
        f"B{top + 1}", call("CM_CALIBRATE", RISK_BOOK, "scan", _SHOCKS), 34,
    )  # fmt: skip
    page.count(f"N{top}", shocks)
    top = shocks.bottom + 3
    page.section(top, "Parameters of the tail: coverage, cost, procyclicality", _LAST)
    page.text(f"B{top + 1}", "Values to try", page.styles.label)
    page.input(f"C{top + 1}", "CalibrateOptions", page.calculator.value("CalibrateOptions"),
               hint="Keys of the tail, each with the values to try.")  # fmt: skip
    points = page.block(
        f"B{top + 3}", call("CM_CALIBRATE", RISK_BOOK, "tail", Named("CalibrateOptions")), 40,
    )  # fmt: skip
    page.count(f"N{top}", points)
    bars(page, points, ("objective",))
    return points.printed(3)


def _chart(page: Page, series: Block) -> None:
    """Show the margin as a line over the losses of each day, for the first account."""
    scopes = [] if series.failed else series.values("scope")
    count = max(sum(1 for scope in scopes if scope == scopes[0]), 1)
    rows = (series.top + 1, series.top + count)
    at = {name: series.left + series.header.index(name) for name in ("date", "margin", "loss")}

    def cells(name: str) -> list[object]:
        return [page.name, rows[0], at[name], rows[1], at[name]]

    chart = page.workbook.add_chart({"type": "column"})
    chart.add_series(
        {"name": "loss of the day (below zero: gain)", "categories": cells("date"),
         "values": cells("loss"), "fill": {"color": "#E0922F"}, "gap": 20}
    )  # fmt: skip
    line = page.workbook.add_chart({"type": "line"})
    line.add_series(
        {"name": "margin known the day before", "categories": cells("date"),
         "values": cells("margin"), "line": {"color": "#2F6DB5", "width": 1.5}}
    )  # fmt: skip
    chart.combine(line)
    small = {"name": "Calibri", "size": 9}
    chart.set_title(
        {"name": "Margin and loss, first account of the book", "name_font": {"size": 12}}
    )
    every = max(count // 18, 1)
    chart.set_x_axis({"num_font": small, "interval_unit": every, "interval_tick": every,
                      "label_position": "low"})  # fmt: skip
    chart.set_y_axis(
        {
            "num_format": "#,##0",
            "num_font": small,
            "name": "reporting currency",
            "name_font": {"size": 9, "bold": False},
            "major_gridlines": {"visible": True, "line": {"color": "#E5E7EB"}},
        }
    )
    chart.set_legend({"position": "bottom", "font": {"size": 9}})
    chart.set_size({"width": 1560, "height": 390})
    chart.set_chartarea({"border": {"color": "#D5DAE1"}})
    page.sheet.insert_chart("B11", chart, {"object_position": 2, "y_offset": 4})
