"""Puts the sheets together and writes the file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import xlsxwriter

from crossmargin import registry
from crossmargin.template import (
    accounts,
    archive,
    backtest,
    breakdown,
    compare,
    contributions,
    control,
    correlation,
    exposure,
    glossary,
    inputs,
    limits,
    liquidation,
    log,
    options,
    policies,
    report,
    rules,
    safety,
    scenarios,
    start,
    stress,
    summary,
    tail,
    whatif,
    worked,
)
from crossmargin.template.calls import Calculator
from crossmargin.template.page import Page
from crossmargin.template.style import Styles
from crossmargin.template.values import COLUMNS, Inputs, Rows, Value, with_columns

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SHEETS", "write"]

SHEETS: Final = (
    "Start", "Report", "Positions", "Collateral", "Orders", "Market", "Options", "History",
    "Rulebook", "Summary", "Liquidation", "Map", "WhatIf", "Stress", "Explain", "Scenarios",
    "Exposure", "Compare", "Accounts",
    "Tail", "Limits", "Contributions", "Correlation", "Backtest", "Recon", "Log", "Checks",
    "Worked", "Glossary",
)  # fmt: skip
_YELLOW: Final = (
    "Positions",
    "Collateral",
    "Orders",
    "Market",
    "Options",
    "History",
    "Limits",
    "Stress",
    "Accounts",
    "Log",
    "Worked",
)
_TABS: Final = {"Start": "#1E7B3A", **dict.fromkeys(_YELLOW,
                "#E3C94A"), "Rulebook": "#8A94A6"}  # fmt: skip
_FIRST_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_CALCULATION_ENGINE: Final = 191029  # of current Excel; an older number makes it calculate on load


def write(path: Path, given: Inputs, *, version: str | None = None) -> Path:
    """Write the workbook with what its formulas answer, and return its path.

    The same inputs give the same bytes.

    Parameters
    ----------
    path
        The file to write.
    given
        The tables and settings.
    version
        What the cell of CM_VERSION shows until it is calculated again; left out, the truth about
        this computer, which differs from one to the next.
    """
    tables = {
        "Positions": with_columns(given.positions, COLUMNS["positions"]),
        "Collateral": with_columns(given.collateral, COLUMNS["collateral"]),
        "Orders": with_columns(given.orders, COLUMNS["orders"]),
        "Market": with_columns(given.market, COLUMNS["market"]),
        "History": given.history,
        "Limits": with_columns(given.limits, COLUMNS["limits"]),
        "Trades": with_columns(
            given.trades or whatif.illustrative(given.positions), COLUMNS["trades"]
        ),
        "OptionPositions": with_columns(given.option_positions, COLUMNS["option_positions"]),
        "OptionCollateral": with_columns(given.option_collateral, COLUMNS["option_collateral"]),
        "OptionMarket": with_columns(given.option_market, COLUMNS["option_market"]),
        "AccountPositions": with_columns(given.account_positions, COLUMNS["account_positions"]),
        "AccountCollateral": with_columns(given.account_collateral, COLUMNS["account_collateral"]),
        "AccountMarket": with_columns(given.account_market, COLUMNS["account_market"]),
        "AccountRules": given.account_rules,
        **worked.tables(),
        "OwnStress": stress.OWN,
        "Brackets": with_columns(given.brackets, COLUMNS["brackets"]),
        "OwnRules": _own_rules(),
        "Candidates": policies.CANDIDATES,
    }
    names: dict[str, Value] = {
        "Rule": given.rulebook,
        "AsOf": given.as_of,
        "BookOptions": given.options,
        "WatchBand": 0.5,
        "CallBand": 0.7,
        "GroupBy": "pool",
        "Horizon": 0.25,
        "Tolerance": 0.005,
        "ReconScope": "all",
        "RulePart": "liquidation",
        "RuleA": "hyperliquid",
        "RuleB": "custom",
        "PastedErrors": 0.0,
        "PastedWarnings": 0.0,
        "TablesCut": 0.0,
        "CellsOutside": 0.0,
        "OptionRule": given.option_rulebook,
        "OptionAsOf": given.option_as_of,
        "AccountsAsOf": given.account_as_of,
        "ShownBook": "options" if len(given.option_positions) > 1 else "main",
        "RiskUnit": None,
        "ExposureUnit": "usd",
        "ContributionsBy": "position",
        **liquidation.settings(),
        **safety.settings(),
        **tail.settings(),
        **limits.settings(),
        **stress.settings(),
        **backtest.settings(),
        **whatif.settings(),
        **accounts.settings(),
        **report.settings(),
    }
    calculator = Calculator(names, tables)
    safe = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    workbook = xlsxwriter.Workbook(path, {**safe, "use_future_functions": True})
    workbook.set_calc_mode("auto", _CALCULATION_ENGINE)
    workbook.calc_on_load = False  # without the add-in the saved values stay
    workbook.set_size(2600, 1500)
    workbook.set_properties({"title": "crossmargin", "subject": "Margin and liquidation",
                             "author": "crossmargin", "created": _FIRST_DAY})  # fmt: skip
    styles = Styles(workbook)
    pages = {
        name: Page(workbook, name, styles, calculator, tab=_TABS.get(name, "#2F6DB5"))
        for name in SHEETS
    }
    rows = _rulebooks()
    known = tuple(dict.fromkeys(str(row[0]) for row in rows))
    start.write_book(pages["Start"], given.rulebook, known, given.as_of, given.options)
    if version is not None:
        calculator.note("Version", version)
    for sheet_of_books in (
        *(options, breakdown, tail, backtest, limits, stress, accounts, worked, report),
    ):
        sheet_of_books.prepare(calculator)
    for name, book, rulebook in (
        ("OptionRules", "OptionBook", given.option_rulebook),
        ("MainRules", "Book", given.rulebook),
    ):
        of_venues = [str(row[0]) for row in rows if row[1] != "any"]  # the rest are templates
        calculator.note(name, compare.covering(calculator.value(book), rulebook, of_venues))
    for sheet in inputs.input_sheets:
        inputs.write(pages[sheet.name], sheet, tables[sheet.name])
    options.write(pages["Options"], tables, known)
    rules.write(pages["Rulebook"], tables["Brackets"], tables["OwnRules"], known)
    each = summary.write(pages["Summary"])
    prices = liquidation.write(pages["Liquidation"])
    safety.write(pages["Map"])
    whatif.write(pages["WhatIf"], tables["Trades"])
    breakdown.write(pages["Explain"])
    scenarios.write(pages["Scenarios"])
    exposure.write(pages["Exposure"])
    compare.write(pages["Compare"])
    stress.write(pages["Stress"], tables["OwnStress"])
    accounts.write(pages["Accounts"], tables)
    tail.write(pages["Tail"])
    contributions.write(pages["Contributions"])
    correlation.write(pages["Correlation"])
    backtest.write(pages["Backtest"])
    limited = limits.write(pages["Limits"], tables["Limits"])
    control.write_recon(pages["Recon"])
    report.write(pages["Report"], limited)
    others = [page for name, page in pages.items() if name != "Checks"]
    checked = control.write_checks(
        pages["Checks"], others, [(sheet.name, sheet.kind) for sheet in inputs.input_sheets]
    )
    options.explain(pages["Options"], checked)
    worked.write(pages["Worked"], tables["HandPositions"], tables["HandCollateral"])
    glossary.write(pages["Glossary"])
    start.write(pages["Start"], each, checked)
    log.write(pages["Log"], each, prices, limited)
    pages["Start"].sheet.activate()
    workbook.close()
    archive.finish(path, {name: page.printed for name, page in pages.items() if page.printed})
    return path


def _rulebooks() -> list[list[object]]:
    """Return the rows of the rulebooks that come with the package."""
    listed = registry.call("CM_RULEBOOKS", [])
    return [list(row) for row in listed[1:]] if isinstance(listed, list) else []


def _own_rules() -> Rows:
    """Return the rows of the template rulebook, under a name of their own."""
    shown = registry.call("CM_RULEBOOKS", ["custom"])
    rows = [[cell if isinstance(cell, float | str) else None for cell in row] for row in shown]  # type: ignore[union-attr]  # a built-in rulebook is a table
    return [[*row[:2], "own", *row[3:]] if row[1] == "id" else row for row in rows]
