"""The tables that feed the sheet Report, right of its page, and what is looked up in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from crossmargin.template import bands, matrix
from crossmargin.template import report_words as words
from crossmargin.template.blocks import Block
from crossmargin.template.calls import Named, Whole, call
from crossmargin.template.grid import held
from crossmargin.template.limits import QUICK
from crossmargin.template.report_words import LEFT
from crossmargin.template.values import ERROR_MARK

if TYPE_CHECKING:
    from crossmargin.template.bands import Bands
    from crossmargin.template.calls import Calculator
    from crossmargin.template.grid import Cell
    from crossmargin.template.page import Page
    from crossmargin.template.values import Rows, Value

__all__ = ["ACCOUNTS", "Feed", "prepare", "settings", "write"]

ACCOUNTS: Final = 12
REPORTED: Final = Named("Reported")
CHOICES: Final = ("main", "options", "accounts")
_OTHER: Final = '=IF(ReportBook="options",OptionBook,Book)'
_FORMULA: Final = '=IF(ReportBook="accounts",AccountsBook,ReportOther)'
_LIMITED: Final = '=IF(ReportBook="main",HandBook,Reported)'
"""Limits of the main book stand on the sheet Limits; the smallest book is asked in its place."""
_COLUMNS: Final = (
    *("limit_id", "scope", "metric", "value", "limit", "use_pct", "owner", "action", "status"),
)
_NOTHING: Final = f"{ERROR_MARK}#N/A"
_MOVES: Final = "-0.5;-0.4;-0.3;-0.2;-0.1;-0.05;0;0.05;0.1;0.2;0.3;0.4;0.5"
_URGENCY: Final = {"suspended": 4000.0, "restricted": 3000.0, "call": 2000.0, "watch": 1000.0}
_MOST_USED: Final = 900.0
_INPUTS: Final = (
    ("Book reported", "ReportBook", CHOICES, "main: the yellow sheets; options; accounts."),
    ("Across", "ReportX", (), "A coin, ALL, VOL, VOL:BTC, or PEG:USDT."),
    ("Down", "ReportY", (), "Likewise."),
    ("Moves across", "ReportXMoves", (), "At most 13 relative moves with semicolons between."),
    ("Moves down", "ReportYMoves", (), "Likewise."),
    ("Actions to reach", "ReportTarget", ("excess_im=0", "usage=0.7", "usage=0.5"),
     "A target as for CM_CURE."),
    ("The data are", "ReportKind", ("indicative", "official"), "Of the official cut, or not."),
)  # fmt: skip


def settings() -> dict[str, float | str | None]:
    """Return the input cells of the sheet."""
    return {
        "ReportBook": "main",
        "ReportX": "BTC",
        "ReportY": "ETH",
        "ReportXMoves": _MOVES,
        "ReportYMoves": ";".join(_MOVES.split(";")[::-1]),
        "ReportTarget": "excess_im=0",
        "ReportKind": "indicative",
    }


def prepare(calculator: Calculator) -> None:
    """Make the chosen books known before any sheet refers to them."""
    books = {"accounts": "AccountsBook", "options": "OptionBook"}
    chosen = str(calculator.value("ReportBook"))
    calculator.alias("ReportOther", "OptionBook" if chosen == "options" else "Book")
    calculator.alias("Reported", books.get(chosen, "Book"))
    calculator.alias("ReportLimitBook", "HandBook" if chosen == "main" else "Reported")
    calculator.alias("EarlierBook", "Reported")


@dataclass(frozen=True)
class Feed:
    """The tables, and cells that were looked up in them: a formula each and what it shows."""

    page: Page
    accounts: Block
    map: Block
    limits: Block
    actions: Block
    findings: Block
    bands: Bands
    line: Cell
    sentence: Cell
    earlier: Cell
    initial: Cell
    nearest: Cell
    data: Cell
    counts: Cell
    limits_title: Cell
    initial_margin: list[Cell]
    change: list[Cell]
    stamp: list[Cell]
    ranks: tuple[str, list[Value]]

    def breach(self, number: int) -> list[Cell]:
        """Return the cells of the limit that is the most urgent but `number` - 1."""
        area, keys = self.ranks
        known = sorted((key for key in keys if isinstance(key, float)), reverse=True)
        place = keys.index(known[number - 1]) + 1 if number <= len(known) else None
        made: list[Cell] = []
        for name in _COLUMNS:
            found = f"INDEX({self.limits.column(name)},MATCH(LARGE({area},{number}),{area},0))"
            missing = "none" if number == 1 and name == "limit_id" else ""
            shown = held(self.limits, place, name) if place else missing
            made.append((f'=IFERROR(IF(LEN({found})=0,"",{found}),"{missing}")', shown))
        return made


def write(page: Page, limited: Block) -> Feed:
    """Write settings and tables; return what the page shows of them."""
    page.widths("AM", 20, *[12] * 20)
    at = xl_col_to_name(LEFT)
    _settings(page, at)
    blocks: dict[str, Block] = {}
    row = 20
    for name, title, made, capacity in (
        ("accounts", "Accounts", call("CM_ACCOUNTS", REPORTED, float(ACCOUNTS)), ACCOUNTS + 2),
        ("summary", "Summary by account", call("CM_SUMMARY", REPORTED, "account"), 30),
        ("earlier", "The earlier book", call("CM_SUMMARY", Named("EarlierBook"), "account"), 30),
        ("limits", "Limits",
         call("CM_LIMITS", Named("ReportLimitBook"), Whole("Limits"), Named("RiskProfile"), QUICK),
         40),
        ("actions", "Actions", call("CM_CURE", REPORTED, Named("ReportTarget"), None, 5.0), 8),
        ("findings", "Findings", call("CM_CHECK", REPORTED), 20),
        ("stamp", "Stamp", call("CM_WHY", REPORTED, "stamp"), 16),
        ("order", "Steps of the liquidation",
         call("CM_LIQORDER", REPORTED, "nearest", 50.0, "until=healthy"), 80),
    ):  # fmt: skip
        page.text(f"{at}{row}", title, page.styles.get(bold=True))
        blocks[name] = page.block(f"{at}{row + 1}", made, capacity)
        page.count(f"{xl_col_to_name(LEFT + 1)}{row}", blocks[name])
        row = blocks[name].bottom + 3
    page.text(f"{at}{row}", "Map", page.styles.get(bold=True))
    drawn = matrix.write(
        page, f"{at}{row + 1}",
        call("CM_LIQMAP", REPORTED, Named("ReportX"), Named("ReportY"), Named("ReportXMoves"),
             Named("ReportYMoves"), "usage"),
        rows=14, columns=15, look=matrix.usage(),
    )  # fmt: skip
    fed = bands.feed(page, f"BC{20}", blocks["accounts"], ACCOUNTS)
    blocks["limits"] = _chosen(page, limited, blocks["limits"])
    return _look_up(page, blocks, drawn, fed)


def _chosen(page: Page, limited: Block, own: Block) -> Block:
    """Write the limits of the book that is reported, beside the table of the others; return it.

    Those of the main book are links to the sheet Limits, so that they are not measured twice.
    """
    is_main = page.calculator.value("ReportBook") == "main"
    taken, column = limited if is_main else own, own.right + 3
    rows: Rows = [list(_COLUMNS)]
    made = Block(page.name, (own.top, column), header=_COLUMNS, capacity=own.capacity, rows=rows)
    for number in range(1, own.capacity + 1):
        shown = []
        for name in _COLUMNS:
            main, other = f"{limited.sheet}!{limited.cell(number, name)}", own.cell(number, name)
            if number > limited.capacity:
                main = '""'
            cell = f'IF(ReportBook="main",{main},{other})'
            shown.append(held(taken, number, name) if number <= taken.capacity else "")
            page.formula(
                made.cell(number, name).replace("$", ""),
                f'=IF(ISERROR({cell}),"",IF(LEN({cell})=0,"",{cell}))', shown[-1],
            )  # fmt: skip
        if shown[0] != "":
            rows.append(shown)
    for name in _COLUMNS:
        page.text(made.cell(0, name).replace("$", ""), name, page.styles.header())
    return made


def _settings(page: Page, at: str) -> None:
    value = page.calculator.value
    page.text(
        f"{at}4", "Settings, and what feeds the page; not printed", page.styles.get(bold=True)
    )
    beside = xl_col_to_name(LEFT + 1)
    for row, (text, name, choices, hint) in enumerate(_INPUTS, start=5):
        page.text(f"{at}{row}", text, page.styles.label)
        page.input(f"{beside}{row}", name, value(name), choices=choices, hint=hint)
    own = page.styles.get(align="left")
    for row, text, name, formula in (
        (12, "Earlier book (key)", "EarlierBook", "=Reported"),
        (13, "Book (key)", "Reported", _FORMULA),
        (14, "Book of the limits", "ReportLimitBook", _LIMITED),
        (15, "If not the accounts", "ReportOther", _OTHER),
    ):
        page.text(f"{at}{row}", text, page.styles.label)
        style = page.styles.input(align="left") if name == "EarlierBook" else own
        page.formula(f"{beside}{row}", formula, value(name), style)
        page.define(name, f"{beside}{row}")
    page.text(f"{at}18", "The earlier book: let the yellow cell show the key of yesterday's book, "
              "made by CM_BOOK of yesterday's tables.", page.styles.note)  # fmt: skip


class _Finder:
    """Looks names up in the first column of a table; each number of a row in a cell of its own."""

    def __init__(self, page: Page, row: int, column: int) -> None:
        self.page, self.row, self.column = page, row, column

    def place(self, block: Block, name: str, wanted: str, shown: Value) -> tuple[str, int | None]:
        """Write the row in which a text stands, and return its cell and that row, from 1."""
        known = [] if block.failed else block.values(name)
        found = known.index(shown) + 1 if shown in known and shown != "" else None
        address = xl_rowcol_to_cell(self.row, self.column)
        self.page.formula(
            address, f'=IFERROR(MATCH({wanted}&"",{block.column(name)}&"",0),NA())',
            _NOTHING if found is None else float(found), array=True,
        )  # fmt: skip
        self.row += 1
        return xl_rowcol_to_cell(self.row - 1, self.column, row_abs=True, col_abs=True), found


def _look_up(page: Page, blocks: dict[str, Block], drawn: Block, fed: Bands) -> Feed:
    accounts, summary, earlier = (blocks[name] for name in ("accounts", "summary", "earlier"))
    has_earlier = page.calculator.value("EarlierBook") != page.calculator.value("Reported")
    finder = _Finder(page, 37, LEFT + 16)
    page.text(xl_rowcol_to_cell(36, LEFT + 16), "rows of the summary and of the earlier book",
              page.styles.note)  # fmt: skip
    margins: list[Cell] = []
    changes: list[Cell] = []
    firsts: list[tuple[tuple[str, int | None], tuple[str, int | None]]] = []
    for number in range(1, ACCOUNTS + 1):
        own, shown = accounts.cell(number, "account"), held(accounts, number, "account")
        now, then = (finder.place(one, "scope", own, shown) for one in (summary, earlier))
        firsts.append((now, then))
        margin = held(summary, now[1], "im") if now[1] else ""
        margins.append((
            f'=IFERROR(INDEX({summary.column("im")},{now[0]})/1000,"")',
            margin / 1000.0 if isinstance(margin, float) else "",
        ))  # fmt: skip
        usage = accounts.cell(number, "usage")
        before = f"INDEX({earlier.column('usage')},{then[0]})"
        values = (
            held(accounts, number, "usage"),
            held(earlier, then[1], "usage") if then[1] else "",
        )
        changes.append((
            f'=IF(EarlierBook=Reported,"",IFERROR({usage}-{before},""))',
            values[0] - values[1]
            if has_earlier and isinstance(values[0], float) and isinstance(values[1], float)
            else "",
        ))  # fmt: skip
    now, then = firsts[0]
    usage = accounts.cell(1, "usage")
    before = f"ROUND(INDEX({earlier.column('usage')},{then[0]}),2)"
    excess = f"INDEX({summary.column('excess_im')},{now[0]})"
    short = held(summary, now[1], "excess_im") if now[1] else ""
    trigger = f"INDEX({summary.column('nearest_trigger')},{now[0]})"
    named = held(summary, now[1], "nearest_trigger") if now[1] else ""
    sigmas = held(accounts, 1, "sigmas")
    sigma = accounts.cell(1, "sigmas")
    return Feed(
        page=page,
        accounts=accounts,
        map=drawn,
        limits=blocks["limits"],
        actions=blocks["actions"],
        findings=blocks["findings"],
        bands=fed,
        line=words.line(page),
        sentence=words.sentence(page, blocks, (trigger, named)),
        earlier=(
            (
                f'=IF(EarlierBook=Reported,"no earlier book",IFERROR("earlier "&{before},'
                '"not in the earlier book"))'
            ),
            words.earlier(held(earlier, then[1], "usage") if then[1] else None) if has_earlier
            else "no earlier book",
        ),
        initial=(f'=IFERROR({excess},"")', short),
        nearest=(
            (
                f'=IFERROR({trigger}&IF(ISNUMBER({sigma}),", "&ROUND({sigma},1)&" sigmas",""),"")'
            ),
            f"{named}" + (f", {words.text(round(sigmas, 1))} sigmas"
                          if isinstance(sigmas, float) else ""),
        ),
        initial_margin=margins,
        change=changes,
        stamp=words.stamp(blocks["stamp"]),
        ranks=_ranks(page, blocks["limits"]),
        limits_title=words.limits_title(page, blocks["limits"]),
        **words.data(page, blocks["findings"]),
    )  # fmt: skip


def _ranks(page: Page, limits: Block) -> tuple[str, list[Value]]:
    """Write how urgent each limit is, in a column beside the table; return it."""
    column = limits.right + 2
    page.value(limits.top, column, "urgency", page.styles.header(right=True))
    keys: list[Value] = []
    for number in range(1, limits.capacity + 1):
        status, used = (limits.cell(number, word) for word in ("status", "use_pct"))
        weights = "".join(f'IF({status}&""="{word}",{size:g},' for word, size in _URGENCY.items())
        rank = f"{weights}0{')' * len(_URGENCY)}"
        share = f"IF(ISNUMBER({used}),MIN({used},{_MOST_USED:g}),0)"
        base = _URGENCY.get(str(held(limits, number, "status")), 0.0)
        key = (
            base + min(words.number_of(held(limits, number, "use_pct")), _MOST_USED) - number * 1e-6
        )
        keys.append(key if base else "")
        page.formula(
            xl_rowcol_to_cell(limits.top + number, column),
            f'=IFERROR(IF({rank}=0,"",{rank}+{share}-{number}*0.000001),"")', keys[-1],
        )  # fmt: skip
    first, last = (
        xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True)
        for row in (limits.top + 1, limits.bottom)
    )
    return f"{first}:{last}", keys
