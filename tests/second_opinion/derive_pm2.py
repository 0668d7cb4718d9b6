"""Derive portfolio margin 2: scenarios, skew, static discount, basis and contingencies.

Inputs have the shape of the published cases (`inputs` of one case, scenario list beside it). The
margins are net: after mark-to-market and cash, negative when the account falls short.
"""

from __future__ import annotations

import math
from typing import Any

from tests.second_opinion import black76

__all__ = ["derive_pm2"]

SECONDS_PER_DAY = 86_400.0
SECONDS_PER_YEAR = 365.0 * SECONDS_PER_DAY
AVERAGING_SECONDS = 1_800.0  # the settlement average is taken over the last half hour


def _moved_forward(expiry: dict[str, Any], multiplier: float) -> float:
    """Return the shocked forward; what has entered the settlement average does not move."""
    forward, seconds = expiry["forward"], expiry["seconds_to_expiry"]
    fixed = forward * max(0.0, AVERAGING_SECONDS - seconds) / AVERAGING_SECONDS
    return float((forward - fixed) * multiplier + fixed)


def _shocked_volatility(
    option: dict[str, Any], expiry: dict[str, Any], direction: str, parameters: dict[str, Any]
) -> float:
    volatility = option["vol"]
    if direction == "none":
        return float(volatility)
    shock = parameters["vol_shock"]
    seconds = expiry["seconds_to_expiry"]
    if direction in {"up", "down"}:
        days = seconds / SECONDS_PER_DAY
        power = shock["shorttermpower"] if days <= 30.0 else shock["longtermpower"]
        time_factor = (30.0 / max(days, shock["dte_floor"])) ** power
        if direction == "up":
            shocked = volatility * (1.0 + shock["volrangeup"] * time_factor)
            return float(max(shock["min_vol_eval_shocked"], shocked))
        return float(volatility * max(0.0, 1.0 - shock["volrangedown"] * time_factor))
    skew = parameters["skew_shock"]
    root = math.sqrt(seconds / SECONDS_PER_YEAR)
    moneyness = math.log(option["strike"] / expiry["forward"])
    if direction == "skew_abs":
        moneyness = abs(moneyness)
        cap = skew["abs_scale_cap"] + skew["abs_cbase"] * root
    else:
        cap = skew["linear_scale_cap"] + skew["linear_cbase"] * root
    width = root * skew["min_width_scale"]
    width *= skew["vol_param_static"] + root * skew["vol_param_scale"]
    slope = cap / max(skew["min_k_star"], width)
    change = min(max(moneyness * slope, -cap), cap)
    return float(volatility * max(0.0, 1.0 + change))


def _discount(expiry: dict[str, Any]) -> float:
    years = expiry["seconds_to_expiry"] / SECONDS_PER_YEAR
    return math.exp(-max(expiry["rate"], 0.0) * years)


def _expiry_value(
    options: list[dict[str, Any]],
    expiry: dict[str, Any],
    multiplier: float,
    direction: str,
    parameters: dict[str, Any],
) -> float:
    """Return the discounted value of all options of one expiry."""
    forward = _moved_forward(expiry, multiplier)
    years = expiry["seconds_to_expiry"] / SECONDS_PER_YEAR
    total = math.fsum(
        option["amount"]
        * black76.value(
            option["type"],
            forward,
            option["strike"],
            _shocked_volatility(option, expiry, direction, parameters),
            years,
        )
        for option in options
    )
    return total * _discount(expiry)


def _static_discount(value: float, expiry: dict[str, Any], margin: dict[str, Any]) -> float:
    """Return the factor that lowers a positive value of an expiry and raises a negative one."""
    years = expiry["seconds_to_expiry"] / SECONDS_PER_YEAR
    rate = max(expiry["rate"], 0.0)
    if value >= 0.0:
        pull = rate * margin["long_rate_multscale"] + margin["long_rate_addscale"]
        return float(margin["base_static_discount"] * math.exp(-years * pull))
    pull = rate * margin["short_rate_multscale"] + margin["short_rate_addscale"]
    pushed = margin["base_static_discount_neg"] * math.exp(years * pull)
    return float(min(1.0 / _discount(expiry), pushed))


def _naked_shorts(options: list[dict[str, Any]]) -> float:
    """Return the short size left per strike once calls and puts of a strike are added up."""
    by_strike: dict[float, float] = {}
    for option in options:
        by_strike[option["strike"]] = by_strike.get(option["strike"], 0.0) + option["amount"]
    return sum(max(0.0, -amount) for amount in by_strike.values())


