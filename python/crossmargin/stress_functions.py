"""Grids, stresses, horizons and differences as sheet functions; standard library and core only."""

from __future__ import annotations

from crossmargin import _core
from crossmargin._answers import book_of, pairs_of, rows_of
from crossmargin._types import (
    BlockOrText,
    BookArgument,
    ListOf,
    Number,
    Options,
    TableResult,
    Text,
)
from crossmargin.frames import as_table
from crossmargin.registry import register

__all__ = ["book_difference", "horizon", "margin_grid", "stresses"]

STRESS = "Stress"


@register("CM_GRID", category=STRESS, example='=CM_GRID(Book,"BTC",,"-0.2;0;0.3",,"usage")')
def margin_grid(
    book: BookArgument,
    underlying: Text = "ALL",
    *,
    price_moves: ListOf[float] | None = None,
    vol_moves: ListOf[float] | None = None,
    days: ListOf[float] | None = None,
    measure: Text = "usage",
    options: Options | None = None,
) -> TableResult:
    """Margin measured again at every node of price, volatility and days; one axis is a ladder.

    Options keep their own volatility (sticky strike), forwards move with their coin, scan grids,
    tiers and out-of-the-money amounts move along, and what expires within the days is settled at
    its intrinsic value. Nodes are measured in parallel and by themselves.

    Parameters
    ----------
    book
        The book.
    underlying
        A coin, or ALL: every coin by one ratio, stable ones by none.
    price_moves
        Relative moves above -1; left out: -50 % to +50 % in steps of 5 %.
    vol_moves
        Relative moves of implied volatility, of that coin or of all; left out: none.
    days
        Days that pass; left out: none.
    measure
        usage, pnl, excess, im, mm, equity, first (what is liquidated first), delta (coins of the
        coin, money for ALL) or status.
    options
        path (alone, together, beta), betas=ETH:1.2, vol (relative, or points: added instead), scope
        (an account or a pool).

    Returns
    -------
    Table
        price_move, price, the measure, status; with several vol_moves or days a matrix of
        price_move and a column for each; with several of both a row per node: price_move, price,
        vol_move, days, the measure, status.

    Raises
    ------
    OutOfRangeError
        For a move that no market makes, or more than 20,000 nodes.

    References
    ----------
    The whole measure of the rulebook at every node; options by Black 1976 at their own
    volatility.
    """
    return rows_of(
        _core.grid(
            book_of(book),
            underlying,
            list(price_moves or ()),
            list(vol_moves or ()),
            list(days or ()),
            measure,
            pairs_of(options),
        )
    )


@register("CM_STRESS", category=STRESS, example='=CM_STRESS(Book,"OCT2025")')
def stresses(
    book: BookArgument, scenarios: BlockOrText = "LIB", *, options: Options | None = None
) -> TableResult:
    """The book after named crises or scenarios of your own: equity and margin measured again.

    The library holds 12 March 2020, 19 May 2021, FTX 2022, USDC 2023, 5 August 2024 and 10 October
    2025 with its collateral off the peg, each with a range and sources. A coin that a crisis has no
    move for follows by its beta, or by the crisis's move of other coins, which the note says; else
    the row is refused and names the coin.

    Parameters
    ----------
    book
        The book.
    scenarios
        MAR2020, MAY2021, FTX2022, USDC2023, AUG2024, OCT2025, several with semicolons between, LIB
        for all; or a range with the columns coin, move and scenario, vol, vol_points, peg, venue,
        days. The coin `other` is every coin without a row; its move may be the word beta.
    options
        case (mild, central, severe, all), group_by (book, account), layout=sources (the library
        with its ranges and sources), cascade=1 (the own liquidation moves the price, by adv,
        dailyVol and halfSpread of the Market sheet) with impact, depth and rounds; slippage.

    Returns
    -------
    Table
        scenario, pnl, collateral_change (the two sum to the change of gross equity), equity, im,
        mm, usage, status, call_amount (to the initial margin), first_liquidated, shortfall (owed
        after the liquidation), note.

    Raises
    ------
    UnknownWordError
        For a scenario or an option that is not known.

    References
    ----------
    The sources of every crisis and its range: option layout=sources.
    """
    words, table = (scenarios, None) if isinstance(scenarios, str) else ("", as_table(scenarios))
    return rows_of(_core.stress(book_of(book), words, table, pairs_of(options)))


@register("CM_HORIZON", category=STRESS, example='=CM_HORIZON(Book,"7;30;90")')
def horizon(
    book: BookArgument,
    dates: ListOf[str] | None = None,
    *,
    measure: Text = "MM",
    funding: Number = 1.0,
) -> TableResult:
    """Time alone: margin, equity and usage on future dates with nobody moving a price.

    Every expiry on the way has a row; what expires is settled at its intrinsic value. Prices,
    forwards and volatilities stay, and so do today's funding rates.

    Parameters
    ----------
    book
        The book.
    dates
        Days from the as-of, or dates; left out: 7, 30 and 90 days.
    measure
        MM, IM, equity or usage: whose change the note states.
    funding
        1 settles funding three times a day at today's rates, 0 leaves it out.

    Returns
    -------
    Table
        date, event (now, date, expiry), symbol, im, mm, equity, usage, theta (what options gained
        through time), funding (received, below zero paid), note; both are in the equity.

    Raises
    ------
    MissingError
        If a date is asked of a book without an as-of.

    References
    ----------
    The rulebook's own measure at later dates; options by Black 1976; funding as the venue
    settles it, three times a day.
    """
    asked = [str(date) for date in dates or ()]
    return rows_of(_core.horizon(book_of(book), asked, measure, bool(funding)))


@register("CM_DIFF", category=STRESS, example='=CM_DIFF(BookOld,Book,"MM")')
def book_difference(
    book_old: BookArgument,
    book_new: BookArgument,
    *,
    measure: Text = "MM",
    group_by: Text = "driver",
    options: Options | None = None,
) -> TableResult:
    """What changed from one book to the other, by driver; the rows sum to the change exactly.

    Each driver is the change from one mixed book to the next: parameters (the older tables under
    the newer rulebooks); from there time, prices and vol, each alone; then, in the newer market,
    trades, collateral and orders. `cross` is what time, prices and vol make together.

    Parameters
    ----------
    book_old
        The older book.
    book_new
        The newer book.
    measure
        MM, IM, equity, usage or excess.
    group_by
        driver or position.
    options
        venues=any compares accounts that changed their venue.

    Returns
    -------
    Table
        driver, change, share, note, and TOTAL; money in the reporting currency.

    Raises
    ------
    NotCoveredError
        If an account is at another venue, or reports in another currency.

    References
    ----------
    Sequential replacement of one driver at a time, both books measured by their rulebooks; what
    drivers make together stands in its own row.
    """
    older, newer = book_of(book_old), book_of(book_new)
    return rows_of(_core.difference(older, newer, measure, group_by, pairs_of(options)))
