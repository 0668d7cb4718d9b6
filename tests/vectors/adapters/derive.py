"""Derive's portfolio margins: the parameters of a case as a rulebook, its account as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.tables import table
from tests.vectors.adapters.units import DAY_UNIT, LOSS_UNIT, SECOND_UNIT
from tests.vectors.view import Adapter, Shape, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

CURRENCY: Final = "USDC"
COIN: Final = "COIN"
VOLATILITY: Final = {"up": "up", "down": "down", "none": "same"}
SKEWS: Final = {"skew_linear": "skew_linear", "skew_abs": "skew_absolute"}

PM2 = Shape(
    required=spelled("cash", "spot", "stable_price", "perp", "expiries", "options", "params"),
    optional=spelled("spot_confidence", "collaterals"),
)
PM1 = Shape(
    required=spelled("cash", "perp", "base", "spot", "perp_price", "expiries", "options"),
    optional=spelled(
        "params_set", "stable_price", "spot_confidence", "perp_confidence", "perp_unrealised"
    ),
)


def _rulebook(identifier: str, profile: Mapping[str, object]) -> dict[str, object]:
    """Return a rulebook of scenarios that move the collateral too."""
    scanned = {"collateral_in_scan": True, "haircut_and_scan": True}
    return rulebooks.scenarios(identifier, [profile], currency=CURRENCY, measure=scanned)


def _list(scenarios: Sequence[Sequence[Any]], words: Mapping[str, str]) -> dict[str, object]:
    """Return scenarios `[multiplier, volatility, damping]` as a list of moves."""
    return {
        "layout": "list",
        "price_multipliers": [scenario[0] for scenario in scenarios],
        "volatility": [words[scenario[1]] for scenario in scenarios],
        "weights": [scenario[2] for scenario in scenarios],
    }


def _pm2_rulebook(case: CaseView, params: Mapping[str, Any]) -> dict[str, object]:
    """Return the parameter block of a case in the schema of rulebooks."""
    scenarios = case.shared["scenario_sets"][params["scenario_set"]]
    shock, skew = params["vol_shock"], params["skew_shock"]
    margin, basis = params["margin"], params["basis_contingency"]
    other = params["other"]
    regular = [scenario for scenario in scenarios if scenario[1] in VOLATILITY]
    skewed = [scenario for scenario in scenarios if scenario[1] in SKEWS]
    sets: list[dict[str, object]] = [{"set": "regular", **_list(regular, VOLATILITY)}]
    if skewed:
        sets.append(
            {"set": "skew", "treatment": "minus_absolute_per_expiry", **_list(skewed, SKEWS)}
        )
    profile = {
        "underlyings": [COIN],
        "volatility": {
            "up": shock["volrangeup"],
            "down": shock["volrangedown"],
            "short_power": shock["shorttermpower"],
            "long_power": shock["longtermpower"],
            "boundary": "short",
            "floor_days": shock["dte_floor"],
            "minimum_up": shock["min_vol_eval_shocked"],
        },
        "skew": {
            "linear_cap": skew["linear_scale_cap"],
            "linear_slope": skew["linear_cbase"],
            "absolute_cap": skew["abs_scale_cap"],
            "absolute_slope": skew["abs_cbase"],
            "minimum_width": skew["min_k_star"],
            "width_scale": skew["min_width_scale"],
            "volatility": skew["vol_param_static"],
            "volatility_slope": skew["vol_param_scale"],
        },
        "discount": {
            "long_base": margin["base_static_discount"],
            "long_rate_multiple": margin["long_rate_multscale"],
            "long_rate_add": margin["long_rate_addscale"],
            "short_base": margin["base_static_discount_neg"],
            "short_rate_multiple": margin["short_rate_multscale"],
            "short_rate_add": margin["short_rate_addscale"],
        },
        "scenarios": sets,
        "charges": [
            {
                "name": "forward contingency",
                "on": "forward_contingency",
                "stage": "alternative",
                "multipliers": [basis["scenario_spot_up"], basis["scenario_spot_down"]],
                "add": basis["basis_cont_add_factor"],
                "per_year": basis["basis_cont_mult_factor"],
            },
            {
                "name": "perpetual contingency",
                "on": "notional",
                "kinds": ["perpetual"],
                "stage": "outside",
                "maintenance": other["mm_perp_percent"],
                "initial_more": other["im_perp_percent"],
            },
            {
                "name": "naked option contingency",
                "on": "naked_shorts",
                "stage": "outside",
                "maintenance": other["mm_option_percent"],
                "initial_more": other["im_option_percent"],
            },
            {
                "name": "oracle confidence",
                "on": "confidence",
                "kinds": ["perpetual", "option"],
                "collateral": True,
                "stage": "outside",
                "threshold": other["conf_threshold"],
                "maintenance": 0.0,
                "initial": other["conf_margin"],
            },
        ],
    }
    return _rulebook("case-portfolio-margin-2", profile) | {
        "collateral": {"other_currencies": "rate_required", "divide_by_peg": True},
        "pricing": {"discounting": "rate_at_least_zero", "settlement_average_seconds": 1800.0},
        "levels": {
            "initial": {
                "factor": margin["im_loss_factor"],
                "depeg_threshold": other["peg_loss_threshold"],
                "depeg_rate": other["peg_loss_factor"],
            },
            "maintenance": {"factor": margin["mm_loss_factor"]},
        },
    }


def market_rows(fields: Fields) -> list[dict[str, object]]:
    return [
        {
            "underlying": COIN,
            "indexPrice": fields["spot"],
            "confidence": fields.get("spot_confidence"),
        },
        {"underlying": CURRENCY, "indexPrice": fields["stable_price"]},
    ]


def option_row(
    option: Mapping[str, Any], expiry: Mapping[str, Any], place: object
) -> dict[str, object]:
    return {
        "symbol": f"OPTION{place:03d}",
        "type": "option",
        "underlying": COIN,
        "settle": CURRENCY,
        "strike": option["strike"],
        "optionType": option["type"],
        "secondsToExpiry": option["seconds_to_expiry"],
        "quantity": option["amount"],
        "impliedVolatilityFraction": option["vol"],
        "forward": expiry.get("forward"),
        "forwardFixed": expiry.get("forward_fixed"),
        "forwardVariable": expiry.get("forward_variable"),
        "rate": expiry["rate"],
        "confidence": option.get("vol_confidence", expiry.get("vol_confidence")),
        "forwardConfidence": expiry.get("forward_confidence"),
        "rateConfidence": expiry.get("rate_confidence"),
    }


def _options(fields: Fields) -> list[dict[str, object]]:
    by_expiry = {expiry["seconds_to_expiry"]: expiry for expiry in fields["expiries"]}
    return [
        option_row(option, by_expiry[option["seconds_to_expiry"]], place)
        for place, option in enumerate(fields["options"])
        if option["amount"]
    ]


def _perpetual(
    amount: float, price: float, confidence: float | None, **result: float
) -> dict[str, object]:
    """Return the row of the perpetual; one of size zero is left out by the reader."""
    return {
        "symbol": "PERPETUAL",
        "type": "perpetual",
        "underlying": COIN,
        "settle": CURRENCY,
        "quantity": amount,
        "markPrice": price or None,
        "confidence": confidence if amount else None,
        **result,
    }


def _cash(amount: float) -> dict[str, object]:
    return {"currency": CURRENCY, "cash": amount}


def portfolio_margin_2(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the net margins, the components and every scenario of an account."""
    perp = fields["perp"]
    rows = [
        _perpetual(
            perp["amount"],
            perp["price"],
            perp["confidence"],
            unrealizedPnl=perp["unrealised_pnl"],
            unrealizedFunding=perp["unrealised_funding"],
        ),
        *_options(fields),
    ]
    held_beside_cash = [
        {
            "currency": held["name"],
            "follows": COIN if held["risk_cancelling"] else held["name"],
            "cash": held["amount"],
            "priceVenue": held["price"],
            "maintenanceHaircut": held["mm_haircut"],
            "initialHaircut": held["im_haircut"],
            "inScan": "yes" if held["risk_cancelling"] else "no",
            "confidence": held["confidence"],
        }
        for held in fields["collaterals"] or []
        if held["amount"]
    ]
    collateral = [_cash(fields["cash"]), *held_beside_cash]
    without_cash = [_cash(0.0), *held_beside_cash]
    rules, market = _pm2_rulebook(case, fields["params"]), market_rows(fields)
    rows = table(rows)
    book = facade.book(rows, rules, collateral=table(collateral), market=table(market))
    # the portfolio's value is the account without its cash
    portfolio = facade.book(rows, rules, collateral=table(without_cash), market=table(market))
    return _answer(case, book, portfolio, facade)


