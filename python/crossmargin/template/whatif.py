"""The sheet WhatIf: trades tried out, standard trades, and the way back to a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template import inputs
from crossmargin.template.calls import Named, Whole, call
from crossmargin.template.values import COLUMNS

if TYPE_CHECKING:
    from crossmargin.template.blocks import Block
    from crossmargin.template.page import Page
    from crossmargin.template.values import Rows, Value

__all__ = ["illustrative", "settings", "write"]

BOOK: Final = Named("Book")
LARGEST: Final = "top:20"
SIZES: Final = "-10;-1;1;10"
_LINES: Final = 8
_AVERSION: Final = "periods=8; risk_aversion=0.00000002"
_LAST: Final = 11
_TARGETS: Final = ("usage=0.7", "usage=0.5", "IM", "MM")
_COLOURS: Final = {"before": "#8A94A6", "after": "#2F6DB5"}
_NOTES: Final = (
    (
        "Fill the yellow lines: symbol, signed quantity in coins (USD for inverse contracts), and "
        "a price, or the mark is taken. The whole account is measured again; fees are left out."
    ),
    (
        "The lines hold an example made of your first positions. A contract that you do not hold "
        "needs its price on the Market sheet."
    ),
)


def settings() -> dict[str, Value]:
    """Return the input cells of the sheet."""
    return {
        "CureTarget": "usage=0.5",
        "CureActions": "close;hedge;deposit;cancel;convert",
        "CureOptions": "fee=0.0005; slippage=0.0005",
        "WithdrawCurrency": "USDC",
        "WithdrawAccount": None,
    }


def illustrative(positions: Rows) -> Rows:
    """Return trades that show what the sheet does: half of the first position goes."""
    header = [str(cell).strip().lower() for cell in positions[0]]
    names = ("contracts", "szi", "size", "quantity", "amount")
    quantity = next((header.index(name) for name in names if name in header), None)
    symbol = next((header.index(name) for name in ("symbol", "coin") if name in header), None)
    side = header.index("side") if "side" in header else None
    rows: Rows = [list(COLUMNS["trades"])]
    if quantity is None or symbol is None:
        return rows
    for row in positions[1:2]:
        held = row[quantity]
        if isinstance(held, float) and held:
            short = side is not None and str(row[side]).strip().lower() in {"short", "sell"}
            signed = -abs(held) if short else held
            rows.append([row[symbol], -signed / 2, None, None])
    return rows


def write(page: Page, rows: Rows) -> None:
    """Write the sheet: the trades, what they change, standard trades, cure and withdrawal."""
    page.head(
        "WhatIf",
        "What trades would make of the whole account, and the smallest and cheapest actions that "
        "bring it to a target.",
    )
    page.widths("B", 34, 24, 24, 14, 14, 14, 14, 12, 14, 70, 12)
    for number, text in enumerate(_NOTES):
        page.text(f"B{4 + number}", text, page.styles.note)
    page.section(7, "Trades to try out", _LAST)
    bottom = inputs.table(
        page, "Trades", rows, kind="trades", header_row=9, spare=_LINES - len(rows) + 1,
        widths=False,
    )  # fmt: skip
    top = bottom + 2
    page.section(top, "Before and after", _LAST)
    changed = page.block(
        f"B{top + 1}", call("CM_WHATIF", BOOK, Whole("Trades"), "table"), 40, wrap=("note",)
    )
    page.count(f"L{top}", changed)
    _chart(page, changed, top + 1)
    top = changed.bottom + 3
    page.section(top, "Change of the maintenance margin for standard trades, largest coins", _LAST)
    impact = page.block(f"B{top + 1}", call("CM_IMPACT", BOOK, LARGEST, SIZES, "MM"), 40)
    page.count(f"L{top}", impact)
    page.text(f"H{top + 2}", "Each cell is one trade at the mark; below zero frees margin.",
              page.styles.note)  # fmt: skip
    first = top = impact.bottom + 3
    page.section(top, "The way to a target", _LAST)
    _settings(page, top + 1)
    cured = page.block(
        f"B{top + 5}",
        call("CM_CURE", BOOK, Named("CureTarget"), Named("CureActions"), 20.0,
             Named("CureOptions")),
        24, wrap=("comment",),
    )  # fmt: skip
    page.count(f"L{top}", cured)
    page.text(
        f"B{top + 4}",
        "Rows of one rank belong together; the comment says what "
        "was measured and how far a reduction is above the least that any could cost.",
        page.styles.note,
    )
    top = cured.bottom + 3
    page.section(top, "The most that can leave", _LAST)
    page.text(f"B{top + 1}", "Currency", page.styles.label)
    value = page.calculator.value
    page.input(f"C{top + 1}", "WithdrawCurrency", value("WithdrawCurrency"))
    page.text(f"D{top + 1}", "Account", page.styles.label)
    page.input(f"E{top + 1}", "WithdrawAccount", value("WithdrawAccount"),
               hint="Needed where several accounts hold the currency.")  # fmt: skip
    asked = [Named("WithdrawCurrency"), Named("WithdrawAccount")]
    left = page.block(
        f"B{top + 3}", call("CM_MAXWITHDRAW", BOOK, *asked, "table"), 3, wrap=("reason",)
    )
    top = left.bottom + 3
    page.section(top, "A reduction spread over time", _LAST)
    page.text(
        f"B{top + 1}",
        "An example: 500 coins at 60,000 within two days, 3 % of volatility a day, 20,000 coins of "
        "volume, half a spread of a basis point.",
        page.styles.note,
    )
    spread = page.block(
        f"B{top + 2}",
        call("CM_SCHEDULE", 500.0, 2.0, 60000.0, 0.03, 20000.0, 0.0001, _AVERSION),
        14,
    )
    page.print_ranges(f"A1:L{first - 1}", f"A{first}:L{spread.printed(4)}")


def _settings(page: Page, top: int) -> None:
    value = page.calculator.value
    for row, (text, name, choices, hint) in enumerate(
        (
            ("Target", "CureTarget", _TARGETS, "usage=0.7, excess=10000, excess_im=0, IM, MM"),
            ("Actions", "CureActions", (), "close;hedge;deposit;cancel;convert"),
            ("Options", "CureOptions", (), "fee=0.0005; slippage=0.001 or depth; account; hedge"),
        ),
        start=top,
    ):
        page.text(f"B{row}", text, page.styles.label)
        page.input(f"C{row}", name, value(name), choices=choices, hint=hint)


def _chart(page: Page, changed: Block, top: int) -> None:
    """Draw equity and margins before and after beside their table: four rows from the second on."""
    chart = page.workbook.add_chart({"type": "column"})
    small = {"name": "Calibri", "size": 9}

    def area(name: str) -> str:
        return f"='{page.name}'!{changed.cell(2, name)}:{changed.cell(5, name)}"

    for name, colour in _COLOURS.items():
        chart.add_series(
            {
                "name": name, "categories": area("measure"), "values": area(name),
                "fill": {"color": colour}, "gap": 60,
            }
        )  # fmt: skip
    chart.set_title({"name": "Equity and margins before and after", "name_font": {"size": 12}})
    chart.set_x_axis({"num_font": small, "label_position": "low"})
    chart.set_y_axis(
        {
            "minor_tick_mark": "none",
            "name": "money of the account", "num_format": "#,##0", "num_font": small,
            "name_font": {"size": 9, "bold": False},
            "major_gridlines": {"visible": True, "line": {"color": "#E5E7EB"}},
        }
    )  # fmt: skip
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 640, "height": 330})
    page.sheet.insert_chart(f"H{top}", chart, {"object_position": 1})
