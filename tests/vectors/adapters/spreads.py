"""Accounts of several coins in standard margin: spreads, contingencies, collateral."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.tables import table
from tests.vectors.view import Adapter, NotApplicableError, Shape, spelled

if TYPE_CHECKING:
    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

STABLE: Final = "USDC"
OPTION = Shape(
    required=spelled("seconds_to_expiry", "strike", "type", "amount", "vol", "vol_confidence"),
)
EXPIRY = Shape(required=spelled("seconds_to_expiry", "forward", "forward_confidence"))
MARKET = Shape(
    required=spelled(
        *("spot", "spot_confidence", "perp_price", "perp_confidence", "perp_amount"),
        *("base_amount", "perp_unrealised", "options", "expiries"),
    ),
    inner={"options": OPTION, "expiries": EXPIRY},
)
ACCOUNT = Shape(required=spelled("markets", "cash", "stable_price", "params_set"))


def read(inputs: Mapping[str, Any]) -> Fields | None:
    """Return the fields of an account with a market per coin, ``None`` if unfit."""
    fields = ACCOUNT(inputs)
    if fields is None or not isinstance(fields["markets"], Mapping):
        return None
    markets = {
        coin: MARKET(market) if isinstance(market, Mapping) else None
        for coin, market in fields["markets"].items()
    }
    return None if None in markets.values() else {**fields, "markets": markets}


def _confidence(
    name: str, kinds: list[str], threshold: float, factor: float, **more: object
) -> dict[str, object]:
    """Return a contingency for prices that are not sure, at the initial level."""
    return {
        "name": name,
        "on": "confidence",
        "stage": "outside",
        "kinds": kinds,
        "price": "index",
        "threshold": threshold,
        "initial": factor,
        "maintenance": 0.0,
        **more,
    }


def _rulebook(params: Mapping[str, Any]) -> dict[str, object]:
    """Return the rulebook that a block of parameters states."""
    option, oracle, depeg = params["option"], params["oracle"], params["depeg"]
    if option["mm_call"] != option["mm_put"] or params["base_im_scale"] != 1.0:
        reason = "calls and puts, or the levels of collateral, have rates of their own"
        raise NotApplicableError(reason)
    profile = {
        "delta_one": {"initial": params["perp_im"], "maintenance": params["perp_mm"]},
        "options": {
            "short_initial": {"rate": option["max_spot_req"], "floor": option["min_spot_req"]},
            "short_maintenance": {"rate": option["mm_call"], "put_mark": option["mm_put_mtm"]},
            "put_initial_over_maintenance": option["mm_offset"],
            "offset_initial": option["unpaired_im"],
            "offset_maintenance": option["unpaired_mm"],
            "offset_price": "forward",
        },
        "charges": [
            {
                "name": "depeg",
                "on": "depeg",
                "stage": "outside",
                "threshold": depeg["threshold"],
                "initial": depeg["factor"],
                "maintenance": 0.0,
            },
            _confidence("perpetuals", ["perpetual"], oracle["perp_threshold"], oracle["factor"]),
            _confidence(
                "options sold",
                ["option"],
                oracle["option_threshold"],
                oracle["factor"],
                short_only=True,
                with_perpetual=False,
            ),
            _confidence(
                "collateral", [], oracle["base_threshold"], oracle["factor"], collateral=True
            ),
        ],
    }
    return rulebooks.standard(profile, currency=STABLE)


def _positions(coin: str, market: Fields) -> list[dict[str, object]]:
    """Return the rows of a coin: its perpetual, which may be flat, and its options."""
    contract = {"underlying": coin, "settle": STABLE, "contractSize": 1.0}
    expiries = {expiry["seconds_to_expiry"]: expiry for expiry in market["expiries"]}
    perpetual = {
        **contract,
        "symbol": f"{coin}-PERP",
        "type": "perpetual",
        "contracts": market["perp_amount"],
        "markPrice": market["perp_price"],
        "unrealizedPnl": market["perp_unrealised"],
        "confidence": market["perp_confidence"],
    }
    options = [
        {
            **contract,
            "symbol": f"{coin}-OPTION-{place:03d}",
            "type": "option",
            "contracts": option["amount"],
            "strike": option["strike"],
            "optionType": option["type"],
            "secondsToExpiry": option["seconds_to_expiry"],
            "markIv": option["vol"],
            "confidence": option["vol_confidence"],
            "forward": expiries[option["seconds_to_expiry"]]["forward"],
            "forwardConfidence": expiries[option["seconds_to_expiry"]]["forward_confidence"],
        }
        for place, option in enumerate(market["options"])
    ]
    return [perpetual, *options]


def account(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the net margins of an account and for its value at the marks."""
    params = (case.shared.get("params") or {}).get(fields["params_set"])
    if params is None:
        reason = f"no parameters are given for the set {fields['params_set']!r}"
        raise NotApplicableError(reason)
    markets = fields["markets"]
    book = facade.book(
        table([row for coin, market in markets.items() for row in _positions(coin, market)]),
        _rulebook(params),
        collateral=table(
            [
                {"currency": STABLE, "cash": fields["cash"]},
                *(
                    {
                        "currency": coin,
                        "cash": market["base_amount"],
                        "collateralRate": params["base_margin_factor"],
                    }
                    for coin, market in markets.items()
                ),
            ]
        ),
        market=table(
            [
                {"underlying": STABLE, "indexPrice": fields["stable_price"]},
                *(
                    {
                        "underlying": coin,
                        "indexPrice": market["spot"],
                        "confidence": market["spot_confidence"],
                    }
                    for coin, market in markets.items()
                ),
            ]
        ),
    )
    initial, maintenance = facade.excess(book, above="IM"), facade.excess(book, above="MM")
    return {
        "mtm": facade.equity(book, basis="gross"),
        **dict.fromkeys(("IM", "IM_recomputed", "IM_truncated_to_integer"), initial),
        **dict.fromkeys(("MM", "MM_recomputed", "MM_truncated_to_integer"), maintenance),
    }


ADAPTERS: Final = (Adapter(read, account),)
