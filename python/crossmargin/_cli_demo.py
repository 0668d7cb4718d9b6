"""The demonstration: the main job on a sample book, from tables to a workbook."""

from __future__ import annotations

import importlib
import shutil
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

from crossmargin import functions
from crossmargin._cli_commands import caption_of
from crossmargin._cli_inputs import progress
from crossmargin._cli_show import (
    ABOUT_PRICES,
    View,
    headline,
    nearest_first,
    number,
    plain,
    print_json,
    print_table,
    steps_in_short,
    write_csv,
)
from crossmargin.cells import CellContent
from crossmargin.frames import read_file
from crossmargin.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crossmargin._core import Book

__all__ = ["run_demo", "sample_book", "sample_files"]

RULEBOOK: Final = "hyperliquid"
POLICY: Final = "highest_risk_contribution"
SHEETS: Final = ("positions", "collateral", "market", "orders")
RISK: Final = ("history", "limits")
STEPS: Final = 6.0
OPTIONS: Final = "options"
ACCOUNTS: Final = "accounts"
ACCOUNT_SHEETS: Final = ("positions", "collateral", "market", "rules")
OPTION_RULEBOOK: Final = "deribit-spm"
AS_OF: Final = "2026-01-13T12:00:00Z"
_WORST: Final = 5
_MEANING: Final = {
    "ok": "nothing to do",
    "watch": "margin usage has reached the watch band",
    "call": "margin usage has reached the call band: bring money or close",
    "restricted": "equity is below the initial margin: positions can be closed, not opened",
    "liquidatable": "equity is below the maintenance margin: the venue may close positions now",
    "bankrupt": "equity is below zero",
}


def sample_files(folder: str = "", names: tuple[str, ...] = SHEETS) -> dict[str, Path]:
    """Return the files of a sample book that comes with the package, by sheet."""
    here = Path(str(resources.files("crossmargin"))) / "samples" / folder
    return {name: here / f"{name}.csv" for name in names if (here / f"{name}.csv").is_file()}


def sample_book(
    files: Mapping[str, Path], rulebook: str = RULEBOOK, as_of: str | None = None
) -> Book:
    """Return the book of sample files."""
    frames = {name: read_file(path) for name, path in files.items()}
    return functions.book(
        frames["positions"],
        rulebook,
        collateral=frames.get("collateral"),
        market=frames.get("market"),
        orders=frames.get("orders"),
        as_of=as_of,
    )


