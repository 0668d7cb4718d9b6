"""Tables for people (the terminal), for programs (JSON) and for spreadsheets (CSV)."""

from __future__ import annotations

import csv
import json
import math
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table as Grid
from rich.text import Text

from crossmargin._texts import guarded
from crossmargin.table import Table, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import Console

__all__ = [
    "ABOUT_PRICES",
    "STATUS_STYLES",
    "View",
    "as_json",
    "guarded",
    "headline",
    "nearest_first",
    "number",
    "plain",
    "print_json",
    "print_scalar",
    "print_table",
    "steps_in_short",
    "worst_first",
    "write_csv",
]

STATUS_STYLES: Final = {
    "ok": "green",
    "agrees": "green",
    "watch": "yellow",
    "call": "dark_orange",
    "restricted": "bold magenta",
    "liquidatable": "bold red",
    "bankrupt": "bold white on red",
    "OK": "green",
    "INFO": "cyan",
    "WARNING": "yellow",
    "ERROR": "bold red",
}
ABOUT_PRICES: Final = {
    "low": "low and high: the price if this coin moves alone, and if all coins move by one ratio",
    "sigmas": "sigmas: the move to the nearest price in one-day standard deviations",
}
_BANDS: Final = ((1.0, "bold red"), (0.7, "dark_orange"), (0.5, "yellow"))

_WHOLE: Final = frozenset("step row tier rank positions bracket id".split())
_RATIOS: Final = frozenset(
    "usage usage_before usage_after ratio_venue value_of_next_1 collateralRate share "
    "capital_efficiency".split()
)
_PRICES: Final = frozenset(
    "mark down up nearest low high price price_venue price_ref qty total debt ours venue diff "
    "value cap delta quantity".split()
)
_SIGNED_PERCENT: Final = frozenset("down_pct up_pct nearest_pct diff_pct price_move".split())
_SENTENCES: Final = frozenset(
    "status reason message fix likely_cause note kind sentence summary doc source value "
    "reference first_liquidated component formula inputs".split()
)
# What a narrow terminal can do without, first to go first.
_LEAVES_FIRST: Final = (
    *("path", "certainty", "account", "value_of_next_1", "price_ref", "cap", "sell_order"),
    *("im_before", "im_after", "mm_before", "equity_before", "cost", "effective", "version"),
    *("nearest", "nearest_pct", "low", "high", "kind", "example", "reference"),
    *("fix", "mm_after", "equity_after", "scope", "usage_before", "action", "note", "source"),
    *("up_pct", "down_pct", "mm_now", "reason", "category", "optional"),
)
_PRICES_LEAVE: Final = ("status", *_LEAVES_FIRST)
_STEPS_LEAVE: Final = (*_LEAVES_FIRST[: _LEAVES_FIRST.index("reason")], "price", "reason")
_SUMMARY_LEAVES: Final = (
    *("worst_scenario", "ratio_direction", "ratio_venue", "order_margin", "equity_gross"),
    *("im", "first_liquidated", "excess_im", "mm", "equity_adjusted", "nearest_trigger"),
)
_EXPLANATION_LEAVES: Final = ("source", "inputs", "base", "formula", "risk_unit", "share")
_EXPOSURE_LEAVES: Final = (
    *("beta_delta", "share", "leverage", "net", "gross", "delta", "theta", "gamma_1pct"),
)
_COMPARISON_LEAVES: Final = (
    *("loss_if_liquidated", "im", "first_liquidated", "excess_mm", "nearest_trigger", "usage"),
    "note",
)
_CAN_BE_SAID_ONCE: Final = frozenset("status severity worst_scenario ratio_direction".split())
_FEW_ROWS: Final = 4
_LONG_STEP: Final = 3
_PADDING: Final = 3
_NARROW_SENTENCE: Final = 26
_SIGNIFICANT: Final = 7
_LARGE: Final = 1e6
_NOTHING: Final = "–"  # noqa: RUF001  # a dash is what an empty cell of a printed table holds


