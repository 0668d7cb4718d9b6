"""The sheet Explain: the margins taken apart, and the choice of the book that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template.calls import Named, call
from crossmargin.template.style import INK, NUMBERS, STATUS_COLOURS
from crossmargin.template.values import is_error

if TYPE_CHECKING:
    from collections.abc import Collection

    from crossmargin.template.blocks import Block
    from crossmargin.template.calls import Calculator
    from crossmargin.template.page import Page

__all__ = ["SHOWN", "bars", "prepare", "say_which", "write"]

SHOWN: Final = Named("Shown")
CHOICES: Final = ("options", "main")
_FORMULA: Final = '=IF(ShownBook="main",Book,OptionBook)'
_LAST: Final = 10
_TILES: Final = (
    ("IM", "initial margin", "ShownIM", call("CM_IM", SHOWN)),
    ("MM", "maintenance margin", "ShownMM", call("CM_MM", SHOWN)),
)
_LONG: Final = ("formula", "inputs", "source")
_CENT: Final = 0.005


def prepare(calculator: Calculator) -> None:
    """Make the chosen book known before any sheet refers to it."""
    name = "Book" if calculator.value("ShownBook") == "main" else "OptionBook"
    calculator.alias("Shown", name)


def write(page: Page) -> None:
    """Write the sheet: both margins by component and by risk unit, maintenance by position."""
    page.head(
        "Explain",
        "Why the margin is what it is: every branch with formula, inputs and source. What counts "
        "adds up to the margin; grey rows were computed and do not count.",
        book="Shown",
    )
    page.widths("B", 19, 10, 38, 13, 13, 9, 9, 46, 34, 50)
    page.section(5, "The answer", _LAST)
    page.text("B6", "Book shown", page.styles.label)
    page.input(
        "C6", "ShownBook", page.calculator.value("ShownBook"), choices=CHOICES,
        hint="options: the sheet Options; main: the four yellow sheets. Explain, Scenarios and "
        "Exposure show it.",
    )  # fmt: skip
    page.formula("D6", _FORMULA, page.calculator.value("Shown"), page.styles.stamp)
    page.define("Shown", "D6")
    for row, (_, text, name, made) in enumerate(_TILES, start=7):
        page.text(f"B{row}", text, page.styles.label)
        style = page.styles.get(
            num_format=NUMBERS["money"], bold=True, font_color=INK, font_size=12, align="left"
        )
        page.single(f"C{row}", made, style, name)
    top, first, agreed, ranges = 11, 1, [], []
    for measure, text, name, _ in reversed(_TILES):
        title = f"{text.capitalize()} by component"
        page.section(top, title, _LAST)
        block = page.block(
            f"B{top + 1}", call("CM_EXPLAIN", SHOWN, measure, "component"), 24, wrap=_LONG
        )
        page.count(f"K{top}", block)
        agreed.append((name, block))
        top = block.bottom + 3
        page.section(top, f"{text.capitalize()} by risk unit", _LAST)
        block = page.block(
            f"B{top + 1}", call("CM_EXPLAIN", SHOWN, measure, "riskUnit"), 20, wrap=_LONG
        )
        page.count(f"K{top}", block)
        top = block.bottom + 3
        ranges.append(f"A{first}:K{block.printed(3)}")
        first = top - 1
    page.section(top, "Maintenance margin by position", _LAST)
    positions = page.block(
        f"B{top + 1}", call("CM_EXPLAIN", SHOWN, "MM", "position"), 80, wrap=_LONG
    )
    page.count(f"K{top}", positions)
    bars(page, positions, ("amount",))
    for row, (name, block) in zip((8, 7), agreed, strict=True):
        _agrees(page, f"D{row}", name, block)
    page.print_ranges(*ranges, f"A{first}:K{positions.printed(4)}")


def say_which(page: Page, row: int) -> None:
    """Say on another sheet which book it shows, and where to choose it."""
    page.text(f"B{row}", "Book shown", page.styles.label)
    page.formula(
        f"C{row}", "=ShownBook", page.calculator.value("ShownBook"), page.styles.get(bold=True)
    )
    page.text(f"D{row}", "options or main: choose on Explain", page.styles.note)


def bars(page: Page, block: Block, names: Collection[str]) -> None:
    """Draw a bar into each number of some columns, red below zero."""
    for name in names:
        page.sheet.conditional_format(
            block.column(name).replace("$", ""),
            {"type": "data_bar", "data_bar_2010": True, "bar_solid": True, "bar_color": "#C5D7F4",
             "bar_negative_color": "#F7CFC9", "bar_axis_color": "#A8AFB9",
             "bar_border_color": "#C5D7F4", "bar_negative_border_color": "#F7CFC9"},
        )  # fmt: skip


def _agrees(page: Page, address: str, name: str, block: Block) -> None:
    """Say whether the rows that count add up to the margin."""
    amounts, counts = block.column("amount"), block.column("counts")
    first = block.column("account")
    total = f'SUM(IFERROR(IF({first}&""<>"TOTAL",IF({counts}&""="yes",{amounts},0),0),0))'
    good, bad = "the rows that count add up to it", "THE ROWS DO NOT ADD UP TO IT"
    ours = page.calculator.value(name)
    shown = "no answer"
    if not block.failed and isinstance(ours, float):
        rows = zip(block.values("account"), block.values("counts"), block.values("amount"),
                   strict=True)  # fmt: skip
        added = sum(
            amount
            for account, counted, amount in rows
            if account != "TOTAL" and counted == "yes" and isinstance(amount, float)
        )
        shown = good if abs(added - ours) < _CENT else bad
    page.formula(
        address,
        f'=IF(ISERROR({name}),"no answer",IF(ABS({total}-{name})<{_CENT},"{good}","{bad}"))',
        "no answer" if is_error(ours) else shown,
        page.styles.note,
        array=True,
    )
    fill, ink = STATUS_COLOURS["liquidatable"]
    page.sheet.conditional_format(
        address,
        {"type": "formula", "criteria": f'=${address[0]}${address[1:]}="{bad}"',
         "format": page.styles.rule(bg_color=fill, font_color=ink)},
    )  # fmt: skip
