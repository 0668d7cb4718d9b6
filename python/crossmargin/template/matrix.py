"""Tables whose columns depend on the answer: scenarios by two moves, correlations by two coins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xlsxwriter.utility import xl_cell_to_rowcol, xl_rowcol_to_cell

from crossmargin.template.blocks import Block
from crossmargin.template.style import INK, LINE, NUMBERS
from crossmargin.template.values import is_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from crossmargin.template.calls import Call
    from crossmargin.template.page import Page

__all__ = ["correlations", "results", "usage", "write"]

_WHITE: Final = "#FFFFFF"
_LOSSES: Final = ((0.75, "#F2A79E"), (0.5, "#F6C3BC"), (0.25, "#FADCD8"), (0.0, "#FDF2F0"))
"""Shares of the worst loss and their colours; a scale of LibreOffice colours errors too."""
_GAIN: Final = "#B7DDBF"
_TOGETHER: Final = ((0.9, "#8FB4E8"), (0.7, "#B4CDF0"), (0.4, "#D3E1F6"), (0.1, "#EDF3FB"))
_AGAINST: Final = ((0.9, "#E89B8F"), (0.7, "#F0BCB4"), (0.4, "#F6D8D3"), (0.1, "#FBEFED"))
_FAINT: Final = "#8A94A6"
_USED: Final = ((1.0, "#E57368"), (0.7, "#F4B183"), (0.5, "#FBE5A2"), (0.0, "#CDE8D2"))
_LOST: Final = {"bg_color": "#8C1D18", "font_color": "#FFFFFF"}


@dataclass(frozen=True)
class Look:
    """How the cells of a matrix look.

    Parameters
    ----------
    corner
        The first word of its header.
    first, body
        Number formats of the first column and of the others.
    rules
        From the address of a cell to formulas with the format that each brings, the first first.
    words
        The format of cells that hold a word instead of a number; without one they are not shown.
    """

    corner: str
    first: str
    body: str
    rules: Callable[[str], Sequence[tuple[str, Mapping[str, object]]]]
    words: Mapping[str, object] | None = None


def results(worst: str) -> Look:
    """Return how profit and loss looks: losses red, in quarters of the worst, and gains green.

    The worst cell is bold and framed, so that it is found without colours; a scenario that the
    rulebook does not have is white.

    Parameters
    ----------
    worst
        The absolute address of the cell with the worst result.
    """

    def rules(own: str) -> list[tuple[str, Mapping[str, object]]]:
        found: list[tuple[str, Mapping[str, object]]] = [
            (
                f"=IF(ISNUMBER({worst}),AND({worst}<0,{own}={worst}),FALSE)",
                {"bold": True, "border": 1, "bg_color": _LOSSES[0][1]},
            ),
        ]
        found += [
            (f"=IF(ISNUMBER({worst}),AND({own}<0,{own}<={share}*{worst}),FALSE)", {"bg_color": ink})
            for share, ink in _LOSSES
        ]
        return [*found, (f"={own}>0", {"bg_color": _GAIN})]

    return Look("price_move", NUMBERS["move"], NUMBERS["money"], rules)


def usage() -> Look:
    """Return how usage looks: green, yellow from a half, orange from 0.7, red from liquidation.

    A word stands where no equity is left: white on dark red.
    """

    def rules(own: str) -> list[tuple[str, Mapping[str, object]]]:
        return [(f"={own}>={least}", {"bg_color": ink}) for least, ink in _USED]

    return Look("down, across", NUMBERS["move"], "#,##0.00", rules, _LOST)


def correlations() -> Look:
    """Return how correlations look: blue together, red against each other, in four steps each."""

    def rules(own: str) -> list[tuple[str, Mapping[str, object]]]:
        found: list[tuple[str, Mapping[str, object]]] = [
            (f"={own}>=0.999999", {"font_color": _FAINT})
        ]
        found += [(f"={own}>={least}", {"bg_color": ink}) for least, ink in _TOGETHER]
        return found + [(f"={own}<=-{least}", {"bg_color": ink}) for least, ink in _AGAINST]

    return Look("factor", "General", "0.00", rules)


def write(  # noqa: PLR0913  # a table, its room, and its look
    page: Page, address: str, made: Call, *, rows: int, columns: int, look: Look
) -> Block:
    """Write a call that shows a matrix, with rows and columns reserved for a larger one.

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
    look
        How its cells look.
    """
    shown = page.calculator.rows(made)
    failed = is_error(shown[0][0])
    words = [look.corner] if failed else [str(cell) for cell in shown[0]]
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
    number = page.styles.get(num_format=look.body, align="right")
    side = "left" if look.first == "General" else "right"
    move = page.styles.get(num_format=look.first, align=side, bold=True)
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
    _mark(page, block, look)
    return block


def _mark(page: Page, block: Block, look: Look) -> None:
    first, own = (xl_rowcol_to_cell(block.top + below, block.left) for below in (0, 1))
    header = (block.top, block.left, block.top, block.right)
    for criteria, shown in (
        (f"=ISERROR({first})", {"font_color": _WHITE}),
        (f"=LEN({first})>0", {"font_color": _WHITE, "bg_color": INK}),
    ):
        page.sheet.conditional_format(
            *header,
            {"type": "formula", "criteria": criteria, "format": page.styles.rule(**shown),
             "stop_if_true": criteria.startswith("=ISERROR")},
        )  # fmt: skip
    moves = (block.top + 1, block.left, block.bottom, block.left)
    body = (block.top + 1, block.left + 1, block.bottom, block.right)
    inner = xl_rowcol_to_cell(block.top + 1, block.left + 1)
    line = {"bottom": 1, "bottom_color": LINE}
    # LibreOffice repeats a header where a table has no rows
    header_cell = xl_rowcol_to_cell(block.top, block.left, row_abs=True, col_abs=True)
    beyond = f'=IF(ISERROR({own}),TRUE,{own}&""={header_cell}&"")'
    page.sheet.conditional_format(
        *moves, {"type": "formula", "criteria": beyond, "stop_if_true": True,
                 "format": page.styles.rule(font_color=_WHITE)},
    )  # fmt: skip
    page.sheet.conditional_format(
        *moves, {"type": "formula", "criteria": f"=LEN({own})>0",
                 "format": page.styles.rule(**line)},
    )  # fmt: skip
    looks = [(f"=NOT(ISNUMBER({inner}))", {"font_color": _WHITE}), *look.rules(inner)]
    if look.words is not None:
        lost = f'=IF(ISTEXT({inner}),AND(LEN({inner})>0,{inner}&""<>{header_cell}&""),FALSE)'
        looks.insert(0, (lost, look.words))
    hidden = 1 if look.words is None else 2
    for number, (criteria, brought) in enumerate(looks):
        page.sheet.conditional_format(
            *body,
            {"type": "formula", "criteria": criteria, "stop_if_true": number < hidden,
             "format": page.styles.rule(**brought)},
        )  # fmt: skip
