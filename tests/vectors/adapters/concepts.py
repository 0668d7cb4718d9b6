"""Shapes of cases that need a concept the model has no words for: findings about its design."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.view import Missing, Shape, spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.vectors.view import Fields


def _keys(text: str, *, optional: str = "") -> Shape:
    """Return the shape of inputs with the keys of `text`, whatever is inside them."""
    return Shape(required=spelled(*text.split()), optional=spelled(*optional.split()))


def _where(
    name: str, shape: Shape, *, given: bool = True
) -> Callable[[Mapping[str, Any]], Fields | None]:
    """Return a reader of inputs of a shape where the field `name` is given, or is not."""

    def read(inputs: Mapping[str, Any]) -> Fields | None:
        fields = shape(inputs)
        return fields if fields is not None and (fields[name] is not None) is given else None

    return read


HEALTH: Final = _keys("tokens", optional="perp bank_scaling")
SWAPPED: Final = "asset_multiplier liability_multiplier liability_price"
FEE: Final = "margin_shortage max_insurance_fee"

ADAPTERS: Final = (
    Missing(
        _where("perp", HEALTH),
        "a requirement that counts inside the balance it settles in, under that balance's weight",
    ),
    Missing(
        _where("perp", HEALTH, given=False),
        "weights that change with what a bank as a whole has taken in and lent",
    ),
    Missing(
        _keys("tokens spot_orders perp"),
        "orders of several markets that fill each in its own worse direction",
    ),
    Missing(
        _keys(f"{SWAPPED} asset_price", optional="asset_amount liability_amount"),
        "a liquidator's bonus as multipliers on both prices of a swap",
    ),
    Missing(
        _keys(f"{FEE} position margin_ratio liquidator_fee oracle_price"),
        "an insurance fee as large as the account can bear",
    ),
    Missing(
        _keys(f"{FEE} {SWAPPED} token_amount asset_weight liability_weight"),
        "an insurance fee as large as the account can bear",
    ),
    Missing(
        _keys("base_fee max_fee slots_since_active"),
        "a fee that grows with the time since the account acted",
    ),
    Missing(
        _keys("margin_shortage initial_pct duration_slots"),
        "a share that may be liquidated, growing with time",
    ),
    Missing(
        _keys("account market bankruptcy_adjustment spread_to_mm_ratio"),
        "a limit price of a liquidation order, worse the less is left",
    ),
    Missing(
        _keys("size oracle_price min_notional max_portion"),
        "bounds of what is liquidated in one block",
    ),
    Missing(
        _keys("liquidation_orders oracle_price"),
        "an order among the liquidations of several accounts",
    ),
    Missing(
        _keys("collateral debts settlement_asset market", optional="position"),
        "a price that moves with the skew of the market, and caps of open interest",
    ),
    Missing(
        _keys("isolated_positions first_mark book mark_impact mm_rate max_depth"),
        "a mark that follows the order book after each round of liquidations",
    ),
    Missing(
        _keys(
            "risk_factor_long risk_factor_short linear_slippage margin_factors mark_price_before"
            " mark_price_after traders book_bids_at_closeout insurance_pool"
        ),
        "a liquidation that trades with the resting order of another account",
    ),
    Missing(
        _keys("rf_long mark_price orders"),
        "margins rounded up to whole units before the other levels follow from them",
    ),
    Missing(
        _keys("position orders"),
        "orders cancelled one by one, the farthest from the market first",
    ),
    Missing(
        _keys("oracle mm_ratio liquidated offsetting_in_scan_order delta_size"),
        "a walk over accounts in a given order that passes those whose bankruptcy prices are apart",
    ),
    Missing(
        _keys("perp account token_weights limits"),
        "profit settled as a step of a liquidation, and a weight on what is not settled",
    ),
    Missing(
        _keys("asset liability"),
        "a liquidation that ends by other weights than those it begins by",
    ),
    Missing(
        _keys("loss total_deposits cumulative_interest"),
        "a loss that is shared by all deposits of a venue",
    ),
    Missing(
        _keys("unpaid_debt deposited"),
        "a loss that is shared by all deposits of a venue",
    ),
    Missing(
        _keys("users_bankruptcy insurance_fund total_usdc withdrawal"),
        "a loss that is shared by all deposits of a venue",
    ),
    Missing(
        _keys("base_pnl hedges fee cap"),
        "hedges that make margin and cost together as small as they can be",
    ),
)
