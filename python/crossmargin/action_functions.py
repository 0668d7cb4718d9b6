"""What-if, impact, cure, withdrawal and schedule as sheet functions.

Standard library and the compiled core only.
"""

from __future__ import annotations

from collections.abc import Sequence

from crossmargin import _core
from crossmargin._answers import book_of, pairs_of, rows_of
from crossmargin._types import (
    Block,
    BookArgument,
    CellResult,
    ListOf,
    Number,
    Options,
    TableResult,
    Text,
)
from crossmargin.cells import because
from crossmargin.errors import NoAnswerError, UnknownWordError
from crossmargin.frames import as_table
from crossmargin.registry import register

__all__ = ["cure", "impact", "reduction_schedule", "what_if", "withdrawable"]

ACTIONS = "Actions"


@register("CM_WHATIF", category=ACTIONS, example='=CM_WHATIF(Book,Trades[#All],"table")')
def what_if(book: BookArgument, trades: Block, *, measure: Text = "table") -> CellResult:
    """Before, after and change for a list of trades: the whole account is measured again.

    Trades are dealt at their price, else at the mark, without fees; what is closed is realised,
    premiums are paid. Several trades of one symbol follow each other. A contract that is not held
    is booked from the Market sheet by the rules of the positions table; one without a price is
    refused.

    Parameters
    ----------
    book
        The book.
    trades
        Rows of symbol, qty (signed; coins, USD for inverse contracts), price and account, with or
        without a header; price and account may be left out.
    measure
        table, every figure and component; all, with the nearest trigger and what is liquidated
        first under every rulebook; MM, IM, usage, excess, excess_im, equity or nearest: that
        figure of the whole book after the trades, of usage, excess and nearest the worst account.

    Returns
    -------
    float or Table
        measure, before, after, change, note; money in the reporting currency. Components are named
        by level, coin and branch; positions that do not change are left out.

    Raises
    ------
    MissingError
        If a contract is neither held nor can be priced.
    UnknownWordError
        For a measure or an account that is not known.

    References
    ----------
    Two measurements of the whole account by its rulebook; nothing is approximated.
    """
    held, rows = book_of(book), _rows(trades)
    if measure.strip().lower() in {"", "table", "all"}:
        return rows_of(_core.what_if(held, rows, measure))
    try:
        return _core.what_if_number(held, rows, measure)
    except NoAnswerError as refusal:
        return because(str(refusal))


@register("CM_IMPACT", category=ACTIONS, example='=CM_IMPACT(Book,"BTC;ETH","-1;1","MM")')
def impact(
    book: BookArgument,
    *,
    instruments: ListOf[str] | None = None,
    sizes: ListOf[float] | None = None,
    measure: Text = "MM",
) -> TableResult:
    """Change of a figure for standard trades, contract by contract; below zero frees margin.

    Each cell is a what-if of its own: the account is measured again with that one trade, dealt at
    the mark without fees.

    Parameters
    ----------
    book
        The book.
    instruments
        Symbols; left out: perpetuals of coins held, also those that the Market sheet lists, else
        everything that is held. top:20 stands for those on the 20 coins with the largest notional.
    sizes
        Signed quantities, coins (USD for inverse contracts); left out: -10, -1, 1, 10.
    measure
        MM, IM, usage, excess, excess_im, equity or nearest.

    Returns
    -------
    Table
        symbol, account, then a column per size.

    References
    ----------
    Differences of two measurements by the rulebook; no formula beside it.
    """
    symbols = [str(name) for name in instruments or ()]
    numbers = [float(size) for size in sizes or ()]
    return rows_of(_core.impact(book_of(book), symbols, numbers, measure))


