"""Liquidation policies side by side and auto-deleveraging as sheet functions.

Standard library and the compiled core only.
"""

from __future__ import annotations

from crossmargin._answers import book_of, pairs_of, rows_of
from crossmargin._types import Block, BookArgument, Number, Options, TableResult, Text
from crossmargin.frames import as_table
from crossmargin.registry import register

__all__ = ["deleveraging", "liquidation_policies"]

LIQUIDATION = "Liquidation"


@register("CM_LIQCOMPARE", category=LIQUIDATION, example="=CM_LIQCOMPARE(Book)")
def liquidation_policies(
    book: BookArgument,
    *,
    scenario: Text = "nearest",
    policies: Text = "usual",
    max_steps: Number = 200.0,
    options: Options | None = None,
) -> TableResult:
    """Liquidation policies side by side: what each leaves of an account from the same first state.

    Every policy begins at the same prices and ends at the same stop level; each step is measured
    again. A policy that cannot be followed keeps its row and says why.

    Parameters
    ----------
    book
        The book.
    scenario
        As in CM_LIQORDER.
    policies
        venue, usual (the default), all, or names with commas: all_at_once, tier_steps, pro_rata,
        equal_slice, largest_loss, largest_notional, highest_risk_contribution,
        largest_margin_contribution, futures_then_options, staged_by_class, collateral_first,
        marginal_per_cost, incremental, cheapest_set, random, user_list.
    max_steps
        Largest number of steps of each.
    options
        As in CM_LIQORDER without policy; until is healthy where it is not given.

    Returns
    -------
    Table
        policy, account, certainty, first, steps, closings, cost, equity_before, equity_left,
        mm_left, usage_left, excess_left, shortfall (what the account owes at the end),
        positions_left, warnings (steps that raised the margin or lowered the excess), end. Money
        in the reporting currency.

    References
    ----------
    The venue's own policy as its rulebook cites it (CM_RULEBOOKS, part liquidation); the others
    by their names.
    """
    held = book_of(book)
    return rows_of(held.liquidation_policies(scenario, policies, max_steps, pairs_of(options)))


@register("CM_ADL", category=LIQUIDATION, example='=CM_ADL(Book,,,"hyperliquid")')
def deleveraging(
    book: BookArgument,
    *,
    candidates: Block | None = None,
    deficit: Number | None = None,
    form: Text = "all",
    options: Options | None = None,
) -> TableResult:
    """Auto-deleveraging: the queues of several venues, and who gives up how much of a deficit.

    Without candidates the book's own winning positions are ranked among themselves; a venue ranks
    among all its users. With candidates in one contract the book's own position in it joins them.
    The fills and what is UNCOVERED sum to the deficit.

    Parameters
    ----------
    book
        The book.
    candidates
        Columns account, qty (signed, or with a side), entry, equity of the account; and mark, mm,
        wallet, leverage or im, bankruptcy where a form needs them. Money in the settlement
        currency of the contract.
    deficit
        Notional at the mark that nobody else takes over; another unit with the option unit.
    form
        all, binance, bybit (BitMEX), hyperliquid, okx, pnl_ratio, size, pro_rata (all winners by
        the same share) or water_filling (the largest leverage becomes as small as it can be).
    options
        symbol, side (long or short: whose positions are closed), unit (notional, qty, or loss,
        money at the bankruptcy price), bankruptcy (price of the fills; else the mark), fund and
        backstop (with unit=loss: they pay first), shorts (published or inverted: Hyperliquid's
        ratio of a short), own (yes or no).

    Returns
    -------
    Table
        form, rank, account, symbol, side, qty, mark, pnl, equity, leverage,
        bankruptcy (price at which its share of the equity is gone: by maintenance margin among
        the positions of an account), score, lights (5: the first fifth), fill_qty, fill (in the
        deficit's unit), price, qty_left, leverage_left, comment.

    Raises
    ------
    TableError
        If a candidate lacks what it needs.
    MissingError
        If the form asked for needs a column that is not given.

    References
    ----------
    binance.com/en/support/faq/360033525471; bitmex.com, auto-deleveraging;
    hyperliquid.gitbook.io, auto-deleveraging; okx.com, auto-deleveraging; water-filling:
    Moallemi and Nutz, arXiv 2603.15963.
    """
    table = None if candidates is None else as_table(candidates)
    return rows_of(book_of(book).deleveraging(table, deficit, form, pairs_of(options)))
