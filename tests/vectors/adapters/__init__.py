"""Adapters: they rename, reshape and scale units; ``syntax_guard`` allows no other arithmetic.

An adapter goes by the shape of the inputs, never by the id of a case. The first one whose shape
fits answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.vectors.adapters import (
    accounts,
    amounts,
    auction,
    backtests,
    bids,
    charges,
    concepts,
    correlations,
    cross,
    derive,
    exits,
    exposures,
    growing,
    inverse,
    laws,
    lending,
    linear,
    losses,
    portfolio,
    pricing,
    queues,
    reductions,
    repair,
    risk_units,
    scenarios,
    sizing,
    span,
    spreads,
    standard,
    swaps,
    tails,
    zones,
)

if TYPE_CHECKING:
    from tests.vectors.view import Adapter, EngineStep, Missing

ADAPTERS: Final[tuple[Adapter | EngineStep | Missing, ...]] = (
    *linear.ADAPTERS,
    *inverse.ADAPTERS,
    *cross.ADAPTERS,
    *accounts.ADAPTERS,
    *amounts.ADAPTERS,
    *portfolio.ADAPTERS,
    *pricing.ADAPTERS,
    *charges.ADAPTERS,
    *span.ADAPTERS,
    *scenarios.ADAPTERS,
    *risk_units.ADAPTERS,
    *derive.ADAPTERS,
    *spreads.ADAPTERS,
    *standard.ADAPTERS,
    *exposures.ADAPTERS,
    *tails.ADAPTERS,
    *laws.ADAPTERS,
    *correlations.ADAPTERS,
    *backtests.ADAPTERS,
    *exits.ADAPTERS,
    *sizing.ADAPTERS,
    *growing.ADAPTERS,
    *lending.ADAPTERS,
    *repair.ADAPTERS,
    *losses.ADAPTERS,
    *zones.ADAPTERS,
    *auction.ADAPTERS,
    *bids.ADAPTERS,
    *queues.ADAPTERS,
    *swaps.ADAPTERS,
    *reductions.ADAPTERS,
    *concepts.ADAPTERS,
)
