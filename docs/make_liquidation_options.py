"""Makes the figures and charts of `liquidation-options.md` from an option chain of a crash.

Run it as ``python docs/make_liquidation_options.py`` after `make extension`. It writes the blocks
of the page and its pictures. The chain is not in the repository: it lies in `../shared`, or where
CROSSMARGIN_SHARED says.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # docs share two modules

import crossmargin
from docs import crash_chain_book as chain
from docs.liquidation_pages import (
    BLUE,
    DOCS,
    ORANGE,
    RED,
    Outcome,
    Row,
    bars,
    bullets,
    heat,
    in_words,
    money,
    outcomes,
    percent,
    plain,
    plotting,
    save,
    shared_folder,
    table,
    usage,
    with_blocks,
    zone,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE: Final = DOCS / "liquidation-options.md"
LADDER: Final = DOCS / "liquidation-options-ladder.png"
MAP: Final = DOCS / "liquidation-options-map.png"
POLICIES: Final = DOCS / "liquidation-options-policies.png"

TARGET: Final = 0.50
FEE: Final = 0.0003
DEPTH: Final = {"slippage": "depth"}
COMPARED: Final = "venue,marginal_per_cost,largest_notional,pro_rata,all_at_once"
DOWN, UP = -0.12, 0.30
RUNGS: Final = (-0.20, -0.15, -0.12, -0.10, 0.25, 0.30, 0.40, 0.50)
CRISES: Final = "AUG2024;OCT2025;FTX2022;MAR2020"
MOVES: Final = [round(0.01 * step, 2) for step in range(-35, 101)]
ACROSS: Final = [round(0.02 * step, 2) for step in range(-15, 46)]
VOLATILITIES: Final = [round(0.05 * step, 2) for step in range(-10, 21)]


@dataclass(frozen=True)
class Cure:
    """A way back to the target, and the account after it, booked anew."""

    words: str
    cost: float
    usage: float
    below: float | None
    above: float | None
    delta: float
    trades: list[Row]


class Account:
    """The answers about the book, each asked once."""

    def __init__(self, folder: Path) -> None:
        self.drawn = chain.drawn(folder)
        self.hedge = chain.hedge(self.drawn)
        self.book = self.with_trades([], 0.0)

    def with_trades(self, trades: Sequence[Row], deposit: float) -> crossmargin.Book:
        """Return the book after trades at the mark with their costs, and a deposit of coins."""
        held = self.drawn.sizes | {chain.PERPETUAL: self.hedge}
        marks = {row["instrument"]: float(row["mark_coin"]) for row in self.drawn.options}
        cash = chain.CASH + deposit
        for trade in trades:
            symbol = trade["symbol"]
            signed = trade["qty"] if trade["side"] == "buy" else -trade["qty"]
            held[symbol] = round(held[symbol] + signed, 6)
            cash -= signed * marks.get(symbol, 0.0) + trade["cost"] / self.drawn.index
        return chain.book(self.drawn, held, cash)

    @cached_property
    def summary(self) -> Row:
        """Return the account in one row."""
        return dict(crossmargin.summary(self.book).records()[0])

    @cached_property
    def zones(self) -> list[Row]:
        """Return where BTC is safe and where it liquidates the account."""
        return [dict(row) for row in crossmargin.liquidation_zones(self.book, "BTC").records()]

    @property
    def triggers(self) -> tuple[float, float]:
        """Return the nearest liquidation price below and above."""
        below, above = _triggers(self.zones, self.drawn.index)
        assert below is not None  # noqa: S101  # the page is about an account with both
        assert above is not None  # noqa: S101
        return below, above

    @cached_property
    def ladder(self) -> list[Row]:
        """Return usage along a move of BTC."""
        found = crossmargin.margin_grid(self.book, "BTC", price_moves=MOVES)
        return [dict(row) for row in found.records()]

    @cached_property
    def rungs(self) -> list[tuple[float, list[Row]]]:
        """Return the closings of the venue's rule after jumps of BTC."""
        return [
            (
                move,
                [
                    dict(row)
                    for row in crossmargin.liquidation_order(
                        self.book, scenario=f"BTC:{move}", max_steps=300, options=DEPTH
                    ).records()
                ],
            )
            for move in RUNGS
        ]

    def map(self, measure: str) -> list[list[object]]:
        """Return a figure over moves of BTC from left to right and of volatility upwards."""
        found = crossmargin.liquidation_map(
            self.book, "BTC", "VOL", x_moves=ACROSS, y_moves=VOLATILITIES, measure=measure
        )
        return [list(row[1:]) for row in found.rows]

    @cached_property
    def after_jumps(self) -> dict[float, list[Outcome]]:
        """Return five policies after a fall and after a rise."""
        return {
            move: outcomes(
                crossmargin.liquidation_policies(
                    self.book, scenario=f"BTC:{move}", policies=COMPARED, options=DEPTH
                )
            )
            for move in (DOWN, UP)
        }

    @cached_property
    def hedges(self) -> list[Row]:
        """Return the positions whose closing alone raises the margin, the worst first."""
        rows = [dict(row) for row in crossmargin.risk_contributions(self.book).records()]
        return sorted((row for row in rows if _number(row["incremental"]) < 0), key=_raises)

    @cached_property
    def cures(self) -> list[Cure]:
        """Return the ways back to the target by rank, each booked and measured again."""
        found = crossmargin.cure(
            self.book,
            target=f"usage={TARGET}",
            allowed="deposit;close",
            max_rows=400,
            options=DEPTH | {"fee": FEE},
        )
        by_rank: dict[object, list[Row]] = {}
        for row in found.records():
            by_rank.setdefault(row["rank"], []).append(dict(row))
        return [self._cure(steps) for steps in by_rank.values() if _is_booked(steps)]

    def _cure(self, steps: list[Row]) -> Cure:
        first = steps[0]
        deposit = first["qty"] if first["action"] == "deposit" else 0.0
        trades = [] if deposit else steps
        after = self.with_trades(trades, deposit)
        zones = [dict(row) for row in crossmargin.liquidation_zones(after, "BTC").records()]
        delta = _number(crossmargin.exposure(after).records()[0]["delta"])
        if deposit:
            words = f"deposit {deposit:,.1f} BTC ({money(deposit * self.drawn.index)})"
        elif len(steps) == 1:
            words = f"{first['side']} {first['qty']:,.0f} USD of {first['symbol']}"
        else:
            lots = sum(row["qty"] for row in steps)
            words = f"buy back {lots:,.0f} BTC of short puts, {len(steps)} strikes"
        cost = sum(_number(row["cost"]) for row in steps)
        ratio = _number(crossmargin.ratio(after))
        return Cure(words, cost, ratio, *_triggers(zones, self.drawn.index), delta, steps)

    @cached_property
    def crises(self) -> list[Row]:
        """Return the book after named crises."""
        return [dict(row) for row in crossmargin.stresses(self.book, CRISES).records()]


