"""Sheet functions of backtests and calibration; standard library and the core only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossmargin import _core
from crossmargin._answers import book_of, history_of, pairs_of, rows_of
from crossmargin._types import BookArgument, Options, Progress, TableResult, Text
from crossmargin.registry import register

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["backtest", "calibration", "spliced_history"]

RISK = "Risk"


@register("CM_BACKTEST", category=RISK, example='=CM_BACKTEST(Book,"all")')
def backtest(
    book: BookArgument,
    *,
    measure: Text = "all",
    options: Options | None = None,
    progress: Progress | None = None,
) -> TableResult:
    """Backtest of a margin on history: tests, regulatory floors, exceedances or the daily series.

    The book is held constant: today's money in each risk factor, moved by the relative moves of
    the past. A day's margin is made of the bars before it, its loss of the margin period after it.
    Under a rulebook without a tail the margin is today's on every day, and what is tested is how
    it covers the losses of the history. Floors are reference, not legal advice.

    Parameters
    ----------
    book
        The book, with a history (option history of CM_BOOK).
    measure
        all, margin (the requirement), ES or VaR (of the tail alone).
    options
        view=tests, exceedances or series; level=maintenance or initial; coverage=0.99, what the
        margin is held to; horizon_days, the margin period; first and last, dates of the losses;
        keys of the tail such as window=250; method=historical; proxy=BTC.
    progress
        Called with the days done and expected; what it raises stops the backtest.

    Returns
    -------
    Table
        scope, test, statistic, p_value, verdict, expected, observed, note; for exceedances scope,
        date, margin, loss, excess, driver_1, result_1, driver_2, result_2, driver_3, result_3,
        others; for series scope, date, margin, loss, exceeded, known: the day on which the loss
        ended and the day on which the margin was known. Money in the reporting currency, losses
        positive, results with their sign.

    Raises
    ------
    MissingError
        If the book has no history, or it is too short for the rulebook's window.
    NoAnswerError
        If no day is left to test, or a series never moves.

    References
    ----------
    Kupiec 1995; Christoffersen 1998; Acerbi and Szekely 2014; Clopper and Pearson 1934 (exact
    intervals); Murphy, Vasios and Vause 2014 (procyclicality); EMIR 153/2013, Article 28
    (floors, for reference).
    """
    answer = _core.backtest(book_of(book), measure, pairs_of(options), progress)
    return rows_of(answer)


@register("CM_CALIBRATE", category=RISK, example='=CM_CALIBRATE(Book,"tail")')
def calibration(
    book: BookArgument,
    *,
    what: Text = "tail",
    options: Options | None = None,
    progress: Progress | None = None,
) -> TableResult:
    """Calibration of a margin: parameters, or shocks of coins, that cover at the least cost.

    Every combination of the values given is a backtest. Best is the smallest average margin +
    shortfall_weight x mean loss beyond it + rise_weight x largest rise over five days, of those
    whose coverage is what it must be with 95 % confidence. The choice is tested walking forward:
    before each fold on the days whose losses had ended, then on the days of the fold alone.

    Parameters
    ----------
    book
        The book, with a history (option history of CM_BOOK).
    what
        tail (keys of the account's rulebook) or scan (the relative move of each coin that a scan
        should cover, up or down alike).
    options
        Keys of the tail with the values to try, such as decay=0.94,0.97; window=250,500;
        coverage=0.99; shortfall_weight=100; rise_weight=1; horizon_days; level=initial;
        folds=2020-03,2022-11, when folds begin; view=points or folds.
    progress
        Called with the days done and expected; what it raises stops the calibration.

    Returns
    -------
    Table
        rank, scope, name, parameters, days, exceeded, coverage, coverage_low, average, cost (the
        mean loss beyond the margin), peak_to_trough, rise_5d, objective, covers, on_frontier (none
        covers as much with as small an average and peak to trough), now (the margin or shock of
        today); for folds scope, fold, last, fit_days, parameters, days, exceeded, coverage,
        average, cost, largest_excess, rise_5d, note. Money in the reporting currency; for scan
        relative moves.

    Raises
    ------
    NotCoveredError
        If the parameters of a tail are asked for and the rulebook has none.
    NoAnswerError
        If no day is left to test.

    References
    ----------
    Backtests as in CM_BACKTEST; walking forward over folds; the objective is crossmargin's own,
    its weights are options.
    """
    return rows_of(_core.calibrate(book_of(book), what, pairs_of(options), progress))


def spliced_history(sources: Sequence[object]) -> _core.History:
    """Return one history of several sources, the older ones scaled to the newer ones.

    An older source is scaled, series by series, to the newer one on the first date that both have,
    so that the step between their levels is no move. From that date on the newer one counts.

    Parameters
    ----------
    sources
        Histories or tables of prices, the oldest source first.

    Returns
    -------
    History
        What `crossmargin.book` takes as the option history.

    Raises
    ------
    MissingError
        If a series of two sources has no date in common.
    """
    return _core.splice_histories([history_of(source) for source in sources])