@dataclass
class View:
    """How a table is shown.

    Parameters
    ----------
    title
        One line above it.
    caption
        What the numbers are: currency, rulebook, book.
    rows
        The largest number of rows on the screen; 0 for all.
    notes
        Sentences below it.
    about
        Sentences about single columns, said where the column is shown.
    """

    title: str = ""
    caption: str = ""
    rows: int = 40
    notes: list[str] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)


# --- for programs -----------------------------------------------------------------------------


def as_json(value: object) -> object:
    """Return what JSON can hold: null for a number that is none."""
    if isinstance(value, Table):
        return [as_json(record) for record in value.records()]
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def print_json(value: object) -> None:
    """Write JSON to standard output; of a list one item per line."""
    held = as_json(value)
    if isinstance(held, list):
        lines = ",\n".join(json.dumps(item, allow_nan=False) for item in held)
        sys.stdout.write(f"[\n{lines}\n]\n" if held else "[]\n")
    else:
        sys.stdout.write(json.dumps(held, allow_nan=False, indent=2) + "\n")


# --- for spreadsheets -------------------------------------------------------------------------


def write_csv(table: Table, path: Path) -> None:
    """Write a table with full precision; texts that look like formulas are made texts.

    They get an apostrophe in front, which reading the file with crossmargin takes away again;
    numbers stay numbers.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with path.open("w", encoding="utf-8-sig", errors="replace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(map(guarded, table.header))
        writer.writerows([_csv_cell(value) for value in row] for row in table.rows)


def _csv_cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    return repr(value) if math.isfinite(value) else ""


# --- for people -------------------------------------------------------------------------------


def plain(text: str) -> str:
    """Return a text without characters that steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def number(value: float, *, digits: int = _SIGNIFICANT) -> str:
    """Return a number with thousands separated and about seven significant digits."""
    if value == 0.0 or not math.isfinite(value):
        return "0" if value == 0.0 else str(value)
    decimals = min(max(digits - 1 - math.floor(math.log10(abs(value))), 0), 12)
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def headline(status: str, sentence: str) -> Text:
    """Return one line that begins with a status in its colour."""
    text = Text(f" {status.upper()} ", style=f"reverse {STATUS_STYLES.get(status, 'bold')}")
    return text.append(f"  {plain(sentence)}", style="not reverse bold")


def print_scalar(title: str, value: str, caption: str, console: Console) -> None:
    """Print one number or text with what it is."""
    console.print(Text(plain(title), style="dim"))
    console.print(Text(plain(value), style="bold"))
    if caption:
        console.print(Text(plain(caption), style="dim"))


def print_table(table: Table, view: View, console: Console) -> None:
    """Print a table that fits the terminal; what was left out is said below it."""
    notes = list(view.notes)
    shown, hidden = _limited(table, view.rows)
    is_wide = _width(shown, shown.header) > console.width
    if is_wide and 0 < len(shown) <= _FEW_ROWS and "step" not in shown.header:
        grid = _turned(shown)
    else:
        # what is the same in all rows, not only in those that are shown
        varying, constants = _without_constants(table)
        shown = _only(shown, varying)
        columns, dropped = _fitting(shown, console.width)
        grid = _upright(shown, columns)
        notes.extend(sentence for name, sentence in view.about.items() if name in columns)
        notes.extend(constants)
        if dropped:
            notes.append(f"no room for: {', '.join(dropped)} (in --json and --csv)")
    if hidden:
        notes.insert(0, f"{hidden:,} more rows (--rows 0 shows all, --csv FILE saves all)")
    if view.title:
        console.print(Text(plain(view.title), style="bold"))
    if len(table):
        console.print(grid)
    else:
        console.print(Text("no rows", style="italic"))
    for line in [*notes, view.caption]:
        if line:
            console.print(Text(plain(line), style="dim"))


def nearest_first(table: Table) -> tuple[Table, list[str]]:
    """Return a table of liquidation prices, nearest first, and a note naming coins without one."""
    if "nearest_pct" not in table.header:
        return table, []
    place, name = table.header.index("nearest_pct"), table.header.index("underlying")
    found = [row for row in table.rows if isinstance(row[place], float)]
    without = [str(row[name]) for row in table.rows if not isinstance(row[place], float)]
    if not found:
        return table, []
    found.sort(key=lambda row: abs(_float(row[place])))
    notes = []
    if without:
        which = ", ".join(without[:12]) + (" ..." if len(without) > 12 else "")  # noqa: PLR2004
        notes.append(
            f"no liquidation price at any price of the coin alone: {len(without)} ({which})"
        )
    return Table(table.header, found), notes


