"""Scales of units; the only numbers by which an adapter may multiply or divide."""

from __future__ import annotations

from typing import Final

PERCENT_UNIT: Final = 0.01
BASIS_POINT_UNIT: Final = 1e-4
LOSS_UNIT: Final = -1.0
"""Turns a loss, which is a positive number here, into a result, where it is a negative one."""
BUY_UNIT: Final = 1.0
"""An order to buy, in signed quantities; one to sell has the sign of a loss."""
SCAN_RANGE_UNIT: Final = 0.1
"""A price scan range, as a share of the price."""
SECOND_UNIT: Final = 1.0
MINUTE_UNIT: Final = 60.0
DAY_UNIT: Final = 86_400.0
PPM_UNIT: Final = 1e-6
YEAR_UNIT: Final = 31_536_000.0
THOUSAND_UNIT: Final = 1_000.0
MILLION_UNIT: Final = 1e6
