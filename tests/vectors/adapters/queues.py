"""What is lost beyond the margin: the insurance fund pays, then the winners in their queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.losses import liquidated
from tests.vectors.adapters.tables import cash, position, side_of, table, together
from tests.vectors.adapters.units import BASIS_POINT_UNIT, LOSS_UNIT
from tests.vectors.adapters.zones import ends
from tests.vectors.view import Adapter, NotApplicableError, Shape, lacks, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.vectors.facade import Facade, Row
    from tests.vectors.view import Answer, CaseView, Fields

COIN: Final = "COIN"
HELD = Shape(required=spelled("id", "qty", "entry", "equity"))

# Rankings of a case and the forms that rank by the same.
FORMS: Final[Mapping[str, str]] = {"pnl_ratio": "pnl_ratio", "size": "size"}
OWN_FORMS: Final = (
    "DIFFERENCE: the case ranks by profit x notional / equity under the name {!r}; the venue "
    "publishes another ranking, which the form of that name follows"
)


def _single(facade: Facade, held: Mapping[str, Any], mark: float) -> object:
    """Return an account with one position and its equity as cash."""
    row = position(COIN, held["qty"], mark=mark, entry=held["entry"], maintenanceMarginRate=1.0)
    return facade.book(table([row]), rulebooks.rates(), collateral=cash(held["equity"]))


def _nobody(facade: Facade) -> object:
    """Return a book that holds nothing."""
    row = position(COIN, 0.0, mark=1.0, maintenanceMarginRate=0.0)
    return facade.book(table([row]), rulebooks.rates())


class Loss:
    """A loss beyond the margin and who pays it."""

    def __init__(self, facade: Facade, held: Mapping[str, Any], mark: float, slip: float) -> None:
        self.facade = facade
        self.book = _single(facade, held, mark)
        options = {"slippage": slip}
        closing = facade.liquidation_order(
            self.book, scenario="now", options={"policy": "all_at_once", **options}
        ).records()
        compared = facade.liquidation_policies(
            self.book, scenario="now", policies="all_at_once", options=options
        ).records()
        self.money: float = compared[0]["shortfall"]
        # those who are on the other side have won
        self.side = "short" if closing[0]["side"] == "sell" else "long"
        (self.price,) = ends(facade, self.book, COIN, which="bankrupt")

    def shared(self, winners: Sequence[Row], *, form: str, fund: float) -> list[dict[str, Any]]:
        """Return the table of who gives up how much of the loss."""
        return self.facade.deleveraging(
            _nobody(self.facade),
            candidates=winners,
            deficit=self.money,
            form=form,
            options={
                "unit": "loss",
                "bankruptcy": self.price,
                "fund": fund,
                "side": self.side,
                "own": "no",
            },
        ).records()


def _candidates(held: Sequence[Mapping[str, Any]], mark: float) -> list[Row]:
    return [
        {
            "account": f"{own['id']}",
            "qty": own["qty"],
            "entry": own["entry"],
            "mark": mark,
            "equity": own["equity"],
        }
        for own in held
    ]


def after_fund(facade: Facade, fund: float, loss: float, *, drained: bool) -> float:
    """Return what a loss leaves of a fund; nothing where others have had to pay too."""
    return 0.0 if drained else together(facade, fund, loss * LOSS_UNIT)


PIPELINE = Shape(
    required=spelled(
        "isolated_positions",
        "mark_price",
        "mm_rate",
        "insurance_fund",
        "adl_enabled",
        "adl_ranking",
        "slippage_bps",
    ),
    inner={"isolated_positions": HELD},
)


def pipeline(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for who is liquidated, what the fund pays, and who is deleveraged for the rest."""
    mark, fund, held = fields["mark_price"], fields["insurance_fund"], fields["isolated_positions"]
    ranking = fields["adl_ranking"]
    if fields["adl_enabled"] and ranking not in FORMS:
        raise NotApplicableError(OWN_FORMS.format(ranking))
    rows = [
        {
            **position(COIN, own["qty"], mark=mark, entry=own["entry"]),
            "account": f"{own['id']}",
            "id": own["id"],
            "equity": own["equity"],
            "maintenanceMarginRate": fields["mm_rate"],
        }
        for own in held
    ]
    gone = liquidated(facade, rows)
    if len(gone) != 1:
        raise NotApplicableError(lacks("several accounts that are liquidated one after the other"))
    others = [own for own in held if own["id"] not in gone]
    (broken,) = (own for own in held if own["id"] in gone)
    loss = Loss(facade, broken, mark, fields["slippage_bps"] * BASIS_POINT_UNIT)
    chosen: list[dict[str, Any]] = []
    if fields["adl_enabled"] and others:
        found = loss.shared(_candidates(others, mark), form=FORMS[ranking], fund=fund)
        chosen = [row for row in found if row["fill"]]
    names = {f"{own['id']}": own["id"] for own in held}
    # a fund without winners behind it pays what it has; cases without any are about the winners
    drained = bool(chosen) or not fund
    return {
        "liquidated": gone,
        "adl": [names[row["account"]] for row in chosen if row["account"] in names],
        "fund_paid": fund if drained else loss.money,
        "fund": after_fund(facade, fund, loss.money, drained=drained),
    }


