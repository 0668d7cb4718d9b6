"""Columns of options: shapes, limits, and refusals that name argument and index."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

import crossmargin
from crossmargin.errors import NoAnswerError, OutOfRangeError, ShapeError, UnknownWordError

if TYPE_CHECKING:
    import numpy.typing as npt


def test_arguments_are_broadcast_and_the_result_has_their_shape() -> None:
    strikes = np.array([[90.0], [110.0]])
    values = crossmargin.option_values(["call", "put", "call"], 100, strikes, 0.6, 0.25)
    assert values.shape == (2, 3)
    one = crossmargin.option_values("put", 100, 110, 0.6, 0.25)
    assert one.shape == ()
    assert float(one) == values[1, 1]


def test_one_word_may_be_written_in_capitals_and_with_spaces() -> None:
    assert crossmargin.option_values(" Call", 105, 100, 0, 1) == 5


def test_at_zero_the_value_is_its_limit() -> None:
    forward, strike = [105, 105, 0, 105, 105], [100, 100, 100, 0, 100]
    volatility, years = [0, 0.5, 0.5, 0.5, 1e3], [1, 0, 1, 1, 1]
    call = crossmargin.option_values("call", forward, strike, volatility, years)
    put = crossmargin.option_values("put", forward, strike, volatility, years)
    assert call.tolist() == [5, 5, 0, 105, 105]
    assert put.tolist() == [0, 0, 100, 0, 100]


def test_sensitivities_are_differences_of_values() -> None:
    right = np.array(["call", "put"])
    forward, strike, volatility, years = 95.0, np.array([[80.0], [100.0], [130.0]]), 0.7, 0.3
    greeks = crossmargin.option_greeks(right, forward, strike, volatility, years)

    def value(forward: float, volatility: float, years: float) -> npt.NDArray[np.float64]:
        return crossmargin.option_values(right, forward, strike, volatility, years)

    step = 1e-4
    delta = value(forward + step, volatility, years) - value(forward - step, volatility, years)
    vega = value(forward, volatility + step, years) - value(forward, volatility - step, years)
    theta = value(forward, volatility, years - step) - value(forward, volatility, years + step)
    for found, change in ((greeks.delta, delta), (greeks.vega, vega), (greeks.theta, theta)):
        np.testing.assert_allclose(found, change / (2 * step), rtol=1e-5, atol=1e-8)
    wide = 1e-2
    bent = value(forward + wide, volatility, years) + value(forward - wide, volatility, years)
    bent -= 2 * value(forward, volatility, years)
    np.testing.assert_allclose(greeks.gamma, bent / wide**2, rtol=1e-5)
    np.testing.assert_allclose(greeks.theta_per_day * 365, greeks.theta, rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "bad", "sentence"),
    [
        ("forward", math.nan, "forward must be a finite number, was NaN (index 2)"),
        ("strike", -1.0, "strike must be zero or above, was -1 (index 2)"),
        ("volatility", math.inf, "volatility must be a finite number, was inf (index 2)"),
        ("years", -0.5, "years must be zero or above, was -0.5 (index 2)"),
    ],
)
def test_a_refusal_names_argument_and_index(name: str, bad: float, sentence: str) -> None:
    columns = {"forward": 100.0, "strike": 90.0, "volatility": 0.5, "years": 1.0}
    given: dict[str, npt.ArrayLike] = {**columns, name: [columns[name], columns[name], bad]}
    with pytest.raises(OutOfRangeError) as refusal:
        crossmargin.option_values("call", **given)
    assert str(refusal.value) == sentence


def test_sensitivities_refuse_what_has_none() -> None:
    with pytest.raises(OutOfRangeError, match=r"^years must be finite and above zero.*index 1"):
        crossmargin.option_greeks("call", 100, 100, 0.5, [1, 0])


def test_other_words_and_shapes_are_refused() -> None:
    with pytest.raises(UnknownWordError, match=r"unknown right 'straddle' \(index 1\)"):
        crossmargin.option_values(["call", "straddle"], 100, 100, 0.5, 1)
    with pytest.raises(ShapeError, match=r"forward \(2,\), strike \(3,\)"):
        crossmargin.option_values("call", [1, 2], [1, 2, 3], 0.5, 1)
    with pytest.raises(UnknownWordError, match="known: raise, nan"):
        crossmargin.implied_volatilities("call", 1, 2, 3, 1, refuse="ignore")  # type: ignore[call-overload]


def test_a_price_without_a_volatility_is_raised_or_left_out_with_its_reason() -> None:
    right, price = ["call", "call", "put", "call"], [17.01288, 9.0, math.nan, 100.0]
    with pytest.raises(NoAnswerError, match=r"above the intrinsic value 10, was 9.*\(index 1\)$"):
        crossmargin.implied_volatilities(right, price, 100, 90, 0.25)
    found, reasons = crossmargin.implied_volatilities(right, price, 100, 90, 0.25, refuse="nan")
    assert found[0] == pytest.approx(0.6, abs=1e-6)
    assert np.isnan(found[1:]).all()
    assert reasons[0] == ""
    assert "intrinsic value 10" in reasons[1]
    assert "price must be finite" in reasons[2]
    assert "below the forward 100" in reasons[3]


def test_no_options_have_no_values() -> None:
    assert crossmargin.option_values("call", [], [], [], []).shape == (0,)
    found, reasons = crossmargin.implied_volatilities("put", [], 1, 1, 1, refuse="nan")
    assert found.shape == reasons.shape == (0,)
