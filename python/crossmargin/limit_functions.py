"""Limits, dynamic leverage, sizes and the probability of liquidation as sheet functions.

Standard library and the compiled core only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crossmargin import _core
from crossmargin._answers import book_of, pairs_of, rows_of
from crossmargin._types import (
    Block,
    BlockOrText,
    BookArgument,
    CellResult,
    Number,
    Options,
    TableResult,
    Text,
)
from crossmargin.cells import because
from crossmargin.errors import NoAnswerError, UnknownWordError
from crossmargin.frames import as_table
from crossmargin.registry import register

__all__ = ["largest_size", "leverage_caps", "limits", "liquidation_probability"]

LIMITS = "Limits"


@register("CM_LIMITS", category=LIMITS, example='=CM_LIMITS(Book,Limits[#All],,"paths=1000")')
def limits(
    book: BookArgument,
    *,
    limits: Block | None = None,
    profile: BlockOrText | None = None,
    options: Options | None = None,
) -> TableResult:
    """Limits compared with the book: status, money to be inside, and the rule in one sentence.

    Below 0.5 of a limit the status is ok, then watch, from 0.7 call, above the limit restricted,
    above the hard limit suspended; where `warn` is given, watch begins there and call not before.
    A limit that cannot be compared keeps its row with the status error and the reason.

    Parameters
    ----------
    book
        The book.
    limits
        Columns limit_id, metric, limit, and scope, warn, hard, unit, owner, approver, reason,
        effective, expires, action, since; left out: the limits of the risk profile. Metrics:
        leverage, usage, excess, excess_im, im, mm, gross, net, delta, concentration, herfindahl,
        es, var, volatility, depth, days, liquidation_probability, nearest, sigmas, leverage_cap.
        Scope: an account, a coin, a symbol, each account, each underlying. Unit equity makes
        money a share of the equity.
    profile
        conservative, standard (the default) or aggressive, or rows key, value that change one.
    options
        Single parameters of the profile: confidence, horizon_days, close_out_days, loss_budget,
        liquidation_days, depth_share, depth_move, participation, paths, steps, seed, volatility
        (either, market, history); or of the tail, such as scenarios=historical.

    Returns
    -------
    Table
        limit_id, scope, metric, value, warn, limit, use_pct, status, money, rule, since, owner,
        action; money is above zero where something must be reduced or deposited.

    Raises
    ------
    TableError
        If the table lacks a column.
    UnknownWordError
        For a profile or an option that is not known.

    References
    ----------
    A comparison; each metric by the function of its name. The numbers of the risk profile are
    choices.
    """
    table = as_table(limits)
    return rows_of(_core.limits(book_of(book), table, _parameters(profile, options)))


@register("CM_LEVERAGE", category=LIMITS, example="=CM_LEVERAGE(Book)")
def leverage_caps(
    book: BookArgument,
    *,
    scope: Text = "all",
    profile: BlockOrText | None = None,
    options: Options | None = None,
) -> TableResult:
    """Dynamic leverage cap of each underlying: every term in its row, the binding one marked.

    The cap is the smallest of the bracket's, 1 / (margin by volatility + margin by liquidity), the
    value-at-risk budget, the depth of the market, and the largest leverage with the probability of
    liquidation allowed.

    Parameters
    ----------
    book
        The book.
    scope
        all, an account, a coin or a symbol.
    profile
        As in CM_LIMITS.
    options
        As in CM_LIMITS.

    Returns
    -------
    Table
        scope, underlying, term, leverage_cap (times equity), binding, leverage, largest_notional,
        rule.

    References
    ----------
    Smallest of five caps: the rulebook's bracket, volatility and the square-root law of impact,
    the value at risk of a normal loss, depth, and first passage as in CM_LIQPROB. The numbers are
    those of the risk profile and are choices.
    """
    parameters = _parameters(profile, options)
    return rows_of(_core.leverage_caps(book_of(book), scope, parameters))


@register("CM_MAXSIZE", category=LIMITS, example='=CM_MAXSIZE(Book,"BTC","buy","usage=0.7")')
def largest_size(
    book: BookArgument,
    symbol: Text,
    *,
    side: Text = "buy",
    limit: BlockOrText = "IM",
    layout: Text = "number",
    profile: BlockOrText | None = None,
    options: Options | None = None,
) -> CellResult:
    """Largest signed quantity that can be traded before a limit.

    The whole account is measured again at each size tried, dealt at the mark without fees; the
    answer is inside the limit, and one lot more is outside. A contract that is not held needs its
    price on the Market sheet.

    Parameters
    ----------
    book
        The book.
    symbol
        The contract.
    side
        buy or sell.
    limit
        IM, MM, usage=0.7, leverage=3, ES=50000, VaR=5% (of the equity), volatility=0.4,
        nearest>=0.15 and so on with the metrics of CM_LIMITS; VaR, ES, volatility or
        liquidation_probability alone take the profile's budget; or a limits table, all of whose
        rows hold.
    layout
        number, or table with the limit before, at and beyond the size and the reason.
    profile
        As in CM_LIMITS.
    options
        account, lot; for a contract that is not held price, leverage, mmr, imr, markIv, forward;
        and the options of CM_LIMITS.

    Returns
    -------
    float or Table
        Coins (USD for inverse contracts), below zero for a sale; no answer if no size reaches it.

    Raises
    ------
    OutOfRangeError
        If the limit is broken before anything is traded; the sentence says what would help.

    References
    ----------
    Search over sizes by measuring the account again; metrics as in CM_LIMITS.
    """
    if layout not in {"number", "table"}:
        raise UnknownWordError(f"unknown layout '{layout}'; known: number, table")
    words, table = (limit, None) if isinstance(limit, str) else ("", as_table(limit))
    parameters = _parameters(profile, options)
    held = book_of(book)
    if layout == "table":
        return rows_of(_core.largest_size_table(held, symbol, side, words, table, parameters))
    try:
        return _core.largest_size(held, symbol, side, words, table, parameters)
    except NoAnswerError as refusal:
        return because(str(refusal))


@register("CM_LIQPROB", category=LIMITS, example="=CM_LIQPROB(Book,1)")
def liquidation_probability(
    book: BookArgument,
    *,
    horizon_days: Number = 1.0,
    scope: Text = "all",
    profile: BlockOrText | None = None,
    options: Options | None = None,
) -> TableResult:
    """Probability that each account is liquidated within some days: first passage, by simulation.

    The maintenance margin is measured on every path; what happens between two steps is corrected
    by a Brownian bridge. Prices follow geometric Brownian motions without jumps or clusters of
    volatility: take it as optimistic.

    Parameters
    ----------
    book
        The book; its Market sheet gives daily volatilities and correlations, or it has a history.
    horizon_days
        Days, above zero.
    scope
        all, an account, or each account.
    profile
        As in CM_LIMITS.
    options
        paths (10000; 2000 under a rulebook of value at risk or expected shortfall), steps (24; 12
        there), seed (0), volatility (either, market, history).

    Returns
    -------
    Table
        scope, horizon_days, probability, standard_error, terminal (at the end of the horizon),
        terminal_error, closed_form (the barrier formula, where one coin and one price liquidate),
        paths, steps, evaluations, source, method.

    References
    ----------
    First passage of geometric Brownian motions by simulation; between two steps at distances d0
    and d1 in standard deviations a Brownian bridge, exp(-2 d0 d1 / dt); for one coin the barrier
    formula N((b - m T) / (s root T)) + exp(2 m b / s^2) N((b + m T) / (s root T)).
    """
    parameters = _parameters(profile, options)
    parameters.append(("liquidation_days", repr(float(horizon_days))))
    return rows_of(_core.liquidation_probability(book_of(book), scope, parameters))


def _parameters(profile: object, options: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """Return a profile and options as pairs; of two with one key the later one holds."""
    if profile is None or isinstance(profile, str):
        named = [("profile", profile)] if profile else []
    elif isinstance(profile, Mapping):
        named = pairs_of({str(key): value for key, value in profile.items()})
    else:
        named = _of_rows(as_table(profile))
    return [*named, *pairs_of(options)]


def _of_rows(table: object) -> list[tuple[str, str]]:
    """Return rows of key and value as pairs, with or without a header."""
    if isinstance(table, Mapping):
        columns = {str(name).strip().lower(): values for name, values in table.items()}
        rows: list[Sequence[object]] = [
            *zip(columns.get("key", ()), columns.get("value", ()), strict=False)
        ]
    else:
        rows = list(table) if isinstance(table, Sequence) else []
    filled = [[cell for cell in row if cell is not None and str(cell).strip()] for row in rows]
    filled = [row for row in filled if row]
    for row in filled:
        if len(row) == 1 and len(filled) > 1:
            raise UnknownWordError(f"a row of a profile needs a key and a value, was {row[0]!r}")
    if len(filled) == 1 and len(filled[0]) == 1:
        return [("profile", str(filled[0][0]).strip())]
    pairs = [(str(row[0]).strip(), str(row[1]).strip()) for row in filled]
    return [pair for pair in pairs if pair != ("key", "value")]
