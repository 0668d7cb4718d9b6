"""The sheet Summary: the account in figures, its collateral, its brackets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template.calls import Named, call
from crossmargin.template.style import INK, NUMBERS
from crossmargin.template.values import is_error

if TYPE_CHECKING:
    from crossmargin.template.blocks import Block
    from crossmargin.template.page import Page
    from crossmargin.template.values import Value

__all__ = ["STATUS", "status_letter", "write"]

BOOK: Final = Named("Book")
_LONG: Final = ("ratio_direction", "worst_scenario", "nearest_trigger", "first_liquidated")
_TILES: Final = (
    ("C", "gross equity", "GrossEquity", call("CM_EQUITY", BOOK, "gross"), "money"),
    ("D", "adjusted equity", "Equity", call("CM_EQUITY", BOOK), "money"),
    ("E", "initial margin", "InitialMargin", call("CM_IM", BOOK), "money"),
    ("F", "maintenance margin", "MaintenanceMargin", call("CM_MM", BOOK), "money"),
    ("G", "excess over IM", "ExcessIM", call("CM_EXCESS", BOOK, "IM"), "money"),
    ("H", "excess over MM", "ExcessMM", call("CM_EXCESS", BOOK), "money"),
    ("I", "usage", "Usage", call("CM_RATIO", BOOK), "usage"),
)
STATUS: Final = (
    '=IF(ISERROR(ExcessMM),"?  NO ANSWER",IF(ExcessMM<0,"L  LIQUIDATION",IF(ExcessIM<0,'
    '"R  RESTRICTED",IF(ISERROR(Usage),"?  NO ANSWER",IF(Usage>=CallBand,"C  CALL",'
    'IF(Usage>=WatchBand,"W  WATCH","OK"))))))'
)


def write(page: Page) -> Block:
    """Write the sheet; return the table of accounts."""
    page.head(
        "Summary",
        "Equity, margins and what is left; money in the reporting currency of the rulebook.",
    )
    page.widths("B", 20, 13, 13, 13, 13, 13, 13, 12, 13, 12, 18, 12, 27, 25, 27)
    page.section(5, "Now", 15)
    _tiles(page)
    page.section(10, "Each account", 15)
    accounts = page.block("B11", call("CM_SUMMARY", BOOK), 4, wrap=_LONG)
    page.count("P10", accounts)
    page.section(18, "The same, grouped as you choose", 15)
    page.text("B19", "Group by", page.styles.label)
    page.input(
        "C19", "GroupBy", "pool",
        choices=("account", "pool", "settle", "riskUnit", "book"),
        hint="pool: what shares one margin, such as the cross account and each isolated position.",
    )  # fmt: skip
    groups = page.block("B21", call("CM_SUMMARY", BOOK, Named("GroupBy")), 8, wrap=_LONG)
    page.count("P18", groups)
    top = groups.bottom + 3
    page.section(top, "Collateral: from gross to usable", 15)
    collateral = page.block(f"B{top + 1}", call("CM_COLLATERAL", BOOK), 6, wrap=("status",))
    page.count(f"P{top}", collateral)
    top = collateral.bottom + 3
    page.section(top, "Maintenance brackets of each position", 15)
    for number, line in enumerate(
        (
            "room_pct: how much the notional may",
            "grow before the next bracket begins.",
            "mm_after: maintenance margin after the",
            "notional has grown by the horizon.",
        )
    ):
        page.text(f"B{top + 2 + number}", line, page.styles.note)
    page.text(f"B{top + 6}", "Horizon", page.styles.label)
    page.input(f"C{top + 6}", "Horizon", 0.25, "0%", hint="A fraction: 0.25 = 25 % more notional.")
    brackets = page.block(
        f"F{top + 1}", call("CM_TIERS", BOOK, Named("Horizon")), 120, wrap=("kind",)
    )
    page.count(f"P{top}", brackets)
    page.print_ranges(f"A1:P{collateral.bottom + 1}", f"A{top - 1}:P{brackets.printed(6)}")
    return accounts


def _tiles(page: Page) -> None:
    page.sheet.set_row(5, 15)
    page.sheet.set_row(6, 26)
    label = page.styles.get(font_size=9, font_color="#4B5563", bg_color="#EEF2F7", align="center")
    for column, text, name, made, number in _TILES:
        page.text(f"{column}6", text, label)
        value = page.styles.get(
            font_size=14, bold=True, font_color=INK, bg_color="#EEF2F7", align="center",
            num_format=NUMBERS[number],
        )  # fmt: skip
        page.single(f"{column}7", made, value, name)
    page.text("B6", "status", label)
    big = page.styles.get(font_size=13, bold=True, align="center", bg_color="#EEF2F7")
    page.formula("B7", "=Status", status_letter(page), big)
    page.text("K6", "watch from", label)
    page.text("L6", "call from", label)
    page.input("K7", "WatchBand", 0.5, "0.00", hint="Usage from which the status is watch.")
    page.input("L7", "CallBand", 0.7, "0.00", hint="Usage from which the status is call.")
    page.text("N6", "usage, 0 to 1", label)
    page.formula(
        "N7", "=Usage", page.calculator.value("Usage"),
        page.styles.get(num_format="0.0%", align="left", border=1, border_color="#D5DAE1"),
    )  # fmt: skip
    page.sheet.conditional_format(
        "N7", {"type": "data_bar", "min_type": "num", "min_value": 0, "max_type": "num",
               "max_value": 1, "bar_color": "#8FB2E8", "bar_solid": True},
    )  # fmt: skip
    colour_status(page, "B7")
    page.text(
        "B8",
        "usage = trigger x maintenance margin / adjusted equity. Of several pools the one that "
        "decides is shown (liquidatable and lacking most, else the largest usage); excesses "
        "never add up. Restricted: equity below initial margin. Decisions use excess, in money.",
        page.styles.note,
    )


def colour_status(page: Page, address: str) -> None:
    """Colour a status by its letter; the letter stays readable in black and white."""
    colours = {
        "OK": ("#D9F2E0", "#14532D"),
        "W": ("#FFF1B8", "#713F12"),
        "C": ("#FFD8A8", "#7C2D12"),
        "R": ("#FDBA8C", "#7C2D12"),
        "L": ("#B42318", "#FFFFFF"),
        "?": ("#E5E7EB", "#111827"),
    }
    for letter, (fill, ink) in colours.items():
        page.sheet.conditional_format(
            address,
            {"type": "formula", "criteria": f'=LEFT(${address[0]}${address[1:]},'
             f'{len(letter)})="{letter}"',
             "format": page.styles.rule(bg_color=fill, font_color=ink)},
        )  # fmt: skip


def status_letter(page: Page) -> str:
    """Return what the cell Status says: the same rule as its formula."""
    value = page.calculator.value
    excess, usage = value("ExcessMM"), value("Usage")
    if is_error(excess):
        return "?  NO ANSWER"
    if _number(excess) < 0:
        return "L  LIQUIDATION"
    if _number(value("ExcessIM")) < 0:
        return "R  RESTRICTED"
    if is_error(usage):
        return "?  NO ANSWER"
    if _number(usage) >= _number(value("CallBand")):
        return "C  CALL"
    return "W  WATCH" if _number(usage) >= _number(value("WatchBand")) else "OK"


def _number(value: Value) -> float:
    return value if isinstance(value, float | int) else 0.0