def _number(value: object) -> float:
    return float(value) if isinstance(value, float | int) else 0.0


def _raises(row: Row) -> float:
    return _number(row["incremental"])


def _is_booked(steps: Sequence[Row]) -> bool:
    """Tell whether a cure names what is traded; a share of every position has no symbol."""
    return steps[0]["action"] == "deposit" or not str(steps[0]["symbol"]).startswith("all ")


def _triggers(zones: Sequence[Row], index: float) -> tuple[float | None, float | None]:
    safe = next(row for row in zones if row["zone"] == "safe" and row["from"] < index < row["to"])
    ends = ("open", "end of search")
    below = None if safe["begins"] in ends else float(safe["from"])
    above = None if safe["ends"] in ends else float(safe["to"])
    return below, above


# Blocks -----------------------------------------------------------------------------------------


def blocks(account: Account) -> dict[str, str]:
    """Return the blocks of the page by name."""
    return {
        "account": _account(account),
        "facts": _facts(account),
        "zones": _zones(account),
        "rungs": _rungs(account),
        "nearest": _nearest(account),
        "policies": _policies(account),
        "cures": _cures(account),
        "crises": _crises(account),
        "draw": _draw(account),
    }


def _account(account: Account) -> str:
    row, own = account.summary, account.drawn
    exposure = crossmargin.exposure(account.book).records()[0]
    below, above = account.triggers
    short = own.sold
    return table(
        ("", ""),
        [
            ("positions", f"{len(own.options)} options ({short} short, {len(own.options) - short} "
             f"long) and {money(account.hedge)} USD of {chain.PERPETUAL} long"),
            ("BTC index", f"{own.index:,.0f} USD"),
            ("equity", f"{money(row['equity_gross'])} USD, of it cash {chain.CASH:.0f} BTC"),
            ("initial margin", f"{money(row['im'])} USD"),
            ("maintenance margin", f"{money(row['mm'])} USD"),
            ("usage: maintenance margin over equity, 1 is liquidation", usage(row["usage"])),
            ("the scenario that decides", row["worst_scenario"]),
            ("delta, BTC", f"{_number(exposure['delta']) + 0.0:.1f}"),
            ("gamma of a 1 % move, vega per point, theta per day, USD",
             ", ".join(money(_number(exposure[name])) for name in ("gamma_1pct", "vega", "theta"))),
            ("liquidated below, above", f"{below:,.0f} ({percent(below / own.index - 1)}), "
             f"{above:,.0f} ({percent(above / own.index - 1)})"),
        ],
    )  # fmt: skip


