"""Write black76_mpmath.json: Black-76 values at 60 digits, a reference for the kernels.

    python tests/golden/pricing/make_black76_mpmath.py

The formula is taken as it stands in Black (1976), with the normal distribution function of mpmath;
the inputs are exact binary numbers, the values are rounded once.
"""

import json
import math
import random
from pathlib import Path

from mpmath import erfc, log, mp, mpf, sqrt

COUNT = 2_000
DIGITS = 60
SEED = 1976
TOLERANCE = (
    "out of the money 3e-15 of min(forward, strike) and 1e-11 of the value; in the money also two "
    "units in the last place of the value, one for the intrinsic value and one for the sum"
)


def values(forward: float, strike: float, total_volatility: float) -> tuple[float, float]:
    """Return the undiscounted call and put, each rounded once."""
    f, k, s = mpf(forward), mpf(strike), mpf(total_volatility)
    d1 = log(f / k) / s + s / 2
    d2 = d1 - s

    def below(d: mpf) -> mpf:
        return erfc(-d / sqrt(mpf(2))) / 2

    return float(f * below(d1) - k * below(d2)), float(k * below(-d2) - f * below(-d1))


def main() -> None:
    """Write the file beside this script."""
    mp.dps = DIGITS
    draw = random.Random(SEED)  # noqa: S311  # points of a test, no secret
    cases = []
    for number in range(COUNT):
        total_volatility = math.exp(draw.uniform(math.log(1e-3), math.log(3.0)))
        # a tenth at the forward or next to it, where a value is a small difference of large numbers
        deviations = draw.uniform(-0.01, 0.01) if number % 10 == 0 else draw.uniform(-9.0, 9.0)
        if number % 100 == 0:
            deviations = 0.0
        forward = math.exp(draw.uniform(math.log(0.01), math.log(200_000.0)))
        strike = forward * math.exp(-deviations * total_volatility)
        cases.append(
            (forward, strike, total_volatility, *values(forward, strike, total_volatility))
        )
    rows = ",\n    ".join(json.dumps(case) for case in cases)
    text = f"""{{
  "meta": {{
    "topic": "Black-76 undiscounted call and put",
    "source": "computed by make_black76_mpmath.py with mpmath at {DIGITS} digits, seed {SEED}",
    "columns": ["forward", "strike", "total_volatility", "call", "put"],
    "tolerance": "{TOLERANCE}"
  }},
  "cases": [
    {rows}
  ]
}}
"""
    Path(__file__).with_name("black76_mpmath.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