def _answer(case: CaseView, book: object, portfolio: object, facade: Facade) -> Answer:
    """Return the figures of a book under the names that a case asks for."""
    rows = facade.explanation(book, measure="MM").records()
    initial = facade.explanation(book, measure="IM").records()

    def figure(records: Sequence[Mapping[str, Any]], name: str, column: str) -> float:
        found = (row[column] for row in records if row["component"].startswith(name))
        return next(found, 0.0) * LOSS_UNIT

    used = next(
        (row["base"] for row in rows if row["counts"] == "yes" and "worst of" in row["component"]),
        None,
    )
    decided = figure(rows, "forward contingency", "base") if used is None else used * LOSS_UNIT
    figures: dict[str, Any] = {
        "IM": facade.excess(book, above="IM"),
        "MM": facade.excess(book, above="MM"),
        "portfolio_mtm": facade.equity(portfolio, basis="gross"),
        "basis_contingency": figure(rows, "forward contingency", "base"),
        "oracle_contingency": figure(initial, "oracle confidence", "amount"),
        "worst_scenario_pnl": decided,
    }
    if "scenario_pnl" in case.expected_names:
        scenarios = facade.scenarios(book, risk_unit=COIN, layout="list").records()
        figures["scenario_pnl"] = [row["pnl"] for row in scenarios]
    return {name: figures[name] for name in case.expected_names if name in figures}