def _confidence_charge(
    inputs: dict[str, Any],
    values: list[float],
    expiries: list[tuple[dict[str, Any], list[dict[str, Any]]]],
) -> float:
    """Return the charge for prices that the oracle does not trust."""
    other, perp, spot = inputs["params"]["other"], inputs["perp"], inputs["spot"]

    def charge(confidence: float, notional: float) -> float:
        if confidence >= other["conf_threshold"]:
            return 0.0
        return float((1.0 - confidence) * other["conf_margin"] * notional)

    base = inputs["spot_confidence"]
    total = 0.0
    if perp["amount"]:
        base_with_perp = min(base, perp["confidence"])
        total += charge(base_with_perp, abs(perp["amount"]) * spot)
    else:
        base_with_perp = base
    for expiry, options in expiries:
        feeds = [expiry["forward_confidence"], expiry["rate_confidence"], expiry["vol_confidence"]]
        size = sum(abs(option["amount"]) for option in options)
        total += charge(min(base_with_perp, *feeds), size * spot)
    for collateral, value in zip(inputs["collaterals"], values, strict=True):
        total += charge(min(base, collateral["confidence"]), value)
    return total


def derive_pm2(inputs: dict[str, Any], scenarios: list[list[Any]]) -> dict[str, Any]:
    """Return every scenario's profit, the loss that is used, and the two net margins."""
    parameters, spot, perp = inputs["params"], inputs["spot"], inputs["perp"]
    margin, other = parameters["margin"], parameters["other"]
    expiries = [
        (
            expiry,
            [
                option
                for option in inputs["options"]
                if option["seconds_to_expiry"] == expiry["seconds_to_expiry"]
            ],
        )
        for expiry in inputs["expiries"]
    ]
    values = [
        collateral["amount"] * collateral["price"] / inputs["stable_price"]
        for collateral in inputs["collaterals"]
    ]
    moving_collateral = sum(
        value
        for collateral, value in zip(inputs["collaterals"], values, strict=True)
        if collateral["risk_cancelling"]
    )
    marks = [
        _expiry_value(options, expiry, 1.0, "none", parameters) for expiry, options in expiries
    ]

    profits = []
    for multiplier, direction, damping in scenarios:
        linear = (perp["amount"] * perp["price"] + moving_collateral) * (multiplier - 1.0)
        from_options = 0.0
        for (expiry, options), mark in zip(expiries, marks, strict=True):
            shocked = _expiry_value(options, expiry, multiplier, direction, parameters)
            profit = shocked * _static_discount(shocked, expiry, margin) - mark
            from_options += -abs(profit) if direction.startswith("skew") else profit
        profits.append(damping * (linear + from_options))

    basis = parameters["basis_contingency"]
    contingency = 0.0
    for (expiry, options), mark in zip(expiries, marks, strict=True):
        up, down = (
            _expiry_value(options, expiry, basis[move], "none", parameters) - mark
            for move in ("scenario_spot_up", "scenario_spot_down")
        )
        years = expiry["seconds_to_expiry"] / SECONDS_PER_YEAR
        rate = basis["basis_cont_add_factor"] + basis["basis_cont_mult_factor"] * years
        contingency += min(up, down, 0.0) * rate
    loss = min(*profits, contingency)

    naked = sum(_naked_shorts(options) for _, options in expiries)
    charges = {}
    for name in ("mm", "im"):
        charges[name] = (
            abs(perp["amount"]) * spot * other[f"{name}_perp_percent"]
            + naked * spot * other[f"{name}_option_percent"]
            + sum(
                value * collateral[f"{name}_haircut"]
                for collateral, value in zip(inputs["collaterals"], values, strict=True)
            )
        )
    oracle = _confidence_charge(inputs, values, expiries)
    mark_to_market = (
        math.fsum(marks) + math.fsum(values) + perp["unrealised_pnl"] + perp["unrealised_funding"]
    )
    below_peg = max(0.0, other["peg_loss_threshold"] - inputs["stable_price"])
    im_factor = margin["im_loss_factor"] + below_peg * other["peg_loss_factor"]
    before_loss = mark_to_market + inputs["cash"] - charges["mm"]
    return {
        "scenario_pnl": profits,
        "basis_contingency": contingency,
        "worst_scenario_pnl": loss,
        "portfolio_mtm": mark_to_market,
        "oracle_contingency": -oracle,
        "MM": before_loss + margin["mm_loss_factor"] * loss,
        "IM": before_loss + im_factor * loss - charges["im"] - oracle,
    }