@register("CM_CURE", category=ACTIONS, example='=CM_CURE(Book,"usage=0.7","close;deposit")')
def cure(
    book: BookArgument,
    *,
    target: Text = "usage=0.7",
    allowed: Text = "close;hedge;deposit;cancel;convert",
    max_rows: Number = 10.0,
    options: Options | None = None,
) -> TableResult:
    """Smallest and cheapest actions that bring an account to a target; each row is measured.

    Single actions, as much of each as is needed in whole lots; plans of several, chosen greedily
    with a new ranking at every step, from a linear programme, and for at most twelve whole lots
    exactly. Rows of one plan share their rank. The comment gives the figures before and after, one
    step less, and how far a reduction is above the lower bound of the linear programme, or why
    there is none. Beside the cheapest plan stands a shorter one that costs at most a tenth more.
    Where nothing reaches the target the nearest row comes first and says what is missing; where
    nothing is needed, can be done or brings the account nearer, one row of action none says so.

    Parameters
    ----------
    book
        The book; of several accounts the one that lacks most, or the option account.
    target
        usage=0.7, excess=10000 (or the amount alone), excess_im=0, MM or IM.
    allowed
        close, hedge (perpetuals and futures of coins held, also those that the Market sheet lists),
        deposit, cancel (orders), convert (collateral into the currency of settlement).
    max_rows
        Rows at most.
    options
        fee and slippage, fractions, or slippage=depth by volume, volatility and half spread of the
        Market sheet, where all that is dealt in a coin moves its market together; account; hedge,
        symbols to hedge with.

    Returns
    -------
    Table
        rank, action, symbol, side, qty, cost, mm_after, usage_after, delta_after, comment. qty is
        in coins (USD for inverse contracts) or coins of the currency; delta_after is the money that
        a relative move of all coins by 1 would bring to the positions.

    Raises
    ------
    OutOfRangeError
        For a target that is not above 0 and at most 1.
    UnknownWordError
        For a target, an action, an option or an account that is not known.

    References
    ----------
    Greedy with a new ranking at every step; lower bound by cutting planes on a linear programme
    (Kelley 1960; fractions: Dantzig 1957); each row proved by measuring the account again.
    """
    pairs = pairs_of(options)
    return rows_of(_core.cure(book_of(book), target, allowed, float(max_rows), pairs))


@register("CM_MAXWITHDRAW", category=ACTIONS, example='=CM_MAXWITHDRAW(Book,"USDC")')
def withdrawable(
    book: BookArgument, coin: Text, *, scope: Text = "", layout: Text = "number"
) -> CellResult:
    """Most of a currency that can leave with the initial margin still covered.

    The account is measured again without it, collateral rates, slices, caps, scenarios and open
    orders included; one step more is not covered, or there is no more. Nothing is borrowed to be
    withdrawn.

    Parameters
    ----------
    book
        The book.
    coin
        Code of the currency, such as USDC.
    scope
        An account; needed where several accounts hold the currency.
    layout
        number, or table with the account on both sides of the amount.

    Returns
    -------
    float or Table
        Coins; 0 where the initial margin is not covered to begin with.

    References
    ----------
    Search over amounts by measuring the account again at the initial level of the rulebook.
    """
    if layout not in {"number", "table"}:
        raise UnknownWordError(f"unknown layout '{layout}'; known: number, table")
    if layout == "table":
        return rows_of(_core.withdrawable_table(book_of(book), coin, scope))
    try:
        return _core.withdrawable(book_of(book), coin, scope)
    except NoAnswerError as refusal:
        return because(str(refusal))


@register("CM_SCHEDULE", category=ACTIONS, example="=CM_SCHEDULE(500,2,60000,0.03,20000,0.0001)")
def reduction_schedule(
    quantity: Number,
    days: Number,
    *,
    price: Number,
    daily_volatility: Number,
    daily_volume: Number,
    half_spread: Number,
    options: Options | None = None,
) -> TableResult:
    """Reduction spread over time: the schedule of Almgren and Chriss, an even one, and at once.

    Impact is calibrated as in their paper: one spread per hundredth of a day's volume while it is
    traded, one per tenth for good.

    Parameters
    ----------
    quantity
        Coins to buy or sell.
    days
        Days in which it must be done.
    price
        Price of one coin.
    daily_volatility
        Of one day, a fraction.
    daily_volume
        Coins traded in a day.
    half_spread
        Half of bid to offer, a fraction of the price.
    options
        periods (8): trades, evenly spaced; risk_aversion (1e-6): what one unit of variance is
        worth, 1 / money.

    Returns
    -------
    Table
        item, optimal, even, at_once, unit: expected cost, its deviation, their sum as risk aversion
        weighs it, half life in days, and the coins to trade in each period.

    Raises
    ------
    OutOfRangeError
        For a number outside its range, or periods so long that permanent impact outweighs the
        temporary one.

    References
    ----------
    Almgren and Chriss 2000, Optimal execution of portfolio transactions, Journal of Risk 3;
    impact calibrated as in its section 3.4.
    """
    market = (price, daily_volatility, daily_volume, half_spread)
    return rows_of(_core.schedule_table(quantity, days, *market, pairs_of(options)))


def _rows(trades: object) -> object:
    """Return trades as a table; one row of cells alone is a row, not a header."""
    if isinstance(trades, Sequence) and not isinstance(trades, str):
        rows = [list(row) if isinstance(row, Sequence) and not isinstance(row, str) else None
                for row in trades]  # fmt: skip
        if all(row is not None for row in rows):
            return rows
    return as_table(trades)