def _facts(account: Account) -> str:
    own, (below, above) = account.drawn, account.triggers
    again = next(
        row for row in account.zones if row["zone"] == "safe" and row["from"] > own.index
    )["from"]
    shield, marks = account.hedges[0], {row["instrument"]: row for row in own.options}
    symbol = str(shield["symbol"])
    worth = own.sizes[symbol] * float(marks[symbol]["mark_coin"]) * own.index
    deposit = next(one for one in account.cures if one.trades[0]["action"] == "deposit")
    others = sorted(
        (one for one in account.cures if one.trades[0]["action"] == "close"),
        key=lambda one: one.cost,
    )
    plan = others[0]
    perpetual = next(one for one in others if one.trades[0]["symbol"] == chain.PERPETUAL)
    rise = {one.policy.partition(":")[0]: one for one in account.after_jumps[UP]}
    best, worst = rise["marginal_per_cost"], rise["all_at_once"]
    large = rise["largest_notional"]
    sentences = [
        f"**It is liquidated on both sides, and safe again beyond.** Below {below:,.0f}; between "
        f"{above:,.0f} and {again:,.0f}; above {again:,.0f} the far calls that it bought outweigh "
        f"the nearer ones that it sold. One liquidation price would hide two of the three.",
        f"**A put worth {money(worth)} USD holds {money(-_raises(shield))} of margin.** {symbol}, "
        f"{own.sizes[symbol]:g} BTC long, expires next morning; selling it alone raises the "
        f"maintenance margin by that much. {len(account.hedges)} of the 300 positions are such "
        f"hedges: they must not be closed first.",
        f"**The delta hedge is the largest single cost of margin.** The worst scenario is "
        f"{account.summary['worst_scenario']}, where the long {chain.PERPETUAL} loses. The venue "
        f"closes it first, and selling {perpetual.trades[0]['qty'] / account.hedge:.0%} of it "
        f"would bring usage to {perpetual.usage:.2f} for {money(perpetual.cost)}: at the price of "
        f"a delta of {perpetual.delta:+,.0f} BTC"
        + (
            f" and a trigger above that comes from {above:,.0f} to {perpetual.above:,.0f}."
            if perpetual.above
            else "."
        ),
        f"**The cheapest cure that trades costs {money(plan.cost)} USD:** {plan.words}, beside the "
        f"premium that is paid for them. It moves the trigger below from {below:,.0f} to "
        + (f"{plan.below:,.0f}. " if plan.below else "none. ")
        + f"A deposit of {deposit.trades[0]['qty']:,.1f} BTC does the same for usage, trades "
        f"nothing and moves both triggers outwards.",
        f"**The order decides who goes bankrupt.** BTC {percent(UP, 0)}, the same prices for all: "
        f"closing what frees most margin per cost leaves {money(best.left)} after {best.closings} "
        f"closings; closing the largest notional first sells the far calls, raises the margin in "
        f"{large.warnings} of {large.closings} closings and leaves {money(large.left)}; closing "
        f"everything at once leaves a debt of {money(-worst.left)}.",
    ]
    return bullets(sentences)


