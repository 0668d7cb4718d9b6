"""Scales of units; the only numbers by which an adapter may multiply or divide."""

from __future__ import annotations

from typing import Final

PERCENT_UNIT: Final = 0.01
PPM_UNIT: Final = 1e-6
