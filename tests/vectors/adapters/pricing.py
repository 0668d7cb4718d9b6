"""Prices, sensitivities and implied volatilities of single options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.vectors.adapters.units import SECOND_UNIT, YEAR_UNIT
from tests.vectors.view import Adapter, NotApplicableError, Shape, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

DAYS_OF_A_YEAR: Final = 365

BLACK76 = Shape(
    required=spelled("seconds_to_expiry", "year_days", "vol", "forward", "strike", "discount")
)


def black76(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a call and a put on a forward."""
    if fields["year_days"] != DAYS_OF_A_YEAR:
        reason = f"a year of {fields['year_days']} days: years have 365 here"
        raise NotApplicableError(reason)
    call, put = facade.black76(
        fields["forward"],
        fields["strike"],
        fields["vol"],
        fields["seconds_to_expiry"] * SECOND_UNIT / YEAR_UNIT,
        discount=fields["discount"],
    )
    return {"call": call, "put": put}


ON_SPOT = Shape(
    required=spelled("type", "spot", "strike", "dividend_yield", "rate", "time_years", "vol")
)
# The names of the sensitivities in the files.
SENSITIVITIES: Final[Mapping[str, str]] = {
    "price": "value",
    "delta": "delta",
    "gamma": "gamma",
    "vega": "vega",
    "theta": "theta",
    "theta_per_day": "theta_per_day",
    "rho": "rho",
    "div_rho": "dividend_rho",
    "elasticity": "elasticity",
}


def on_spot(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for an option on a spot price that pays a yield."""
    carry = {"rate": fields["rate"], "dividend_yield": fields["dividend_yield"]}
    terms = (fields["spot"], fields["strike"])
    option = facade.option_on_spot(
        fields["type"], *terms, fields["vol"], fields["time_years"], **carry
    )
    figures = {
        "price": option.value,
        "delta": option.delta,
        "gamma": option.gamma,
        "vega": option.vega,
        "theta": option.theta,
        "theta_per_day": option.theta_per_day,
        "rho": option.rho,
        "div_rho": option.dividend_rho,
        "elasticity": option.elasticity,
    }
    if "implied_vol_roundtrip" in case.expected_names:
        figures["implied_vol_roundtrip"] = facade.spot_implied_volatility(
            fields["type"], option.value, *terms, fields["time_years"], **carry
        )
    return {name: figures[name] for name in case.expected_names if name in figures}


IMPLIED = Shape(required=spelled("price", "F", "K", "T"), optional=spelled("call"))


def implied(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for an implied volatility: of Black's law, or of the normal law where it is meant."""
    terms = (fields["price"], fields["F"], fields["K"], fields["T"])
    right = "put" if fields["call"] is False else "call"
    if "normal" in (case.method or ""):
        return {"iv": facade.normal_implied_volatility(right, *terms)}
    return {"iv": facade.implied_volatilities(right, *terms).item()}


SVI = Shape(required=spelled("a", "b", "rho", "m", "sigma", "tau", "strike", "forward"))


def svi(_case: CaseView, _fields: Fields, _facade: Facade) -> Answer:
    """Say that surfaces are left out."""
    reason = "SVI is left out: crossmargin takes volatilities as they are quoted"
    raise NotApplicableError(reason)


ADAPTERS: Final = (
    Adapter(BLACK76, black76),
    Adapter(ON_SPOT, on_spot),
    Adapter(IMPLIED, implied),
    Adapter(SVI, svi),
)