def _zones(account: Account) -> str:
    index = account.drawn.index
    rows = []
    for row in account.zones:
        state, low, high = zone(row)
        moves = [
            "" if row[end] in {"open", "end of search"} else percent(row[name] / index - 1)
            for end, name in (("begins", "from"), ("ends", "to"))
        ]
        rows.append((state, low, high, *moves))
    return table(("account is", "from, USD", "to, USD", "move from", "move to"), rows)


def _rungs(account: Account) -> str:
    rows = []
    for move, closings in account.rungs:
        first, last = closings[0], closings[-1]
        size = money(first["qty"]) if first["symbol"] == chain.PERPETUAL else f"{first['qty']:g}"
        unit = "USD" if first["symbol"] == chain.PERPETUAL else "BTC"
        trades = sum(row["action"] != "hedge" for row in closings)
        rows.append(
            (
                percent(move, 0),
                f"{first['side']} {size} {unit} of {first['symbol']}",
                f"{account.drawn.index * (1 + move):,.0f}",
                usage(first["usage_before"]),
                trades,
                len(closings) - trades,
                money(sum(row["cost"] for row in closings)),
                money(first["equity_before"]),
                money(last["equity_after"]),
                usage(last["usage_after"], 3),
            )
        )
    header = (
        "BTC moves", "closed first", "BTC, USD", "usage", "closings", "hedges", "cost, USD",
        "equity before", "after", "usage after",
    )  # fmt: skip
    return table(header, rows, words=2)


def _nearest(account: Account) -> str:
    found = crossmargin.nearest_scenarios(account.book).records()
    rows = [
        (
            row["scenario"],
            row["first_liquidated"],
            f"{_number(row['sigmas']):.2f}",
            f"{_number(row['one_day_probability']):.2%}",
        )
        for row in found
    ]
    return table(("scenario", "closed first", "one-day sigmas", "probability"), rows, words=2)


def _policies(account: Account) -> str:
    header = (
        "policy", "its name", "BTC", "closings", "raise the margin", "cost, USD", "equity left",
        "how it ends",
    )  # fmt: skip
    rows = [
        (
            in_words(one.policy), f"`{one.policy}`", percent(move, 0), one.closings, one.warnings,
            money(one.cost), money(one.left), one.end,
        )
        for move, found in account.after_jumps.items()
        for one in found
    ]  # fmt: skip
    return table(header, rows, words=2)


def _cures(account: Account) -> str:
    rows = [
        (
            one.words,
            money(one.cost),
            f"{one.usage:.3f}",
            "none" if one.below is None else f"{one.below:,.0f}",
            "none" if one.above is None else f"{one.above:,.0f}",
            f"{one.delta:+,.1f}",
        )
        for one in account.cures
    ]
    header = ("cure", "cost, USD", "usage", "trigger below", "trigger above", "delta, BTC")
    return table(header, rows)


def _crises(account: Account) -> str:
    rows = [
        (
            str(row["note"]).partition(";")[0],
            money(row["pnl"] + row["collateral_change"]),
            money(row["equity"]),
            usage(row["usage"]),
            money(row["shortfall"]),
        )
        for row in account.crises
    ]
    return table(("crisis", "change, USD", "equity", "usage", "owed after liquidation"), rows)


def _draw(account: Account) -> str:
    own = account.drawn
    crossed, without = own.crossing()
    return bullets(
        [
            f"The chain holds {own.chain} BTC options; {own.candidates} of them had open interest "
            f"and a delta within {chain.DEEPEST:g}. {chain.OPTIONS} were drawn (seed {chain.SEED}).",
            f"Deltas below {chain.TAILS:g} are bought, {chain.SIZES['tail']:g} BTC on average (tails "
            f"for a catastrophe); up to {chain.WINGS:g} sold, {-chain.SIZES['wing']:g} BTC (the "
            f"wings that customers buy); the rest is a calendar: sold within {chain.FRONT_DAYS:.0f} "
            f"days, bought beyond, {chain.SIZES['back']:g} BTC. Each size is drawn from half to one "
            f"and a half of these.",
            f"{chain.PERPETUAL}, taken at the index, {money(account.hedge)} USD: the delta is zero.",
            f"Cash of {chain.CASH:.0f} BTC was chosen for a usage of about 0.65.",
            f"Half of the quoted spreads of the whole book come to {money(crossed)} USD, and "
            f"{without} of the {chain.OPTIONS} options had no bid or no offer at that minute: the "
            f"costs on this page, by delta, are the kinder ones.",
        ]
    )


