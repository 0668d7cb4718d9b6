"""How risk factors move together: correlations, betas, volatilities, stresses.

Standard library and the compiled core only.
"""

from __future__ import annotations

from crossmargin import _core, explain
from crossmargin._answers import history_of, pairs_of, rows_of
from crossmargin._types import Cell, Options, TableResult, Text
from crossmargin.errors import UnknownWordError
from crossmargin.registry import register

__all__ = ["correlations"]


@register("CM_CORREL", category="Margin", example='=CM_CORREL(Book,"change")')
def correlations(
    target: Cell, *, view: Text = "matrix", options: Options | None = None
) -> TableResult:
    """Correlations of risk factors, their change, betas, volatilities, stresses and repairs.

    Moves are logarithms of ratios of the history's bars (of a basis differences); a book without
    a history is answered from the volatilities and correlations typed on its Market sheet.

    Parameters
    ----------
    target
        The key of a book, whose risk factors count, or of a history, of which every series does.
    view
        matrix; change (fast against slow, Fisher's z, an alert beyond 3); beta (to a driver, of
        falls alone, Blume's, R2, and of the whole book in money); volatility; stress (correlations
        towards one, towards zero, hedges broken, with VaR and ES of each); repair (a typed matrix
        that no coins can have beside the nearest one that can be).
    options
        decay=0.94, method=ewma (sample, ledoit_wolf, market), window (moves that count; left out:
        all), fast=0.94, slow=0.99, driver=BTC, quantile=0.1 (falls of the driver that count as
        such), share=0.5 (how far stressed correlations are moved).

    Returns
    -------
    Table
        One row per factor or pair; for stress per pool and case, money in the reporting currency,
        losses positive, the worst case named.

    Raises
    ------
    MissingError
        If a series, a volatility, a pair or enough moves are not known; it is named.
    OutOfRangeError
        If an option or a typed correlation is outside its range.
    NoAnswerError
        If a series never moves.

    References
    ----------
    EWMA: RiskMetrics 1996; shrinkage: Ledoit and Wolf 2004; nearest correlation matrix: Higham
    2002; betas: Blume 1971; change: Fisher's z 1921.
    """
    pairs = pairs_of(options)
    book, given = explain.target(target)
    if book is not None:
        return rows_of(_core.book_correlations(book, view, pairs))
    if given is None or isinstance(given, bool | int | float):
        raise UnknownWordError(
            f"target must be a book, a history or the key of one, was {given!r:.80}"
        )
    return rows_of(_core.history_correlations(history_of(given), view, pairs))
