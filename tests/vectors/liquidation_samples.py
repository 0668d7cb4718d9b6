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

AUCTION: Final = {
    "start_discount": 1.0,
    "cut_discount": 0.8,
    "fast_length_s": 600,
    "slow_length_s": 7200,
    "fee_rate": 0.0,
    "buffer": 0.1,
}
HELD: Final = {"id": 1, "qty": 10, "entry": 100, "equity": 50}
TOKEN: Final = {
    "token": 10.0,
    "perp_pnl": 0.0,
    "asset_weight": 0.8,
    "liab_weight": 1.2,
    "price": 1,
}
QUOTE_ACCOUNT: Final = {
    "usdc": -90,
    "positions": [
        {"market": "BTC", "size": 1, "oracle_price": 100, "im_ratio": 0.2, "mm_ratio": 0.1}
    ],
}
FEEDS: Final = {
    "spot": 1500.0,
    "forward": 1500.0,
    "vol": 0.8,
    "rate": 0.0,
    "stable_price": 1.0,
    "confidences": 1.0,
}
PERPETUAL_TERMS: Final = {"perp_amount": -1, "entry": 1000, "mark": 1035, "perp_mm": 0.05}

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
    "bid": {"MtM": 300, "MM": -100, "elapsed_s": 0, "bid_fraction": 0.1, "auction": AUCTION},
    "fee of an auction": {"mtm": 100_000, "buffer_margin": -60_000, "rate": 0.1},
    "insolvent": {"mtm": -40, "mm": -140, "t_min": 15, "duration_min": 60, "fraction": 0.5},
    "perpetual in an auction": {
        **PERPETUAL_TERMS,
        "cash": 65,
        "auction": {"start_discount": 0.8, "buffer": 0.05},
        "bids": [0.1, 1.0],
    },
    "simulation": {
        "margin_model": "PMRM1",
        "option": {"amount": -1.0, "strike": 1500.0, "type": "call", "seconds_to_expiry": 500_000},
        "cash": 200.0,
        "auction": AUCTION,
        "start_time_s": 0,
        "initial_feeds": FEEDS,
        "steps": [{"feeds": FEEDS, "time_s": 0, "bid_fraction_wanted_of_current": 0.1}],
    },
    "pipeline": {
        "isolated_positions": [HELD, {**HELD, "id": 2, "qty": -10, "equity": 100}],
        "mark_price": 40,
        "mm_rate": 0.005,
        "insurance_fund": 0,
        "adl_enabled": True,
        "adl_ranking": "pnl_ratio",
        "slippage_bps": 0,
    },
    "forgone": {
        "isolated_positions": [HELD],
        "winner": {**HELD, "id": 2, "qty": -10, "equity": 100},
        "mark_price": 40,
        "insurance_fund": 0,
    },
    "scored": {
        "cases": [[110, 100, 90]],
        "columns": ["mark", "entry", "bankruptcy"],
        "side": "long",
    },
    "in turn": {"loss_beyond_margin": [3, 5], "fund": 4.0},
    "tokens": {
        "asset": TOKEN,
        "liability": {**TOKEN, "token": -9.0},
        "other_health": 0.0,
        "perp_overall_asset_weight": 0.8,
        "max_liability_transfer": 100.0,
        "fees": 0,
    },
    "borrowed": {
        "margin_shortage": 10,
        "asset_weight": 0.8,
        "asset_multiplier": 1,
        "liability_weight": 1.2,
        "liability_multiplier": 1,
        "liability_price": 100,
        "insurance_fee": 0,
    },
    "debt repaid": {"C": 100, "D": 84, "LT": 0.8, "LS": 0.05, "h": 1.0},
    "insured": {
        "account": QUOTE_ACCOUNT,
        "fill": {"market": "BTC", "delta": -1, "price": 100},
        "max_liquidation_fee": 0.05,
    },
    "transferred": {"account": QUOTE_ACCOUNT, "close": {"market": "BTC", "delta": -1}},
    "cheapest reduction": {"relief": [4.0, 2.0], "cost": [2.0, 3.0], "need": 5.0},
    "quadratic reduction": {"lambda": [1.0, 2.0], "a": [1.0, 1.0], "s": 3.0},
    "scheduled": {
        "lambda_1e6": [0.0],
        "S0": 50,
        "X": 1_000.0,
        "T": 2,
        "N": 2,
        "sigma": 1.0,
        "epsilon": 0.0625,
        "gamma": 0.0,
        "eta": 1e-6,
    },
    "share of all": {
        "collateral": 1000,
        "positions": [{"market": "BTC-USD-PERP", "size": 1, "entry": 2000, "mark": 1010}],
        "mmf": 0.02,
        "target_margin_ratio": 0.9,
        "share_step": 0.2,
        "liquidation_fee": 0.1,
    },
}