# Charts -----------------------------------------------------------------------------------------


def draw_ladder(account: Account, path: Path) -> None:
    """Draw usage over the price of BTC, where it is liquidated, and what is closed at each rung."""
    plt = plotting()
    figure, axes = plt.subplots(figsize=(11, 5.6), layout="constrained")
    index, largest = account.drawn.index, 8.0
    prices = [row["price"] / 1000 for row in account.ladder]
    usages = [
        row["usage"] if isinstance(row["usage"], float) else 2 * largest for row in account.ladder
    ]
    for row in account.zones:
        if row["zone"] != "safe":
            axes.axvspan(row["from"] / 1000, row["to"] / 1000, color=RED, alpha=0.6, linewidth=0)
    axes.plot(prices, usages, color=BLUE, linewidth=1.8)
    axes.axhline(1.0, color="black", linewidth=0.8)
    axes.axvline(index / 1000, color="#999999", linewidth=0.8, linestyle="--")
    axes.annotate(" today", (index / 1000, 0.31), fontsize=10)
    for move, closings in account.rungs:
        first = closings[0]
        trades = sum(row["action"] != "hedge" for row in closings)
        at = (index * (1 + move) / 1000, first["usage_before"])
        axes.plot(*at, marker="o", color=ORANGE, markersize=6)
        words = f"{trades} closing{'s' * (trades > 1)}, cost {money(_cost(closings))}"
        if trades == 1:
            words = f"sells {money(first['qty'])} of the perpetual"
        axes.annotate(words, at, xytext=(8, -3), textcoords="offset points", fontsize=9)
    for row in account.zones[:-1]:
        edge = row["to"]
        axes.annotate(
            f"{edge:,.0f}", (edge / 1000, 1.0), xytext=(3, 4), textcoords="offset points", fontsize=9
        )
    axes.set_yscale("log")
    axes.set_ylim(0.3, largest)
    axes.set_yticks([0.5, 1.0, 2.0, 5.0], ["0.5", "1", "2", "5"])
    axes.minorticks_off()
    axes.set_xlim(prices[0], prices[-1])
    axes.set_xlabel("BTC, thousand USD")
    axes.set_ylabel("usage (1 is liquidation)")
    axes.set_title("Usage over the price of BTC; shaded: liquidated; dots: the venue's rule after a jump to there", loc="left")
    plain(axes)
    save(figure, path)


def _cost(rows: Sequence[Row]) -> float:
    return float(sum(row["cost"] for row in rows))


def draw_map(account: Account, path: Path) -> None:
    """Draw usage over the price of BTC and implied volatility."""
    plt = plotting()
    figure, axes = plt.subplots(figsize=(9, 6), layout="constrained")
    figures = (account.map("usage"), account.map("excess"))
    labels = ("BTC moves by", "implied volatilities move by")
    drawn = heat(axes, (ACROSS, VOLATILITIES), figures, labels)
    figure.colorbar(drawn, ax=axes, label="usage (1 and the line: liquidation)", extend="max")
    axes.set_title("Where the account is liquidated: price and volatility", loc="left")
    save(figure, path)


def draw_policies(account: Account, path: Path) -> None:
    """Draw what five policies leave, after a fall and after a rise."""
    plt = plotting()
    figure, axes = plt.subplots(2, 1, figsize=(11, 6), layout="constrained")
    for own, (move, found) in zip(axes, account.after_jumps.items(), strict=True):
        bars(own, found, f"BTC {percent(move, 0)} at once, USD million")
    handles, labels = axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    save(figure, path)


def main() -> int:
    """Write the blocks of the page and its pictures."""
    account = Account(shared_folder())
    PAGE.write_text(
        with_blocks(PAGE.read_text(encoding="utf-8"), blocks(account)), encoding="utf-8"
    )
    draw_ladder(account, LADDER)
    draw_map(account, MAP)
    draw_policies(account, POLICIES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
