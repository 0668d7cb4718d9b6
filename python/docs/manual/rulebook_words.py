"""What the data of a rulebook mean, in the words of the schema."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from docs.manual.markup import code, plain
from docs.manual.schema import meaning

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Rows", "inputs", "levels", "liquidation", "measure", "refused"]

Rows = list[dict[str, str]]
Values = dict[str, str]

_KINDS: Final = {
    "option": "options",
    "future": "dated futures",
    "spot": "spot pairs",
    "coin_settled": "contracts settled in their coin",
    "stable_settled": "contracts settled in a stablecoin",
    "orders": "open orders",
}
_OF_RESULTS: Final = ("extension", "discount", "gains", "blend")
_TAILS: Final = frozenset({"expected_shortfall", "value_at_risk"})


def refused(values: Values) -> Iterator[str]:
    """Yield what the rulebook does not cover, with the reason."""
    given = [key for key in values if key.startswith("refusals.")]
    for key in given:
        word = key.removeprefix("refusals.")
        yield f"{_KINDS[word]}: {plain(values[key])}."
    if not any("*" in _coins(key) for key in values if key.startswith("profiles.")):
        coins = dict.fromkeys(_coins(key) for key in values if key.startswith("profiles."))
        if coins:
            yield f"coins without parameters; there are some for {', '.join(map(code, coins))}."
    yield "whatever else it has no number for: the row is named, and nothing is assumed in silence."


def inputs(values: Values) -> Iterator[str]:
    """Yield what the tables must hold for this rulebook."""
    kind = values["measure.kind"]
    yield (
        "Positions: symbol, signed quantity (or a side), mark price; entry price or unrealised "
        "profit and loss."
    )
    if kind == "tiers":
        yield from _brackets(values)
    if "refusals.option" not in values and (kind != "tiers" or _has(values, ".options.")):
        yield (
            "Options: the as-of, and for each a mark, a volatility (`markIv`), or both; a forward "
            "where it is not the index."
        )
    other = values.get("collateral.other_currencies", "rate_required")
    rated = dict.fromkeys(
        key.split(".")[2] for key in values if key.startswith("collateral.rates.")
    )
    if rated:
        yield f"Collateral with rates here: {', '.join(map(code, rated))}."
    yield {
        "rate_required": (
            "A balance in another currency needs its price and its collateral rate in rows of your "
            "own: no rate is assumed."
        ),
        "ignored": "Balances in other currencies are not counted as collateral.",
        "full": "Balances in other currencies count in full; their prices are needed.",
    }[other]
    if kind in _TAILS:
        yield (
            "A history of prices, a column per coin (`CM_HISTORY`); for options also of implied "
            "volatilities, such as `BTC vol 30d`."
        )
    if kind == "normal_value_at_risk":
        yield "Daily volatilities and correlations on the Market sheet."
    charged = {value for key, value in values.items() if key.endswith(".on")}
    if charged & {"impact", "unwind"}:
        yield "Volumes (`adv`), daily volatilities and spreads on the Market sheet."
    if "funding" in charged:
        yield "The funding rate of each perpetual."


def measure(values: Values) -> Iterator[str]:
    """Yield the formula of the requirement, stage by stage."""
    yield f"Pool `{values['pool.kind']}`: {_POOLS[values['pool.kind']]}."
    kind = values["measure.kind"]
    yield f"Measure `{kind}`: {_MEASURES.get(kind) or meaning('Measure', kind)}."
    told = {"measure.kind", "measure.source"}
    if "refusals.orders" in values:
        told.add("measure.orders")
    for key, value in values.items():
        if key.startswith("measure.") and key not in told:
            word = key.removeprefix("measure.")
            said = _CHOICES.get((word, value), "")
            yield f"`{word}` = {code(value)}" + (f": {said}." if said else ".")
    if _has(values, "tiers.tables."):
        yield (
            "Brackets: the rate of a bracket applies to its own slice; that is rate x notional "
            "less the cumulative amount, which is computed from floors and rates."
        )
    if _has(values, ".volatility.up"):
        yield (
            "Volatilities: `up` and `down` are relative moves at 30 days to expiry (or "
            "`reference_days`), at t days x (30 / max(t, `floor_days`)) ^ power, the power by the "
            "side of `boundary_days`."
        )
    if _has(values, ".skew."):
        yield "Skew: moves by log moneyness k, min(cap, max(-cap, k cap / width))."
    yield from _treatments(values)
    yield from _charges(values)
    if _has(values, "credits."):
        yield "Credits between coins, in order of priority: the share of the price risk credited."
    if _has(values, "borrowing."):
        yield "Borrowed currencies: value borrowed x rate, added after the factors."


def _treatments(values: Values) -> Iterator[str]:
    """Yield what is done to a result before the worst is taken."""
    for word in _OF_RESULTS:
        if _has(values, f".{word}."):
            said = meaning(
                "What is done to a result before the worst is taken", f"[profiles.{word}]"
            )
            yield f"`{word}`: {said}"
    used = {value for key, value in values.items() if key.endswith(".treatment")}
    for word in sorted(used - {"plain"}):
        yield f"Scenarios treated as `{word}`: {_TREATMENTS[word]}"


def _charges(values: Values) -> Iterator[str]:
    """Yield each charge once, whatever the number of profiles that have it."""
    seen: set[tuple[str, str, str]] = set()
    for key, on in values.items():
        if not (key.startswith("profiles.") and key.endswith(".on")):
            continue
        group = key.rpartition(".")[0]
        name = group.rpartition(".charges.")[2]
        stage = values.get(f"{group}.stage", "outside")
        if (name, on, stage) not in seen:
            seen.add((name, on, stage))
            yield (
                f"{plain(name)}, rate x (`{on}`) {meaning('on', on)}; "
                f"stage `{stage}`: {meaning('stage', stage)}."
            )


def levels(values: Values) -> Iterator[str]:
    """Yield when each level is broken, as a sentence."""
    for level, outcome in (("initial", "restricted"), ("maintenance", "liquidatable")):
        prefix = f"levels.{level}"
        factor = values.get(f"{prefix}.factor", "1")
        trigger = values.get(f"{prefix}.trigger", "1")
        sign = "at or below" if values.get(f"{prefix}.inclusive") == "yes" else "below"
        basis = [
            "collateral rates reduce it"
            if values.get(f"{prefix}.haircut", "yes") == "yes"
            else "collateral rates do not reduce it",
            "unrealised gains do not count"
            if values.get(f"{prefix}.gains") == "no"
            else "unrealised gains count",
        ]
        if values.get(f"{prefix}.option_value") == "nothing":
            basis.append("options count in the requirement, not here")
        yield (
            f"{level.capitalize()}: {outcome} where equity - {trigger} x requirement is {sign} "
            f"zero; the requirement is {factor} x the measure and what is charged outside. Of the "
            f"equity: {', '.join(basis)}."
        )


def liquidation(values: Values) -> Iterator[str]:
    """Yield the procedure, key by key."""
    note = values.get("liquidation.note")
    if note:
        yield f"{plain(note)}."
    sure = values.get("liquidation.certainty", "assumed")
    yield {
        "documented": "The venue documents this order.",
        "assumed": "The venue publishes no order: this one is assumed, and answers say so.",
    }[sure]
    for key, value in values.items():
        word = key.removeprefix("liquidation.")
        if word == key or word in {"note", "certainty", "source"} or word.startswith("cites."):
            continue
        yield f"`{word}` = {code(value)}: {_of_liquidation(word)}."


def _of_liquidation(word: str) -> str:
    head = word.partition(".")[0]
    return _ITEMS.get(head) or meaning("Tiers, collateral, liquidation", head)


def _brackets(values: Values) -> Iterator[str]:
    used = [key for key in values if re.fullmatch(r"tiers\.tables\..*\.used_by", key)]
    coins = "; ".join(dict.fromkeys(values[key] for key in used))
    if coins:
        yield f"Brackets are here for {plain(coins)}."
    if _has(values, ".delta_one."):
        yield "Formulas are here for the coins of the charges below."
    share = values.get("tiers.assumed_share_of_initial")
    if share:
        yield (
            f"Any other contract: its brackets, or its rate in the row; failing both, {share} of "
            "1 / the row's leverage is assumed and the row says so; without a leverage it is "
            "refused."
        )
    else:
        yield "Any other contract: its brackets, or its rate in the row; else it is refused."


def _coins(key: str) -> str:
    return key.split(".")[1]


def _has(values: Values, piece: str) -> bool:
    return any(piece in key for key in values)


_ITEMS: Final = {
    "policy": "what goes first",
    "step": "how much of it at a time",
    "stop": "where it ends",
    "hedge": "when the delta is hedged with the perpetual",
    "fee": "fee on the liquidated notional",
    "fees": "the fee of one coin",
    "auction": "a term of the auction",
    "cancel_orders": "open orders are cancelled first",
    "fee_within_equity": "a fee is no more than the closing's share of the equity",
    "large_above": "positions above this money are closed in two tranches",
    "large_first": "the first of the two tranches",
    "takeover_below": "below this x maintenance margin all is taken over",
    "takeover": "by whom",
}
"""Keys whose line in the schema lists their words; the words of the rulebook stand beside."""

_MEASURES: Final = {
    "tiers": "rates by size of position, or closed formulas",
    "scenarios": "the worst scenario of the profiles",
    "expected_shortfall": "the mean of the losses beyond the quantile, of one index of scenarios",
    "value_at_risk": "the quantile of the losses, of one index of scenarios",
}
"""Where the schema's line goes on with the keys, whose values stand below."""
_CHOICES: Final = {
    ("numeraire", "settle"): "in coins, converted at today's index",
    ("numeraire", "report"): "in the reporting currency",
    ("unit", "underlying"): "each coin by its own worst scenario, then added",
    ("unit", "account"): "one scenario for the whole account",
    ("orders", "variants"): "the worst of no order, all buys and all sells filled",
    ("orders", "per_instrument"): "open orders by the worse side of each instrument",
    ("orders", "additive"): "open orders are added",
    ("orders", "none"): "open orders need nothing",
    ("maintenance_on", "mark"): "notional at the mark price",
    ("maintenance_on", "entry"): "notional at the entry price",
}
_POOLS: Final = {
    "account": "everything of an account shares one margin",
    "account_settle": "within an account each settlement currency is by itself",
}
_TREATMENTS: Final = {
    "minus_absolute_per_expiry": "the net result of an expiry enters as -abs.",
    "extended": "scaled back to the edge of the price moves, and dampened beyond it.",
}
