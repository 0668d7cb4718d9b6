"""Expected fields that are not compared: wrong on purpose, or prose. Others must not be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

UNCOMPARED: Final[Mapping[str, Mapping[str, str]]] = {
    "methods.json": {
        "numpy_default_quantile": "wrong on purpose: it interpolates between two losses",
    },
    "cross_liquidation_price_misc.json": {
        "naive_ignoring_others": "wrong on purpose: it leaves out the others' maintenance",
    },
}