def worst_first(table: Table) -> tuple[Table, list[str]]:
    """Return a summary with the smallest excess first; a total stays last."""
    if len(table) <= 2 or "excess_mm" not in table.header:  # noqa: PLR2004  # nothing to sort
        return table, []
    place = table.header.index("excess_mm")
    last = [row for row in table.rows if row[0] == "TOTAL"]
    known = [row for row in table.rows if row[0] != "TOTAL" and isinstance(row[place], float)]
    unknown = [row for row in table.rows if row[0] != "TOTAL" and row[place] is None]
    known.sort(key=lambda row: _float(row[place]))
    return Table(table.header, [*known, *unknown, *last]), ["smallest excess_mm first"]


def steps_in_short(table: Table) -> tuple[Table, list[str]]:
    """Return a table of steps with one row for a step that closes many positions at once."""
    wanted = {"step", "symbol", "side", "qty", "price"}
    if not wanted <= set(table.header) or not len(table):
        return table, []
    places = {name: table.header.index(name) for name in table.header}
    groups: dict[tuple[Value, ...], list[Sequence[Value]]] = {}
    for row in table.rows:
        key = (row[places["step"]], row[places["action"]], row[places["account"]])
        groups.setdefault(key, []).append(row)
    rows: list[Sequence[Value]] = []
    for group in groups.values():
        if len(group) <= _LONG_STEP:
            rows.extend(group)
            continue
        line = list(group[0])
        line[places["symbol"]] = f"{len(group)} positions"
        sides = {row[places["side"]] for row in group}
        line[places["side"]] = "both" if len(sides) > 1 else next(iter(sides))
        line[places["qty"]] = line[places["price"]] = None
        line[places["cost"]] = math.fsum(_float(row[places["cost"]]) for row in group)
        line[places["reason"]] = _reason_of(group, places["reason"])
        rows.append(line)
    short = Table(table.header, rows)
    note = "a step that closes many positions stands on one line; --json and --csv have all "
    return short, [f"{note}{len(table):,} rows"] if len(short) < len(table) else []


def _reason_of(group: Iterable[Sequence[Value]], place: int) -> Value:
    """Return the longest of a step's reasons: it says what concerns only some of the positions."""
    return max((str(row[place]) for row in group), key=len)


def _limited(table: Table, most: int) -> tuple[Table, int]:
    if not most or len(table) <= most:
        return table, 0
    has_total = bool(table.rows) and table.rows[-1][0] == "TOTAL"
    kept = [*table.rows[: most - has_total], *(table.rows[-1:] if has_total else [])]
    return Table(table.header, kept), len(table) - len(kept)


def _without_constants(table: Table) -> tuple[list[str], list[str]]:
    """Return the columns that do not say the same in every row, and what the others say."""
    if len(table) < 2:  # noqa: PLR2004  # of one row nothing repeats
        return list(table.header), []
    kept, said, empty = [], [], []
    for place, name in enumerate(table.header):
        values = {row[place] for row in table.rows}
        if place and values <= {None, ""}:
            empty.append(name)
        elif place and len(values) == 1 and name in {*_LEAVES_FIRST, *_CAN_BE_SAID_ONCE}:
            said.append(f"{name}: {_cell(name, next(iter(values)), [])}")
        else:
            kept.append(name)
    notes = [" · ".join(said)] if said else []
    if empty:
        notes.append(f"no values in: {', '.join(empty)}")
    return kept, notes


def _only(table: Table, names: Sequence[str]) -> Table:
    places = [table.header.index(name) for name in names]
    return Table(tuple(names), [[row[place] for place in places] for row in table.rows])