def run_demo(output: Path, *, as_json: bool) -> int:
    """Write the sample and its results into a folder and print the answer.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    output.mkdir(parents=True, exist_ok=True)
    with progress() as say:
        say("Reading the sample book")
        files = {}
        for name, path in sample_files().items():
            files[name] = Path(shutil.copyfile(path, output / path.name))
        (output / OPTIONS).mkdir(exist_ok=True)
        option_files = {}
        for name, path in sample_files(OPTIONS).items():
            option_files[name] = Path(shutil.copyfile(path, output / OPTIONS / path.name))
        risk_files = {}
        for name, path in sample_files(names=RISK).items():
            risk_files[name] = Path(shutil.copyfile(path, output / path.name))
        book = sample_book(files)
        options = sample_book(option_files, OPTION_RULEBOOK, AS_OF)
        say("Computing")
        results = {**_results(book), **_option_results(options)}
        say("Writing files")
        written = _write(output, files | risk_files, option_files, results)
    everything = [*files.values(), *risk_files.values(), *option_files.values(), *written]
    if as_json:
        print_json({**results, "files": [str(path) for path in everything]})
        return 0
    console = Console()
    _print(book, results, console)
    _print_options(options, results, console)
    _print_files(everything, files, option_files, console)
    return 0


def _results(book: Book) -> dict[str, Table]:
    return {
        "summary": functions.summary(book, group_by="pool"),
        "liquidation_price": _prices(book, "alone"),
        "together": _prices(book, "together"),
        "liquidation_order": functions.liquidation_order(book, max_steps=STEPS),
        POLICY: functions.liquidation_order(book, max_steps=STEPS, options={"policy": POLICY}),
        "first_liquidated": Table(
            ("sentence",), [(str(functions.first_liquidated(book, what="sentence")),)]
        ),
        "tiers": functions.tiers(book),
        "check": functions.check(CellContent(book)),
    }


def _option_results(book: Book) -> dict[str, Table]:
    return {
        "option_summary": functions.summary(book, group_by="pool"),
        "option_explanation": functions.explanation(book),
        "option_scenarios": functions.scenarios(book, layout="list"),
        "option_worst": functions.scenarios(book, layout="positions"),
        "option_exposure": functions.exposure(book, group_by="expiry"),
    }


def _prices(book: Book, path: str) -> Table:
    """Return the liquidation prices of all coins."""
    found = functions.liquidation_price(book, path=path)
    if not isinstance(found, Table):
        raise TypeError(f"liquidation prices of all coins are a table, was {found!r}")
    return found


def _write(
    output: Path,
    files: Mapping[str, Path],
    option_files: Mapping[str, Path],
    results: Mapping[str, Table],
) -> list[Path]:
    written = []
    of_options = ("option_explanation", "option_scenarios", "option_exposure")
    for name in ("summary", "liquidation_price", "liquidation_order", POLICY, *of_options):
        path = output / f"result_{name}.csv"
        write_csv(results[name], path)
        written.append(path)
    builder = _workbook_builder()
    if builder is not None:
        given = {name: _table_of(path) for name, path in files.items()}
        given |= {f"option_{name}": _table_of(path) for name, path in option_files.items()}
        given["option_rulebook"] = Table(("rulebook",), [(OPTION_RULEBOOK,)])
        given["option_as_of"] = Table(("as_of",), [(AS_OF,)])
        for name, path in sample_files(ACCOUNTS, ACCOUNT_SHEETS).items():
            given[f"account_{name}"] = _table_of(path)
        given["account_as_of"] = Table(("as_of",), [(AS_OF,)])
        written.extend(builder(output, {**given, **results}))
    return written


def _workbook_builder() -> Callable[[Path, dict[str, Table]], list[Path]] | None:
    """Return the function that fills the workbook, or None while there is none."""
    name = "crossmargin.demo_workbook"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name != name:
            raise
        return None
    write: Callable[[Path, dict[str, Table]], list[Path]] = module.write
    return write


def _table_of(path: Path) -> Table:
    frame = read_file(path)
    return Table(tuple(frame.columns), frame.rows())


def _print(book: Book, results: Mapping[str, Table], console: Console) -> None:
    rows = [row for row in results["summary"].records() if row["scope"] != "TOTAL"]
    account = rows[0]
    status = str(account["status"])
    console.print()
    console.print(headline(status, f"{account['scope']}: {_MEANING[status]}"))
    console.print()
    for sentence in _sentences(book, account, results):
        console.print(Text(plain(f"  {sentence}")))
    console.print()
    caption = caption_of(book)
    print_table(results["summary"], View("1  Summary", caption), console)
    console.print()
    prices, notes = nearest_first(results["liquidation_price"])
    title = "2  Liquidation price of each coin, others unchanged"
    print_table(prices, View(title, notes=notes, about=ABOUT_PRICES), console)
    console.print()
    order, notes = steps_in_short(results["liquidation_order"])
    title = "3  What is liquidated first, and next: the venue's rule"
    print_table(order, View(title, notes=notes), console)
    console.print()
    order, notes = steps_in_short(results[POLICY])
    title = f"4  The same account under the policy {POLICY}"
    print_table(order, View(title, notes=notes), console)


def _print_options(book: Book, results: Mapping[str, Table], console: Console) -> None:
    console.print()
    summary = results["option_summary"]
    rows = [row for row in summary.records() if row["scope"] != "TOTAL"]
    nearest = max(rows, key=lambda row: _number(row["usage"]))
    status = str(nearest["status"])
    console.print(headline(status, f"the option book: {_MEANING[status]}"))
    console.print()
    for sentence in (
        worst_scenario(results["option_scenarios"]),
        (
            f"Nearest trigger: {nearest['nearest_trigger']}; first liquidated: "
            f"{nearest['first_liquidated']}."
        ),
    ):
        console.print(Text(plain(f"  {sentence}")))
    console.print()
    caption = caption_of(book)
    scenarios = results["option_scenarios"]
    place = scenarios.header.index("rank")
    ranked = sorted(scenarios.rows, key=lambda row: _number(row[place]))[:_WORST]
    for title, table in (
        ("5  An option book under portfolio margin: why the margin is what it is",
         results["option_explanation"]),
        ("6  Its worst scenarios", Table(scenarios.header, ranked)),
        ("7  Who gains and loses in the worst of them", results["option_worst"]),
        ("8  Its exposure by expiry", results["option_exposure"]),
    ):  # fmt: skip
        print_table(table, View(title, caption), console)
        console.print()


def worst_scenario(scenarios: Table) -> str:
    """Return a sentence about the scenario that loses most."""
    row = next((row for row in scenarios.records() if row["rank"] == 1.0), None)
    if row is None:
        return "No scenario loses."
    return (
        f"Worst scenario: {row['account']} loses {-_number(row['pnl']):,.0f} if "
        f"{row['risk_unit']} moves {100.0 * _number(row['price_move']):+g} %, {row['vol_move']}."
    )


def _sentences(
    book: Book, account: Mapping[str, object], results: Mapping[str, Table]
) -> list[str]:
    currency = book.report_currencies[0]
    equity, usage = _number(account["equity_adjusted"]), _number(account["usage"])
    initial, excess = _number(account["excess_im"]), _number(account["excess_mm"])
    said = [f"Equity {equity:,.0f} {currency}; {excess:,.0f} above liquidation; usage {usage:.2f}."]
    if initial < 0.0:
        said.append(f"{-initial:,.0f} {currency} are missing to open new positions.")
    of_account = [
        row
        for row in results["liquidation_price"].records()
        if row["scope"] == account["scope"] and isinstance(row["sigmas"], float)
    ]
    if of_account:
        near = min(of_account, key=lambda row: _number(row["sigmas"]))
        said.append(
            f"Nearest trigger: {near['underlying']} at {number(_number(near['nearest']))} "
            f"({100.0 * _number(near['nearest_pct']):+.1f} %, {_number(near['sigmas']):.1f} "
            "one-day sigmas), all other coins unchanged."
        )
    together = [
        _number(row["nearest_pct"])
        for row in results["together"].records()
        if row["scope"] == account["scope"] and isinstance(row["nearest_pct"], float)
    ]
    if together:
        said.append(f"If all coins move together: {100.0 * min(together, key=abs):+.1f} %.")
    said.append(str(results["first_liquidated"].rows[0][0]))
    said.extend(
        f"{start} {_first_closed(results[name])}."
        for start, name in (
            ("The venue's rule then closes", "liquidation_order"),
            (f"Under {POLICY} it would be", POLICY),
        )
    )
    return said


def _first_closed(order: Table) -> str:
    """Return what the first step that closes anything closes."""
    rows = [row for row in order.records() if row["action"] == "close"]
    first = [row for row in rows if row["step"] == rows[0]["step"]]
    if len(first) > 1:
        return f"a part of each of {len(first)} positions at once"
    row = first[0]
    side = "long" if row["side"] == "sell" else "short"
    return f"{row['symbol']} alone: {number(_number(row['qty']))} of the {side}"


def _number(value: object) -> float:
    return float(value) if isinstance(value, float | int) else float("nan")


def _print_files(
    paths: list[Path],
    files: Mapping[str, Path],
    option_files: Mapping[str, Path],
    console: Console,
) -> None:
    console.print(Text("9  Files", style="bold"))
    for path in paths:
        console.print(Text(plain(f"  {path}")), soft_wrap=True)
    if _workbook_builder() is None:
        console.print(Text("  workbook: not built", style="yellow"))
    console.print()
    console.print(Text("Change the tables and ask again:", style="dim"))
    inputs = " ".join(f"--{name} {path}" for name, path in files.items())
    for command in ("summary", "liquidation-price", "liquidation-order --option policy=pro_rata"):
        line = f"  crossmargin {command} --rulebook {RULEBOOK} {inputs}"
        console.print(Text(plain(line), style="dim"), soft_wrap=True)
    history = next(path for path in paths if path.stem == "history")
    for command in ("tail --method all", "risk-contributions --measure ES", "backtest"):
        line = f"  crossmargin {command} --rulebook es {inputs} --history {history}"
        console.print(Text(plain(line), style="dim"), soft_wrap=True)
    inputs = " ".join(f"--{name} {path}" for name, path in option_files.items())
    for command in ("scenarios", "explain --measure IM", "compare --rulebooks 'pm;span-16'"):
        line = f"  crossmargin {command} --rulebook {OPTION_RULEBOOK} --as-of {AS_OF} {inputs}"
        console.print(Text(plain(line), style="dim"), soft_wrap=True)
