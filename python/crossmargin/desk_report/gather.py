"""What page 1 says: results of the sheet functions, gathered and not calculated again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from crossmargin import functions
from crossmargin.account_functions import account_ranking
from crossmargin.action_functions import cure
from crossmargin.cells import CellContent
from crossmargin.errors import MissingError, NoAnswerError, NotCoveredError
from crossmargin.limit_functions import limits as limits_of
from crossmargin.map_functions import liquidation_map
from crossmargin.table import Table, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crossmargin._core import Book

__all__ = ["Asked", "PageOne", "gather"]

Record = dict[str, Value]

MOST_ACCOUNTS: Final = 12
MOST_ROWS: Final = 5
MOST_FINDINGS: Final = 4
STATUSES: Final = ("ok", "watch", "call", "restricted", "liquidatable", "bankrupt")
_RANKED: Final = 500.0  # triggers are sought for so many accounts; the rest has more to spare
_MOVES: Final = (-0.5, -0.4, -0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
_LIMIT_ORDER: Final = ("suspended", "restricted", "call", "watch")
_FAVOURITES: Final = ("BTC", "ETH")
_NO_ANSWER: Final = (MissingError, NoAnswerError, NotCoveredError)
"""What leaves its reason on the page; a wrong word or table is refused instead."""


@dataclass(frozen=True)
class Asked:
    """What the reader of a report chose.

    Parameters
    ----------
    target
        What the actions shall reach, as for :func:`crossmargin.cure`.
    axes
        The two axes of the map, as for :func:`crossmargin.liquidation_map`; empty: the two coins
        of the largest holdings, BTC and ETH before others.
    watch, call
        The bands of usage, fractions of the trigger.
    """

    target: str = "excess_im=0"
    axes: tuple[str, ...] = ()
    watch: float = 0.5
    call: float = 0.7


@dataclass(frozen=True)
class PageOne:
    """The results that page 1 shows; tables keep the headers of the functions that made them.

    Parameters
    ----------
    key
        The key of the book.
    ranking
        CM_ACCOUNTS, the account with least above its trigger first.
    summaries
        CM_SUMMARY by account.
    currencies
        The reporting currency of each account.
    before
        CM_ACCOUNTS of the earlier book by account; None if none was given.
    steps
        CM_LIQORDER of the first account until it is healthy, or why there is none.
    grid
        CM_LIQMAP of usage, or why there is none.
    axes
        The axes of the map.
    limits
        CM_LIMITS, what is not ok first, worst first, or why there is none.
    actions
        CM_CURE, or why there is none.
    findings
        CM_CHECK without what is in order.
    stamp
        CM_WHY about the stamp.
    asked
        What the reader chose.
    """

    key: str
    ranking: list[Record]
    summaries: dict[str, Record]
    currencies: dict[str, str]
    before: dict[str, Record] | None
    steps: list[Record] | str
    grid: Table | str
    axes: tuple[str, ...]
    limits: list[Record] | str
    actions: list[Record] | str
    findings: list[Record]
    stamp: list[Record]
    asked: Asked = field(default_factory=Asked)

    @property
    def first(self) -> Record:
        """Return the account that has least above its trigger."""
        return self.ranking[0]


def gather(
    book: Book,
    *,
    previous: Book | None = None,
    limits: object = None,
    limit_options: Mapping[str, object] | None = None,
    asked: Asked | None = None,
) -> PageOne:
    """Ask every function of page 1; a function without an answer leaves its reason.

    Parameters
    ----------
    book
        The book.
    previous
        An earlier book, for what usage was then.
    limits
        A limits table; left out, the limits of the standard risk profile.
    limit_options
        Single parameters of the profile.
    asked
        What the reader chose.
    """
    wanted = asked or Asked()
    ranking = list(account_ranking(book, top=_RANKED).records())
    axes = wanted.axes or _largest(book)
    return PageOne(
        key=book.key,
        ranking=ranking,
        summaries=_by(functions.summary(book, group_by="account"), "scope"),
        currencies=dict(zip(book.accounts, book.report_currencies, strict=False)),
        before=None if previous is None else _by(account_ranking(previous, top=_RANKED), "account"),
        steps=_steps(book, str(ranking[0]["account"])),
        grid=_grid(book, axes),
        axes=axes,
        limits=_limits(book, limits, limit_options),
        actions=_actions(book, wanted.target),
        findings=[
            row
            for row in functions.check(CellContent(book)).records()
            if str(row["severity"]) != "OK"
        ],
        stamp=list(_table(functions.why(book, topic="stamp")).records()),
        asked=wanted,
    )


def _by(table: Table, name: str) -> dict[str, Record]:
    return {str(row[name]): row for row in table.records()}


def _table(answer: object) -> Table:
    if not isinstance(answer, Table):
        raise TypeError(f"a table was expected, was {answer!r}")
    return answer


def _steps(book: Book, account: str) -> list[Record] | str:
    try:
        order = functions.liquidation_order(book, options={"until": "healthy"})
    except _NO_ANSWER as refusal:
        return str(refusal)
    return [row for row in order.records() if row["account"] == account]


def _largest(book: Book) -> tuple[str, ...]:
    """Return the two coins of the map: favourites that are held, then by gross holdings."""
    try:
        rows = list(functions.exposure(book).records())
    except _NO_ANSWER:  # accounts of several currencies have no total
        prices = _table(functions.liquidation_price(book)).records()
        rows = [{"group": row["underlying"], "gross": None} for row in prices]
    held = {str(row["group"]): row["gross"] for row in rows if row["group"] != "TOTAL"}

    def rank(name: str) -> tuple[bool, float]:
        gross = held[name]
        return name not in _FAVOURITES, -gross if isinstance(gross, float) else 0.0

    return tuple(sorted(held, key=rank)[:2])


def _grid(book: Book, axes: Sequence[str]) -> Table | str:
    if not axes:
        return "no coin moves anything: there is nothing to draw"
    x, y = axes[0], axes[-1]
    try:
        return liquidation_map(
            book, x, y, x_moves=list(_MOVES), y_moves=list(_MOVES[::-1]) if x != y else [0.0]
        )
    except _NO_ANSWER as refusal:
        return str(refusal)


def _limits(book: Book, limits: object, options: Mapping[str, object] | None) -> list[Record] | str:
    try:
        rows = list(limits_of(book, limits=limits, options=options).records())
    except _NO_ANSWER as refusal:
        return str(refusal)
    return sorted(rows, key=_urgency)


def _urgency(row: Mapping[str, Value]) -> tuple[int, float]:
    status, used = str(row["status"]), row["use_pct"]
    place = _LIMIT_ORDER.index(status) if status in _LIMIT_ORDER else len(_LIMIT_ORDER)
    return place, -used if isinstance(used, float) else 0.0


def _actions(book: Book, target: str) -> list[Record] | str:
    try:
        return list(cure(book, target=target, max_rows=float(MOST_ROWS)).records())
    except _NO_ANSWER as refusal:
        return str(refusal)
