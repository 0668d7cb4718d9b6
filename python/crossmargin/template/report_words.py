"""What the sheet Report says in words: formulas that join texts, and what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from crossmargin.template.blocks import word_count
from crossmargin.template.grid import held, linked
from crossmargin.template.values import is_error

if TYPE_CHECKING:
    from crossmargin.template.blocks import Block
    from crossmargin.template.grid import Cell
    from crossmargin.template.page import Page
    from crossmargin.template.values import Value

__all__ = [
    "LEFT",
    "data",
    "earlier",
    "limits_title",
    "line",
    "number_of",
    "parts",
    "sentence",
    "stamp",
    "text",
]

LEFT: Final = 38
"""Column AM, where the tables begin that feed the page."""
_HEALTHY: Final = "healthy again"
_LOST: Final = ("liquidatable", "bankrupt")


def earlier(usage: Value) -> str:
    """Return what is said about an earlier usage."""
    if not isinstance(usage, float):
        return "not in the earlier book"
    return f"earlier {text(round(usage, 2))}"


def number_of(value: Value) -> float:
    """Return a number, zero for anything else."""
    return value if isinstance(value, float) else 0.0


def text(value: float) -> str:
    """Return a number as a sheet joins it to a text."""
    return f"{value:.15g}"


def parts(key: str) -> tuple[str, str, str]:
    """Return formulas for short hash, rulebooks and moment out of the key in a named cell."""
    first = f'FIND("|",{key})'
    second = f'FIND("|",{key},{first}+1)'
    third = f'FIND("|",{key},{second}+1)'
    return (
        f"MID({key},6,7)",
        f"MID({key},{first}+1,{second}-{first}-1)",
        f"MID({key},{third}+1,40)",
    )


def line(page: Page) -> Cell:
    """Return the line below the title: moment, kind, run, rulebooks, out of the key."""
    key = str(page.calculator.value("Reported"))
    run, rules, moment = parts("Reported")
    kind = str(page.calculator.value("ReportKind"))
    formula = (
        f'=IFERROR({moment}&"   "&ReportKind&"   run "&{run}&"   "&{rules},'
        '"no book: see Start and Checks")'
    )
    if is_error(key):
        return formula, "no book: see Start and Checks"
    bars = key.split("|")
    return formula, f"{bars[3]}   {kind}   run {bars[0][5:12]}   {bars[1]}"


def sentence(page: Page, blocks: dict[str, Block], trigger: tuple[str, Value]) -> Cell:
    """Return the answer in a sentence: where it ends, what goes first, what is cheapest."""
    accounts, order, actions = (blocks[name] for name in ("accounts", "order", "actions"))
    first, name = accounts.cell(1, "account"), held(accounts, 1, "account")
    closed, what = accounts.cell(1, "first_liquidated"), held(accounts, 1, "first_liquidated")
    taken = steps(page, order, first, name)
    count = f"SUMPRODUCT(--ISNUMBER({accounts.column('rank')}))"
    number = 0 if accounts.failed else len(accounts.rows) - 1
    few = f'IF({count}>1,", of the accounts the one with least to spare,","")'
    action, symbol, quantity = (actions.cell(1, word) for word in ("action", "symbol", "qty"))
    does = held(actions, 1, "action")
    cheapest = (
        f'IF(ISERROR({action}),"no action was found",IF({action}&""="none","nothing needs to be '
        f'done","cheapest now: "&{action}&" "&ROUND({quantity},6)&" "&{symbol}))'
    )
    status = accounts.cell(1, "status")
    lost = "OR(" + ",".join(f'{status}&""="{word}"' for word in _LOST) + ")"
    formula = (
        f'=IFERROR({first}&{few}&IF({trigger[0]}&""="none"," is liquidated by no price of one coin '
        f'alone",IF({lost}," is "&{status}&" now"," is liquidated when one coin reaches: "&'
        f'{trigger[0]}&", all else unchanged"))'
        f'&". Closed first: "&{closed}&{taken[0]}&"; "&{cheapest}&".","no answer: see Checks")'
    )
    if accounts.failed or name == "":
        return formula, "no answer: see Checks"
    said = f"{name}" + (", of the accounts the one with least to spare," if number > 1 else "")
    if trigger[1] in {"none", ""}:
        said += " is liquidated by no price of one coin alone"
    elif held(accounts, 1, "status") in _LOST:
        said += f" is {held(accounts, 1, 'status')} now"
    else:
        said += f" is liquidated when one coin reaches: {trigger[1]}, all else unchanged"
    if does == "":
        acts = "no action was found"
    elif does == "none":
        acts = "nothing needs to be done"
    else:
        size = text(round(number_of(held(actions, 1, "qty")), 6))
        acts = f"cheapest now: {does} {size} {held(actions, 1, 'symbol')}"
    return formula, f"{said}. Closed first: {what}{taken[1]}; {acts}."


def steps(page: Page, order: Block, first: str, name: Value) -> Cell:
    """Write how many steps the first account takes, and whether they make it healthy."""
    rows = [] if order.failed else list(
        zip(order.values("account"), order.values("step"), order.values("reason"), strict=True)
    )  # fmt: skip
    number = max((number_of(step) for account, step, _ in rows if account == name), default=0.0)
    healthy = any(account == name and _HEALTHY in str(reason) for account, _, reason in rows)
    account = f'({order.column("account")}&""={first}&"")'
    step, reason = (order.column(word) for word in ("step", "reason"))
    cells = [xl_rowcol_to_cell(row, LEFT + 1, row_abs=True, col_abs=True) for row in (15, 16)]
    texts = (
        ("Steps of it", _among(account, f"ISNUMBER({step})", step, "MAX"), number),
        ("Healthy then", _among(account, f'ISNUMBER(SEARCH("{_HEALTHY}",{reason}))', "1", "SUM"),
         float(healthy)),
    )  # fmt: skip
    for row, cell, (label, formula, value) in zip((16, 17), cells, texts, strict=True):
        page.text(f"{xl_col_to_name(LEFT)}{row}", label, page.styles.label)
        page.formula(
            cell.replace("$", ""), formula, value, page.styles.get(align="left"), array=True
        )
    formula = (
        f'IF({cells[0]}=0,"","; after "&{cells[0]}&IF({cells[0]}=1," step"," steps")&'
        f'IF({cells[1]}>0," of the rule it is healthy"," nothing that could help is left"))'
    )
    if not number:
        return formula, ""
    end = " of the rule it is healthy" if healthy else " nothing that could help is left"
    return formula, f"; after {text(number)}{' step' if number == 1 else ' steps'}{end}"


def _among(account: str, holds: str, taken: str, function: str) -> str:
    """Return a formula over the rows of an account for which something holds."""
    return f"=IFERROR({function}(IF(IFERROR({account},FALSE),IF({holds},{taken},0),0)),0)"


def _count(page: Page, row: int, block: Block, column: str, word: str) -> tuple[str, int]:
    """Write how often a word stands in a column; return the cell and the number."""
    number = 0 if block.failed else block.values(column).count(word)
    page.text(xl_rowcol_to_cell(row - 1, LEFT + 9), f"{column} {word}", page.styles.label)
    address = xl_rowcol_to_cell(row - 1, LEFT + 11)
    formula = f"={word_count(block.column(column), word)}"
    page.formula(address, formula, float(number), page.styles.get(align="left"), array=True)
    return xl_rowcol_to_cell(row - 1, LEFT + 11, row_abs=True, col_abs=True), number


def limits_title(page: Page, limits: Block) -> Cell:
    """Return the heading of the breaches, with what is not shown."""
    inside, kept = _count(page, 5, limits, "status", "ok")
    unknown, errors = _count(page, 6, limits, "status", "error")
    return (
        f'="Breaches and watch list; inside: "&{inside}&", cannot be compared: "&{unknown}',
        f"Breaches and watch list; inside: {kept}, cannot be compared: {errors}",
    )


def data(page: Page, findings: Block) -> dict[str, Cell]:
    """Return the tile about the data."""
    errors, wrong = _count(page, 7, findings, "severity", "ERROR")
    warnings, noted = _count(page, 8, findings, "severity", "WARNING")
    head = xl_rowcol_to_cell(findings.top, findings.left)
    formula = (
        f'=IF(ISERROR({head}),"NO ANSWER",IF({errors}>0,"ERRORS",IF({warnings}>0,"NOTED","OK")))'
    )
    shown = "NO ANSWER" if findings.failed else "ERRORS" if wrong else "NOTED" if noted else "OK"
    counts = (
        f'={errors}&" errors, "&{warnings}&" warnings"', f"{wrong} errors, {noted} warnings",
    )  # fmt: skip
    return {"data": (formula, shown), "counts": counts}


def stamp(stamp: Block) -> list[Cell]:
    """Return two lines at the foot: what the numbers rest on, and its hash."""
    made: list[Cell] = []
    for number in (1, 2):
        sentence, reference = (stamp.cell(number, name) for name in ("sentence", "reference"))
        texts = [str(held(stamp, number, name)) for name in ("sentence", "reference")]
        shown = "" if stamp.failed else ": ".join(texts)
        made.append((f'=IFERROR({sentence}&": "&{reference},"")', shown))
    own = linked(stamp, 1, "topic")
    made.append((
        f'=IF({own[0][1:]}="","","an estimate, not the venue\'s calculation")',
        "an estimate, not the venue's calculation" if own[1] else "",
    ))  # fmt: skip
    return made