def pm1_rulebook(case: CaseView, params: Mapping[str, Any]) -> dict[str, object]:
    """Return the parameters of portfolio margin 1 in the schema of rulebooks."""
    undamped = [[*scenario, 1.0] for scenario in case.shared["scenarios"]]
    profile = {
        "underlyings": [COIN],
        "volatility": {
            "up": params["vol_range_up"],
            "down": params["vol_range_down"],
            "short_power": params["short_term_power"],
            "long_power": params["long_term_power"],
            "boundary": "short",
            "floor_days": params["dte_floor_seconds"] * SECOND_UNIT / DAY_UNIT,
        },
        "discount": {
            "long_base": params["base_static_discount"],
            "long_rate_multiple": params["rate_mult"],
            "long_rate_add": params["rate_add"],
        },
        "scenarios": [{"set": "regular", **_list(undamped, VOLATILITY)}],
        "charges": [
            {
                "name": "forward contingency",
                "on": "forward_contingency",
                "stage": "alternative",
                "multipliers": [params["basis_up"], params["basis_down"]],
                "add": params["basis_add"],
                "per_year": params["basis_mult"],
            },
            {
                "name": "perpetual contingency",
                "on": "notional",
                "kinds": ["perpetual"],
                "stage": "inside",
                "rate": params["perp_pct"],
            },
            {
                "name": "base contingency",
                "on": "notional",
                "kinds": ["spot"],
                "collateral": True,
                "stage": "inside",
                "rate": params["base_pct"],
            },
            {
                "name": "naked option contingency",
                "on": "naked_shorts",
                "stage": "inside",
                "rate": params["option_pct"],
            },
            {
                "name": "oracle confidence",
                "on": "confidence",
                "kinds": ["perpetual", "option", "spot"],
                "collateral": True,
                "stage": "outside",
                "threshold": params["conf_threshold"],
                "maintenance": 0.0,
                "initial": params["conf_margin"],
            },
        ],
    }
    return _rulebook("case-portfolio-margin-1", profile) | {
        "collateral": {"other_currencies": "rate_required"},
        "pricing": {"discounting": "nothing"},
        "levels": {
            "initial": {
                "factor": params["im_factor"],
                "depeg_threshold": params["peg_threshold"],
                "depeg_rate": params["peg_factor"],
            },
            "maintenance": {"factor": 1.0},
        },
    }


def portfolio_margin_1(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the net margins and the contingencies of an account."""
    params = case.shared["params"][fields["params_set"]]
    base = {
        "currency": "BASE",
        "follows": COIN,
        "cash": fields["base"],
        "priceVenue": fields["spot"],
        "collateralRate": 1.0,
        "inScan": "yes",
    }
    rows = [
        _perpetual(
            fields["perp"],
            fields["perp_price"],
            fields["perp_confidence"],
            unrealizedPnl=fields["perp_unrealised"],
        ),
        *_options(fields),
    ]
    book = facade.book(
        table(rows),
        pm1_rulebook(case, params),
        collateral=table([_cash(fields["cash"]), *([base] if fields["base"] else [])]),
        market=table(market_rows(fields)),
    )
    maintenance = facade.explanation(book, measure="MM").records()

    def figure(name: str) -> float:
        found = (row["amount"] for row in maintenance if row["component"].startswith(name))
        return next(found, 0.0) * LOSS_UNIT

    figures: dict[str, Any] = {
        "IM": facade.excess(book, above="IM"),
        "MM": facade.excess(book, above="MM"),
        "mtm_incl_cash": facade.equity(book, basis="gross"),
        "basis_contingency": figure("forward contingency"),
        "option_contingency": figure("naked option contingency"),
        "loss_factor": params["im_factor"],
    }
    for name in ("IM", "MM"):
        figures[f"{name}_recomputed"] = figures[name]
        figures[f"{name}_truncated_to_integer"] = figures[name]
    return {name: figures[name] for name in case.expected_names if name in figures}


ADAPTERS: Final = (Adapter(PM2, portfolio_margin_2), Adapter(PM1, portfolio_margin_1))