def _fitting(table: Table, width: int) -> tuple[list[str], list[str]]:
    columns = list(table.header)
    dropped: list[str] = []
    known: tuple[str, ...] = _LEAVES_FIRST
    if "down_pct" in columns or "up_pct" in columns:
        known = _PRICES_LEAVE
    elif "step" in columns:
        known = _STEPS_LEAVE
    elif {"component", "formula"} <= {*columns}:
        known = _EXPLANATION_LEAVES
    elif "gamma_1pct" in columns:
        known = _EXPOSURE_LEAVES
    elif "capital_efficiency" in columns:
        known = _COMPARISON_LEAVES
    elif "excess_mm" in columns:
        known = _SUMMARY_LEAVES
    order = [name for name in known if name in columns[1:]]
    while order and _width(table, columns, narrow=True) > width:
        name = order.pop(0)
        columns.remove(name)
        dropped.append(name)
    for name in reversed(dropped):
        wider = [each for each in table.header if each in {*columns, name}]
        if _width(table, wider, narrow=True) <= width:
            columns = wider
    return columns, [name for name in dropped if name not in columns]


def _width(table: Table, names: Sequence[str], *, narrow: bool = False) -> int:
    total = 0
    for name in names:
        values = table.column(name)
        widest = max((len(_cell(name, value, values)) for value in values), default=0)
        if narrow and name in _SENTENCES:
            widest = min(widest, _NARROW_SENTENCE)
        total += max(widest, len(name)) + _PADDING
    return total


def _upright(table: Table, columns: Sequence[str]) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    chosen = _only(table, columns)
    for name in columns:
        values = chosen.column(name)
        has_text = any(isinstance(value, str) and value for value in values)
        is_number = any(isinstance(value, float | int) for value in values)
        grid.add_column(
            Text(plain(name)),
            justify="right" if is_number and not has_text else "left",
            no_wrap=name not in _SENTENCES or not has_text,
            overflow="fold",
        )
    for row in chosen.rows:
        is_total = row[0] == "TOTAL"
        cells = [
            _styled(name, value, chosen.column(name))
            for name, value in zip(columns, row, strict=True)
        ]
        grid.add_row(*cells, style="bold" if is_total else "")
    return grid


def _turned(table: Table) -> Grid:
    """Lay out a few wide rows as columns."""
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    names = [plain(str(row[0])) for row in table.rows]
    grid.add_column(Text(plain(table.header[0])), no_wrap=True)
    for name in names:
        grid.add_column(Text(name), justify="right", overflow="fold")
    for place, name in enumerate(table.header):
        values = [row[place] for row in table.rows]
        if place and any(value not in {None, ""} for value in values):
            grid.add_row(Text(plain(name)), *(_styled(name, value, values) for value in values))
    return grid


def _float(value: Value) -> float:
    return float(value) if isinstance(value, float | int) else 0.0


def _cell(name: str, value: Value, column: Sequence[Value]) -> str:  # noqa: PLR0911  # one line per kind
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return _NOTHING
    if isinstance(value, str):
        return plain(value)
    if name in _WHOLE:
        return f"{value:,.0f}"
    if name.endswith("_pct") or name == "price_move":
        return _percent(value, signed=name in _SIGNED_PERCENT)
    if name == "sigmas":
        return f"{value:,.1f}"
    if name in _RATIOS:
        return f"{value:,.3f}"
    if name in _PRICES:
        return number(value)
    largest = max((abs(_float(each)) for each in column), default=abs(value))
    return f"{value:,.{0 if largest >= _LARGE else 2}f}"


def _percent(fraction: float, *, signed: bool) -> str:
    percent = 100.0 * fraction
    decimals = 0 if abs(percent) >= 1_000.0 else 1  # noqa: PLR2004  # beyond ten times, decimals are noise
    text = f"{percent:+,.{decimals}f}" if signed else f"{percent:,.{decimals}f}"
    return f"{'0.0' if float(text.replace(',', '')) == 0.0 else text} %"


def _styled(name: str, value: Value, column: Sequence[Value]) -> Text:
    text = _cell(name, value, column)
    if isinstance(value, str):
        return Text(text, style=STATUS_STYLES.get(value, ""))
    if value is None:
        return Text(text, style="dim")
    if name.startswith("usage"):
        return Text(
            text, style=next((style for band, style in _BANDS if value >= band - 1e-9), "green")
        )
    return Text(text, style="red" if value < 0.0 and name != "row" else "")
