"""The sheet Scenarios: the matrix, the worst scenarios, and who loses in the worst of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template import matrix
from crossmargin.template.breakdown import SHOWN, bars, say_which
from crossmargin.template.calls import Named, call
from crossmargin.template.style import LINE, NUMBERS, number_format

if TYPE_CHECKING:
    from crossmargin.template.blocks import Block
    from crossmargin.template.page import Page
    from crossmargin.template.values import Value

__all__ = ["write"]

UNIT: Final = Named("RiskUnit")
_LAST: Final = 20  # column U
_COUNT: Final = 10
_COLUMNS: Final = 7
_NONE: Final = "no scenarios: the rulebook of this book is not measured by them"
_PICKED: Final = ("rank", "set", "vol_move", "price_move", "pnl", "counts", "note")
_TOP: Final = 11
_WORST: Final = f"$R${_TOP + 2}"


def write(page: Page) -> None:
    """Write the sheet."""
    page.head(
        "Scenarios",
        "Profit and loss of one risk unit in the scenarios of its rulebook, in the reporting "
        "currency, as they count: with the rulebook's weights and offsets.",
        book="Shown",
    )
    page.widths("B", 10, 12, 10, 10, 10, 15, 9, 11, 7, 8, 24, 2, 14, 10, 26, 12, 13, 9, 24, 22)
    page.section(5, "The answer", _LAST)
    say_which(page, 8)
    page.text("B9", "Risk unit", page.styles.label)
    page.input(
        "C9", "RiskUnit", page.calculator.value("RiskUnit"),
        hint="A coin, or account/coin; empty: the unit with the largest loss.",
    )  # fmt: skip
    page.text("D9", "a coin; empty: the unit with the largest loss", page.styles.note)
    page.section(_TOP, "Price move by volatility move", _LAST)
    page.text(f"N{_TOP}", "Worst scenarios", page.styles.section)
    page.sheet.set_row(_TOP, 28)
    table = matrix.write(
        page,
        f"B{_TOP + 1}",
        call("CM_SCENARIOS", SHOWN, UNIT, "matrix"),
        rows=24,
        columns=_COLUMNS,
        look=matrix.results(_WORST),
    )
    top = _TOP + _COUNT + 4
    page.text(f"N{top}", "Who gains and loses in the worst of them", page.styles.section)
    positions = page.block(
        f"N{top + 1}", call("CM_SCENARIOS", SHOWN, UNIT, "positions"), 120,
        words={"TOTAL": {"bold": True, "bottom": 1, "bottom_color": LINE}},
    )  # fmt: skip
    page.count(f"U{top}", positions)
    bars(page, positions, ("pnl",))
    end = table.bottom + 3
    page.section(end, "All scenarios", 11)
    listed = page.block(
        f"B{end + 1}", call("CM_SCENARIOS", SHOWN, UNIT, "list"), 150, wrap=("note",)
    )
    page.count(f"L{end}", listed)
    _worst(page, listed)
    _sentences(page, listed, positions)
    page.print_ranges(
        f"A1:U{max(end - 1, positions.printed(4))}", f"A{end - 1}:L{listed.printed(4)}"
    )


def _worst(page: Page, listed: Block) -> None:
    """Write the worst scenarios in order, found by their rank in the list."""
    ranks = listed.column("rank")
    known = {} if listed.failed else _by_rank(listed)
    last = 13 + len(_PICKED)  # a long note goes on into this column
    page.value(_TOP, last, None, page.styles.header())
    for row in range(_TOP + 1, _TOP + 1 + _COUNT):
        page.value(row, last, None, page.styles.get(bottom=1, bottom_color=LINE))
    for place, word in enumerate(_PICKED):
        text = number_format(word) == "General"
        page.value(_TOP, 13 + place, word, page.styles.header(right=not text))
        look = {"align": "left", "indent": 1} if text else {"align": "right"}
        style = page.styles.get(num_format=number_format(word), bottom=1, bottom_color="#D5DAE1",
                                **look)  # fmt: skip
        for rank in range(1, _COUNT + 1):
            row = _TOP + 1 + rank
            found = f"INDEX({listed.column(word)},MATCH({rank},{ranks},0))"
            shown = known.get(rank, {}).get(word, "")
            wanted = f'{found}&""' if text else found
            column = "NOPQRST"[place]
            page.formula(f"{column}{row}", f'=IFERROR({wanted},"")', shown, style)


def _by_rank(listed: Block) -> dict[int, dict[str, Value]]:
    rows = [dict(zip(listed.header, row, strict=True)) for row in listed.rows[1:]]
    return {int(row["rank"]): row for row in rows if isinstance(row["rank"], float)}


def _sentences(page: Page, listed: Block, positions: Block) -> None:
    """Name the worst scenario, and who loses most in it."""
    first = _TOP + 2
    ranks = listed.column("rank")
    found = f"INDEX({{}},MATCH(1,{ranks},0))"
    account, unit = (f'{found.format(listed.column(word))}&""' for word in ("account", "risk_unit"))
    move, volatility, loss = f"$Q${first}", f"$P${first}", f"$R${first}"
    moved = f'IF({move}>0,"+","")&ROUND(100*{move},1)&" %"'
    text = (
        f'=IFERROR({account}&" loses most if "&{unit}&" moves "&{moved}&", "&{volatility}&": "'
        f'&FIXED({loss},0)&", the worst of "&COUNT({ranks})&" scenarios","{_NONE}")'
    )
    known = {} if listed.failed else _by_rank(listed).get(1, {})
    shown = _NONE
    if known:
        count = sum(isinstance(rank, float) for rank in listed.values("rank"))
        shown = (
            f"{known['account']} loses most if {known['risk_unit']} moves "
            f"{_percent(known['price_move'])}, {known['vol_move']}: {_fixed(known['pnl'])}, "
            f"the worst of {count} scenarios"
        )
    strong = page.styles.get(bold=True, font_size=12)
    page.formula("B6", text, shown, strong)
    page.define("WorstScenario", "B6")
    page.calculator.note("WorstScenario", shown)
    symbols, results = positions.column("symbol"), positions.column("pnl")
    each = f'IF(ISNUMBER({results}),IF({symbols}&""<>"TOTAL",{results},0),0)'
    worst = f"MIN({each})"
    page.formula(
        "B7",
        f'=IFERROR("The most is lost by "&INDEX({symbols},MATCH({worst},{results},0))&": "'
        f'&FIXED({worst},0),"")',
        _loser(positions),
        page.styles.get(num_format=NUMBERS["text"]),
        array=True,
    )


def _loser(positions: Block) -> str:
    if positions.failed:
        return ""
    losses = [
        (result, symbol)
        for symbol, result in zip(positions.values("symbol"), positions.values("pnl"), strict=True)
        if symbol != "TOTAL" and isinstance(result, float) and result < 0
    ]
    if not losses:
        return ""
    result, symbol = min(losses, key=lambda one: one[0])
    return f"The most is lost by {symbol}: {_fixed(result)}"


def _percent(move: Value) -> str:
    value = move if isinstance(move, float) else 0.0
    return f"{'+' if value > 0 else ''}{round(100 * value, 1):g} %"


def _fixed(value: Value) -> str:
    return f"{value:,.0f}" if isinstance(value, float) else ""
