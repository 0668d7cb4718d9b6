"""A sample of the inputs that each adapter of liquidations reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SKEWED: Final = {
    "size": 20,
    "entry": 105,
    "price": 100,
    "skew_scale": 1000,
    "initial_margin_fraction": 2,
    "minimum_initial_margin_ratio": 0.01,
    "maintenance_scalar": 0.5,
}
RISK_FACTORS: Final = {
    "mark_price": 100,
    "volume": -2,
    "rf_long": 0.1,
    "rf_short": 0.2,
    "collateral": 150,
    "slippage_linear": 0.05,
    "slippage_quadratic": 0.01,
    "funding_per_unit": 0,
}
RESTING: Final = {"price": 110, "volume": 1}
LENDING: Final = {
    "collateral": [
        {"asset": "USDC", "amount": 1000, "price": 1, "max_ltv": 0.8, "liquidation_ltv": 0.9}
    ],
    "debts": [{"asset": "ATOM", "amount": 50, "price": 10}],
    "perps": [],
    "base_currency_price": 1,
}
PERPETUAL: Final = {
    "market": "BTC",
    "size": -10,
    "entry_exec_price": 100,
    "current_exec_price": 90,
    "max_ltv": 0.8,
    "liquidation_ltv": 0.9,
    "accrued_funding": 20,
    "closing_fee": 0.01,
}
TIERED: Final = {"id": 1, "qty": 1, "entry": 100, "equity": 1}
LINEAR: Final = {"entry": 100, "mark": 90, "qty": 1}

LIQUIDATION_SAMPLES: Final[Mapping[str, dict[str, Any]]] = {
    "skewed": {"collateral": 1000, "positions": {"ETH": SKEWED}},
    "slipping": RISK_FACTORS,
    "resting": {**RISK_FACTORS, "buy_orders": [RESTING], "sell_orders": []},
    "levelled": {"mark_price": 100, "volume": -3, "slippage_linear": 0.25, "rf": 0.1},
    "funded": {
        "entry": 100,
        "volume": -1,
        "margin_factor": 0.7,
        "total_funds": 100,
        "maintenance": 35,
    },
    "lending": LENDING,
    "shortage": {
        "margin_shortage": 10,
        "margin_ratio": 0.1,
        "liquidator_fee": 0.01,
        "insurance_fee": 0.02,
        "oracle_price": 100,
        "quote_price": 1,
    },
    "disposal": {
        "seized_position": 51,
        "book_volume_in_range": 1000,
        "disposal_fraction": 0.1,
        "full_disposal_size": 10,
        "max_fraction_of_book": 0.2,
    },
    "filled": {"deposit": 10, "long": 50, "entry": 1, "mmf": 0.03, "oracle": 0.9, "fill": 0.7},
    "lent": {"balance": 10, "price": 40, "ltv": 0.5},
    "tiers and accounts": {
        "tiers": [[0, 0.005], [100, 0.01]],
        "notionals": [50, 200],
        "second": {"tiers": [[0, 0.005]], "positions": [TIERED], "mark": 99},
    },
    "many roots": {
        "S0": 100,
        "T_days": 5,
        "cash": 30,
        "legs": [["C", 100, -10]],
        "mm": "0.04*S",
        "vol": 0.6,
    },
    "borrowing": {
        "margin": {"BTC": [0.1, 0.04]},
        "margin_mmr": 0.1,
        "um": [{"symbol": "BTCUSDT", **LINEAR}],
        "um_wallet_usdt": 1,
        "cm": [],
        "cm_wallet_btc": 0,
        "mmr": 0.005,
    },
}
