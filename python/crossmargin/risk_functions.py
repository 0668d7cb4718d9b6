"""Sheet functions of the tail and of risk contributions; standard library and the core only."""

from __future__ import annotations

from crossmargin._answers import book_of, pairs_of, rows_of
from crossmargin._progress import listener
from crossmargin._types import BookArgument, Number, Options, TableResult, Text
from crossmargin.registry import register

__all__ = ["risk_contributions", "tail_measures"]

RISK = "Risk"


@register("CM_CONTRIB", category=RISK, example='=CM_CONTRIB(Book,"MM","position")')
def risk_contributions(
    book: BookArgument,
    *,
    measure: Text = "MM",
    group_by: Text = "position",
    options: Options | None = None,
) -> TableResult:
    """Risk contributions: how much of a margin each part bears, with the orders they give.

    `component` is Euler's share (Aumann-Shapley's along the ray where the measure is not
    homogeneous) and sums to the measure; `marginal` is the derivative by notional; `incremental`
    is what the measure loses when the part is closed; `standalone` what the part needs by itself.
    Charges, credits, loans and balances have rows of their own, and what stands whatever is held
    is not attributable. The orders of the definitions differ and stand side by side.

    Parameters
    ----------
    book
        The book.
    measure
        MM, the maintenance margin; ES or VaR, of the tail alone, whatever the margin is made of.
    group_by
        position, underlying, account or strategy.
    options
        For ES and VaR: keys of the tail, such as confidence=0.975; method=historical; window=250.

    Returns
    -------
    Table
        symbol, account, quantity, notional, standalone, component, marginal, incremental, share,
        pnl_in_worst, room_to_tier, rank_component, rank_marginal, rank_incremental, rank_notional,
        note, and a TOTAL row; money in the reporting currency.

    References
    ----------
    Tasche 1999 (component); Aumann and Shapley 1974 (along the ray).
    """
    return rows_of(book_of(book).contributions(measure, group_by, pairs_of(options)))


@register("CM_TAIL", category=RISK, example='=CM_TAIL(Book,"all",0.99)')
def tail_measures(
    book: BookArgument,
    *,
    measure: Text = "all",
    confidence: Number | None = None,
    horizon_days: Number | None = None,
    method: Text | None = None,
    options: Options | None = None,
) -> TableResult:
    """Value at risk and expected shortfall with their intervals, or the largest losses by date.

    What is left out is as the account's rulebook says; under a rulebook that is not measured by a
    tail as the rulebook es says. Value at risk is the lower empirical quantile, expected shortfall
    has a fractional weight at it (Acerbi and Tasche 2002); the interval of value at risk is by
    order statistics, that of expected shortfall by its asymptotic standard error.

    Parameters
    ----------
    book
        The book; scenarios from a history need one (option history of CM_BOOK).
    measure
        all, ES, VaR, or losses: the ten largest losses, each with what lost most in it.
    confidence
        Such as 0.99: the probability that the loss is no larger.
    horizon_days
        Days over which the loss is made.
    method
        historical, filtered, age_weighted or simulated; all, one after the other.
    options
        Other keys of the tail, such as window=250; decay=0.94; seed=7; law=student_t.

    Returns
    -------
    Table
        scope, measure, method, confidence, horizon_days, scenarios, effective, value, low, high,
        standard_error, note; for losses scope, rank, scenario, loss, weight, driver_1, result_1,
        driver_2, result_2, driver_3, result_3, others. Money in the reporting currency, losses
        positive, results with their sign.

    References
    ----------
    Acerbi and Tasche 2002 (expected shortfall); Hull and White 1998 (filtered); Boudoukh,
    Richardson and Whitelaw 1998 (age-weighted).
    """
    return rows_of(
        book_of(book).tail(measure, confidence, horizon_days, method, pairs_of(options), listener())
    )
