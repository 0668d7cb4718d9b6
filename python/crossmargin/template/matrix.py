"""Tables whose columns depend on the answer: price moves down, volatility moves across."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from xlsxwriter.utility import xl_cell_to_rowcol, xl_rowcol_to_cell

from crossmargin.template.blocks import Block
from crossmargin.template.style import INK, LINE, NUMBERS
from crossmargin.template.values import is_error

if TYPE_CHECKING:
    from crossmargin.template.calls import Call
    from crossmargin.template.page import Page

__all__ = ["write"]

_WHITE: Final = "#FFFFFF"
_LOSSES: Final = ((0.75, "#F2A79E"), (0.5, "#F6C3BC"), (0.25, "#FADCD8"), (0.0, "#FDF2F0"))
"""Shares of the worst loss and their colours; a scale of LibreOffice colours errors too."""
_GAIN: Final = "#B7DDBF"


def write(  # noqa: PLR0913  # a table, its room, and its worst cell
    page: Page, address: str, made: Call, *, rows: int, columns: int, worst: str
) -> Block:
    """Write a call that shows a matrix, with rows and columns reserved for a larger one.

    Losses are red, in quarters of the worst, and gains green; the worst cell is bold and framed so
    that it can be found without colours; a scenario that the rulebook does not have is white.

    Parameters
    ----------
    page
        The sheet.
    address
        The cell of the formula.
    made
        The call.
    rows, columns
        To reserve, without and with the first column; more if the answer is larger.
    worst
        The absolute address of the cell with the worst result.
    """
    shown = page.calculator.rows(made)
    failed = is_error(shown[0][0])
    words = ["price_move"] if failed else [str(cell) for cell in shown[0]]
    wide = max(columns, len(words) + 1)
    block = Block(
        page.name,
        xl_cell_to_rowcol(address),
        header=[*words, *[""] * (wide - len(words))],
        capacity=max(rows, len(shown) + 1),
        rows=shown,
        function=made.function,
    )
    area = (block.top, block.left, block.bottom, block.right)
    page.sheet.write_dynamic_array_formula(*area, made.formula, None, shown[0][0])
    head = page.styles.get(bold=True, align="right", text_wrap=True)
    number = page.styles.get(num_format=NUMBERS["money"], align="right")
    move = page.styles.get(num_format=NUMBERS["move"], align="right", bold=True)
    for place in range(wide):
        if place:
            known = not failed and place < len(words)
            page.value(block.top, block.left + place, words[place] if known else None, head)
        else:
            first = page.sheet.table[block.top]
            first[block.left] = first[block.left]._replace(format=head)
        for row in range(1, block.capacity + 1):
            within = not failed and row < len(shown) and place < len(words)
            cell = shown[row][place] if within else None
            page.value(block.top + row, block.left + place, cell, move if not place else number)
    _mark(page, block, worst)
    return block


def _mark(page: Page, block: Block, worst: str) -> None:
    first, own = (xl_rowcol_to_cell(block.top + below, block.left) for below in (0, 1))
    header = (block.top, block.left, block.top, block.right)
    for criteria, look in (
        (f"=ISERROR({first})", {"font_color": _WHITE}),
        (f"=LEN({first})>0", {"font_color": _WHITE, "bg_color": INK}),
    ):
        page.sheet.conditional_format(
            *header,
            {"type": "formula", "criteria": criteria, "format": page.styles.rule(**look),
             "stop_if_true": criteria.startswith("=ISERROR")},
        )  # fmt: skip
    moves = (block.top + 1, block.left, block.bottom, block.left)
    body = (block.top + 1, block.left + 1, block.bottom, block.right)
    inner = xl_rowcol_to_cell(block.top + 1, block.left + 1)
    line = {"bottom": 1, "bottom_color": LINE}
    # LibreOffice repeats a header where a table has no rows
    beyond = f"=IF(ISERROR({own}),TRUE,ISTEXT({own}))"
    page.sheet.conditional_format(
        *moves, {"type": "formula", "criteria": beyond, "stop_if_true": True,
                 "format": page.styles.rule(font_color=_WHITE)},
    )  # fmt: skip
    page.sheet.conditional_format(
        *moves, {"type": "formula", "criteria": f"=ISNUMBER({own})",
                 "format": page.styles.rule(**line)},
    )  # fmt: skip
    looks: list[tuple[str, dict[str, object]]] = [
        (f"=NOT(ISNUMBER({inner}))", {"font_color": _WHITE}),
        (
            f"=IF(ISNUMBER({worst}),AND({worst}<0,{inner}={worst}),FALSE)",
            {"bold": True, "border": 1, "bg_color": _LOSSES[0][1]},
        ),
    ]
    looks += [
        (f"=IF(ISNUMBER({worst}),AND({inner}<0,{inner}<={share}*{worst}),FALSE)", {"bg_color": ink})
        for share, ink in _LOSSES
    ]
    looks.append((f"={inner}>0", {"bg_color": _GAIN}))
    for number, (criteria, inside) in enumerate(looks):
        page.sheet.conditional_format(
            *body,
            {"type": "formula", "criteria": criteria, "stop_if_true": number == 0,
             "format": page.styles.rule(**inside)},
        )  # fmt: skip