FORGONE = Shape(
    required=spelled("isolated_positions", "winner", "mark_price", "insurance_fund"),
    inner={"isolated_positions": HELD, "winner": HELD},
)


def forgone(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the equity and the position of a winner who is closed at the bankruptcy price."""
    mark, winner = fields["mark_price"], fields["winner"]
    (broken,) = fields["isolated_positions"]
    loss = Loss(facade, broken, mark, 0.0)
    (row,) = loss.shared(
        _candidates([winner], mark), form="pnl_ratio", fund=fields["insurance_fund"]
    )
    parts = [
        position(
            f"{COIN}{price}",
            size,
            mark=price,
            entry=winner["entry"],
            side=side_of(row["side"]),
            maintenanceMarginRate=1.0,
        )
        for size, price in ((row["fill_qty"], row["price"]), (row["qty_left"], mark))
        if size
    ]
    book = facade.book(table(parts), rulebooks.rates(), collateral=cash(winner["equity"]))
    return {"winner_equity_after": facade.equity(book), "winner_position": row["qty_left"]}


SCORED = Shape(required=spelled("cases", "columns", "side"))


def scored(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the score of positions of which mark, entry and bankruptcy price are known."""
    candidates: list[Row] = [
        {
            **dict(zip(fields["columns"], figures, strict=True)),
            "account": f"{place}",
            "side": fields["side"],
            "qty": 1.0,
            "equity": 1.0,
        }
        for place, figures in enumerate(fields["cases"])
    ]
    rows = facade.deleveraging(
        _nobody(facade), candidates=candidates, form="bybit", options={"own": "no"}
    ).records()
    by_account = {row["account"]: row["score"] for row in rows}
    return {"score": [by_account[row["account"]] for row in candidates]}


IN_TURN = Shape(required=spelled("fund", losses="loss_beyond_margin"))
# A winner with more to give up than any loss of a case, sold at 100, at 40, who is closed at 95.
ENDLESS: Final[Row] = {
    "account": "winner",
    "qty": -1e9,
    "entry": 100.0,
    "mark": 40.0,
    "equity": 1.0,
}
CLOSED_AT: Final = 95.0


def in_turn(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for losses that a fund pays one after the other, and what it cannot pay."""
    fund = fields["fund"]
    left: list[float] = []
    winners: list[float] = []
    for loss in fields["losses"]:
        (row,) = facade.deleveraging(
            _nobody(facade),
            candidates=[ENDLESS],
            deficit=loss,
            form="size",
            options={"unit": "loss", "bankruptcy": CLOSED_AT, "fund": fund, "own": "no"},
        ).records()
        fund = after_fund(facade, fund, loss, drained=bool(row["fill"]))
        left.append(fund)
        winners.append(row["fill"])
    return {"fund_after": left, "adl": winners}


ADAPTERS: Final = (
    Adapter(PIPELINE, pipeline),
    Adapter(FORGONE, forgone),
    Adapter(SCORED, scored),
    Adapter(IN_TURN, in_turn),
)
