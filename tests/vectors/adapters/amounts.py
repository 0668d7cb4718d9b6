"""Cumulative maintenance amounts of tiers, and the rank of a position in auto-deleveraging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.vectors.view import Adapter, Shape, spelled

if TYPE_CHECKING:
    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

NEXT_AMOUNT = Shape(
    required=spelled(
        floor="floor floor_*",
        rate="mmr_n",
        rate_below="mmr_n_minus_1",
        amount_below="cum_n_minus_1 cum_n_minus_1_*",
    ),
)


def next_amount(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the amount of a bracket from the amount of the bracket below."""
    amounts = facade.tier_amounts(
        [fields["rate_below"], fields["rate"]],
        floors=[0.0, fields["floor"]],
        first_amount=fields["amount_below"],
    )
    return {name: amounts[-1] for name in case.expected_names if name.startswith("cum_n")}


TIER = Shape(
    required=spelled(rate="mmr mm_rate maintenance_rate"),
    optional=spelled(
        "tier",
        "max_leverage",
        floor="floor floor_*",
        cap="cap cap_* risk_limit risk_limit_* limit limit_*",
    ),
)
ALL_AMOUNTS = Shape(required=spelled(tiers="tiers brackets"), inner={"tiers": TIER})


def all_amounts(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the amounts of all tiers of a table with lower or with upper bounds."""
    tiers = fields["tiers"]
    floors = [tier["floor"] for tier in tiers]
    caps = [tier["cap"] for tier in tiers]
    amounts = facade.tier_amounts(
        [tier["rate"] for tier in tiers],
        floors=None if None in floors else floors,
        caps=caps if None in floors else None,
    )
    names = {"mm_deduction", "mm_amount", "maintenance_amount", "cum", "cumulative_amount"}
    return {name: amounts for name in case.expected_names if name in names}


RANK = Shape(
    required=spelled(
        "wallet_balance", "margin_ratio", profit="unrealized_profit unrealised_profit"
    ),
)


def rank(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the profit in parts of the wallet, and for the same with leverage."""
    value = facade.adl_rank_value(
        fields["profit"], fields["wallet_balance"], fields["margin_ratio"]
    )
    return {"pnl_percent": value.pnl_percent, "leverage_pnl": value.leverage_pnl}


ADAPTERS: Final = (
    Adapter(NEXT_AMOUNT, next_amount),
    Adapter(ALL_AMOUNTS, all_amounts),
    Adapter(RANK, rank),
)
