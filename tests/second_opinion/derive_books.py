"""Random inputs for Derive portfolio margin 2, with the parameters of its documentation."""

from __future__ import annotations

import random
from typing import Any

from tests.second_opinion import books

__all__ = ["PARAMETERS", "SCENARIOS", "derive_inputs"]

TAILS = [
    (-0.66, 0.21),
    (-0.33, 0.42),
    (0.5, 0.27),
    (1.0, 0.13),
    (2.0, 0.069),
    (3.0, 0.046),
    (4.0, 0.034),
    (5.0, 0.027),
]
INNER_MOVES = [-0.135, -0.09, -0.045, 0.0, 0.045, 0.09, 0.135]

# [multiplier of spot, direction of volatility, damping]
SCENARIOS: list[list[Any]] = [
    [0.82, "up", 1.0],
    *([1.0 + move, way, 1.0] for move in INNER_MOVES for way in ("up", "none", "down")),
    [1.18, "up", 1.0],
    *([1.0 + move, "up", damping] for move, damping in TAILS),
    [1.0, "skew_linear", 1.0],
    [1.0, "skew_abs", 1.0],
]

PARAMETERS: dict[str, Any] = {
    "vol_shock": {
        "volrangeup": 0.5,
        "min_vol_eval_shocked": 0.4,
        "volrangedown": 0.275,
        "shorttermpower": 0.3,
        "longtermpower": 0.13,
        "dte_floor": 1.0,
    },
    "skew_shock": {
        "linear_scale_cap": 0.25,
        "linear_cbase": -0.1,
        "abs_scale_cap": 0.25,
        "abs_cbase": -0.1,
        "min_k_star": 0.01,
        "min_width_scale": 4.0,
        "vol_param_static": 0.6,
        "vol_param_scale": 0.0,
    },
    "margin": {
        "mm_loss_factor": 0.8,
        "im_loss_factor": 1.0,
        "short_rate_multscale": 0.0,
        "long_rate_multscale": 0.0,
        "short_rate_addscale": 0.1,
        "long_rate_addscale": 0.1,
        "base_static_discount": 0.98,
        "base_static_discount_neg": 1.02,
    },
    "basis_contingency": {
        "scenario_spot_up": 1.045,
        "scenario_spot_down": 0.955,
        "basis_cont_add_factor": 0.5,
        "basis_cont_mult_factor": 2.0,
    },
    "other": {
        "peg_loss_threshold": 0.99,
        "peg_loss_factor": 4.0,
        "conf_threshold": 0.55,
        "conf_margin": 1.0,
        "mm_perp_percent": 0.03,
        "im_perp_percent": 0.01,  # on top of the maintenance rate: 4% in all
        "mm_option_percent": 0.003,
        "im_option_percent": 0.002,
    },
}


def derive_inputs(seed: int) -> dict[str, Any]:
    """Return the inputs of a seed: a Paradex-shaped book of one underlying, seen by Derive."""
    draw = random.Random(f"derive-pm2-{seed}")  # noqa: S311 - not a secret
    drawn = books.book("paradex-pm", seed)
    underlying = draw.choice(list(drawn["index"]))
    spot = drawn["index"][underlying]
    perp: dict[str, float] = {
        "amount": 0.0,
        "price": 0.0,
        "confidence": 0.0,
        "unrealised_pnl": 0.0,
        "unrealised_funding": 0.0,
    }
    options, expiries = [], {}
    for position in drawn["positions"]:
        if position["underlying"] != underlying:
            continue
        if position["kind"] != "option":
            profit = position["quantity"] * position["forward"] * draw.uniform(-0.05, 0.05)
            perp.update(
                amount=position["quantity"],
                price=position["forward"],
                confidence=draw.choice([1.0, 0.8, 0.5]),
                unrealised_pnl=profit,
            )
            continue
        seconds = round((position["expiry_days"] or 0.0) * 86_400)
        expiries[seconds] = {
            "seconds_to_expiry": seconds,
            "forward": position["forward"],
            "forward_confidence": 1.0,
            "rate": round(draw.uniform(-0.05, 0.25), 4),
            "rate_confidence": 1.0,
            "vol_confidence": draw.choice([1.0, 0.9, 0.5]),
        }
        options.append(
            {
                "seconds_to_expiry": seconds,
                "strike": position["strike"],
                "type": position["right"],
                "amount": position["quantity"],
                "vol": position["implied_volatility"],
            }
        )
    return {
        "cash": round(draw.uniform(-1.0, 1.0) * spot, 2),
        "spot": spot,
        "spot_confidence": draw.choice([1.0, 1.0, 0.5]),
        "stable_price": draw.choice([1.0, 1.001, 0.97]),
        "perp": perp,
        "collaterals": [],
        "expiries": list(expiries.values()),
        "options": options,
        "params": PARAMETERS,
    }
