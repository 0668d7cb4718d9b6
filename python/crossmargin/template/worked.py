"""The sheet Worked: two perpetuals and a balance, calculated by ordinary formulas beside ours."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Final

from crossmargin.template import inputs
from crossmargin.template.calls import Named, Whole, call
from crossmargin.template.style import NUMBERS, STATUS_COLOURS
from crossmargin.template.values import read_csv

if TYPE_CHECKING:
    from crossmargin.template.calls import Calculator, Call
    from crossmargin.template.page import Page
    from crossmargin.template.values import Rows, Value

    _Line = tuple[str, str, float, Call | None, str, str]

__all__ = ["prepare", "tables", "write"]

BOOK: Final = Named("HandBook")
_MADE: Final = call("CM_BOOK", Whole("HandPositions"), "custom", Whole("HandCollateral"))
_LAST: Final = 9
_HEADER_ROW: Final = 8
_TINY: Final = 1e-9
_COLUMNS: Final = ("contracts", "entryPrice", "markPrice", "leverage", "maintenanceMarginRate")


def tables() -> dict[str, Rows]:
    """Return the tables of the sheet: the sample book that can be checked by hand."""
    found = {}
    for name in ("positions", "collateral"):
        place = resources.files("crossmargin") / "samples" / "two_positions" / f"{name}.csv"
        with resources.as_file(place) as path:
            found[f"Hand{name.title()}"] = read_csv(path)
    return found


def prepare(calculator: Calculator) -> None:
    """Make the book known before any sheet refers to it."""
    calculator.define("HandBook", _MADE)


def write(page: Page, positions: Rows, collateral: Rows) -> None:
    """Write the sheet: two tables, then each figure by hand and by the engine."""
    page.head(
        "Worked",
        "A book that fits on a hand: two perpetuals and one balance. Each figure stands here "
        "twice, as an ordinary formula that you can follow and as the engine's answer.",
        book="HandBook",
    )
    page.widths("B", 30, 16, 16, 16, 16, 26, 3, 14, 14)
    page.section(5, "The book: change a yellow cell, both sides follow", _LAST)
    page.text("B6", "Book (key)", page.styles.label)
    page.single("C6", _MADE, page.styles.get(align="left"), "HandBook")
    kinds = (("HandPositions", positions, "positions", 1), ("HandCollateral", collateral,
             "collateral", 8))  # fmt: skip
    for name, rows, kind, left in kinds:
        inputs.table(page, name, rows, kind=kind, header_row=_HEADER_ROW, spare=0, widths=False,
                     left=left)  # fmt: skip
    top = _HEADER_ROW + len(positions) + 2
    page.section(top, "Each figure twice", _LAST)
    for place, word in enumerate(("figure", "by hand", "by the engine", "they", "how")):
        page.value(top, 1 + place, word, page.styles.header(right=place in {1, 2}))
    verdict = page.styles.get(bold=True, align="center")
    lines = _lines(positions, collateral, top + 2)
    for number, (text, formula, shown, made, style, how) in enumerate(lines):
        row = top + 2 + number
        look = page.styles.get(num_format=NUMBERS[style], align="right")
        page.text(f"B{row}", text)
        page.formula(f"C{row}", formula, shown, look)
        page.text(f"F{row}", how, page.styles.note)
        if made is None:
            continue
        page.single(f"D{row}", made, look)
        ours = page.calculator.rows(made)[0][0]
        agrees = isinstance(ours, float) and abs(ours - shown) < _TINY
        page.formula(
            f"E{row}", f'=IF(ISERROR(D{row}),"no answer",IF(ABS(C{row}-D{row})<{_TINY},"agree",'
            '"DIFFER"))', "agree" if agrees else "DIFFER", verdict,
        )  # fmt: skip
    last = top + 1 + len(lines)
    for word, colour in (("agree", "ok"), ("DIFFER", "liquidatable")):
        fill, ink = STATUS_COLOURS[colour]
        page.sheet.conditional_format(
            f"E{top + 2}:E{last}",
            {"type": "cell", "criteria": "==", "value": f'"{word}"',
             "format": page.styles.rule(bg_color=fill, font_color=ink)},
        )  # fmt: skip
    page.text(
        f"B{last + 2}",
        "A price of liquidation P of a long solves: equity + quantity x (P - mark) = rate x "
        "quantity x P + maintenance margin of everything else. Forget the last term, and the price "
        "looks further away than it is.",
        page.styles.note,
    )
    page.sheet.print_area(0, 0, last + 1, _LAST)


def _lines(positions: Rows, collateral: Rows, top: int) -> list[_Line]:
    """Return text, formula, value, the engine's call, number format and explanation of each.

    `top` is the row of the first.
    """
    header = [str(word) for word in positions[0]]
    first, last = _HEADER_ROW + 1, _HEADER_ROW + len(positions) - 1
    letter = {word: chr(ord("B") + header.index(word)) for word in _COLUMNS}
    quantity, entry, mark, leverage, rate = (
        f"{letter[word]}{first}:{letter[word]}{last}" for word in _COLUMNS
    )
    rows = [[_number(row[header.index(word)]) for word in _COLUMNS] for row in positions[1:]]
    cash = _number(collateral[1][list(collateral[0]).index("cash")])
    equity = cash + sum(row[0] * (row[2] - row[1]) for row in rows)
    initial = sum(abs(row[0]) * row[2] / row[3] for row in rows)
    kept = sum(abs(row[0]) * row[2] * row[4] for row in rows)
    found: list[_Line] = [
        ("equity", f"=J{first}+SUMPRODUCT({quantity},{mark}-{entry})", equity,
         call("CM_EQUITY", BOOK), "money_fine", "cash + sum of quantity x (mark - entry)"),
        ("initial margin", f"=SUMPRODUCT(ABS({quantity}),{mark}/{leverage})", initial,
         call("CM_IM", BOOK), "money_fine", "sum of notional / leverage"),
        ("maintenance margin", f"=SUMPRODUCT(ABS({quantity}),{mark},{rate})", kept,
         call("CM_MM", BOOK), "money_fine", "sum of notional x rate"),
        ("excess over maintenance", f"=C{top}-C{top + 2}", equity - kept,
         call("CM_EXCESS", BOOK), "money_fine", "equity - maintenance margin"),
        ("usage", f"=C{top + 2}/C{top}", kept / equity, call("CM_RATIO", BOOK), "usage",
         "maintenance margin / equity"),
    ]  # fmt: skip
    for number, row in enumerate(rows):
        at = first + number
        q, m, r = (f"{letter[word]}{at}" for word in (_COLUMNS[0], _COLUMNS[2], _COLUMNS[4]))
        symbol = str(positions[number + 1][header.index("symbol")])
        other = kept - abs(row[0]) * row[2] * row[4]
        found.append(
            (
                f"liquidation price of {symbol}",
                f"=({q}*{m}-C{top}+C{top + 2}-{q}*{m}*{r})/({q}*(1-{r}))",
                (row[0] * row[2] - equity + other) / (row[0] * (1.0 - row[4])),
                call("CM_LIQPRICE", BOOK, symbol), "price",
                "(quantity x mark - equity + maintenance of the others) / (quantity x (1 - rate))",
            )
        )  # fmt: skip
    q, m, r = (f"{letter[word]}{first}" for word in (_COLUMNS[0], _COLUMNS[2], _COLUMNS[4]))
    row = rows[0]
    found.append(
        (
            "the same, the others forgotten", f"=({q}*{m}-C{top})/({q}*(1-{r}))",
            (row[0] * row[2] - equity) / (row[0] * (1.0 - row[4])), None, "price",
            "a common mistake, for comparison: too far away",
        )
    )  # fmt: skip
    return found


def _number(value: Value) -> float:
    if not isinstance(value, float):
        raise TypeError(f"the book by hand needs numbers, was {value!r}")
    return value
