"""Makes the figures and charts of `liquidation-options.md` from an option chain of a crash.

Run it as ``python docs/make_liquidation_options.py`` after `make extension`. It writes the blocks
of the page and its pictures. The chain is not in the repository: it lies in `../shared`, or where
CROSSMARGIN_SHARED says.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the pages share modules

import crossmargin
from docs import crash_chain_book as chain
from docs.crash_chain_answers import ACROSS, UP, VOLATILITIES, Account, raises
from docs.liquidation_charts import BLUE, ORANGE, RED, bars, heat, plain, plotting, save
from docs.liquidation_pages import (
    DOCS,
    bullets,
    cost_of,
    in_words,
    money,
    number,
    percent,
    sentence,
    shared_folder,
    table,
    usage,
    with_blocks,
    zone,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE: Final = DOCS / "liquidation-options.md"
LADDER: Final = DOCS / "liquidation-options-ladder.png"
MAP: Final = DOCS / "liquidation-options-map.png"
POLICIES: Final = DOCS / "liquidation-options-policies.png"


# Blocks -----------------------------------------------------------------------------------------


def blocks(account: Account) -> dict[str, str]:
    """Return the blocks of the page by name."""
    return {
        "account": _account(account),
        "facts": _facts(account),
        "first": sentence(account.book),
        "zones": _zones(account),
        "rungs": _rungs(account),
        "nearest": _nearest(account),
        "policies": _policies(account),
        "cures": _cures(account),
        "plan": _plan(account),
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
            ("positions", (f"{len(own.options)} options ({short} short, {len(own.options) - short} "
             f"long) and {money(account.hedge)} USD of {chain.PERPETUAL} long")),
            ("BTC index", f"{own.index:,.0f} USD"),
            ("equity", f"{money(row['equity_gross'])} USD, of it cash {chain.CASH:.0f} BTC"),
            ("initial margin", f"{money(row['im'])} USD"),
            ("maintenance margin", f"{money(row['mm'])} USD"),
            ("usage: maintenance margin over equity, 1 is liquidation", usage(row["usage"])),
            ("the scenario that decides", row["worst_scenario"]),
            ("delta, BTC", f"{round(number(exposure['delta']), 1) + 0.0:.1f}"),
            ("gamma of a 1 % move, vega per point, theta per day, USD",
             ", ".join(money(number(exposure[name])) for name in ("gamma_1pct", "vega", "theta"))),
            ("liquidated below, above", (f"{below:,.0f} ({percent(below / own.index - 1)}), "
             f"{above:,.0f} ({percent(above / own.index - 1)})")),
        ],
    )  # fmt: skip


def _facts(account: Account) -> str:
    own, (below, above) = account.drawn, account.triggers
    again = next(row for row in account.zones if row["zone"] == "safe" and row["from"] > own.index)[
        "from"
    ]
    shield, marks = account.hedges[0], {row["instrument"]: row for row in own.options}
    symbol = str(shield["symbol"])
    worth = own.sizes[symbol] * float(marks[symbol]["mark_coin"]) * own.index
    deposit = next(one for one in account.cures if one.trades[0]["action"] == "deposit")
    perpetual = next(one for one in account.cures if one.trades[0]["symbol"] == chain.PERPETUAL)
    part = number(perpetual.trades[0]["qty"]) / account.hedge
    plan = account.plan
    share = number(account.perpetual["incremental"]) / number(account.summary["mm"])
    rise = {one.policy.partition(":")[0]: one for one in account.after_jumps[UP]}
    best, worst = rise["marginal_per_cost"], rise["all_at_once"]
    large = rise["largest_notional"]
    sentences = [
        (
            f"**It is liquidated on both sides, and safe again beyond.** Below {below:,.0f}; "
            f"between {above:,.0f} and {again:,.0f}; above {again:,.0f} the far calls that it "
            f"bought outweigh the nearer ones that it sold. One liquidation price would hide two "
            f"of the three."
        ),
        (
            f"**A put worth {money(worth)} USD holds {money(-raises(shield))} of margin.** "
            f"{symbol}, {own.sizes[symbol]:g} BTC long, expires {_moment(marks[symbol])}; "
            f"selling it raises the maintenance margin by that much. {len(account.hedges)} of the "
            f"300 positions are such hedges: closing any of them alone raises it."
        ),
        (
            f"**The delta hedge is the dearest position in margin.** The scenario that decides is "
            f"{account.summary['worst_scenario']}, where the long {chain.PERPETUAL} loses: "
            f"{100 * share:.0f} % of the maintenance margin would go with it. The venue closes it "
            f"first. Its owner had better not: selling {100 * part:.0f} % of it brings usage to "
            f"{perpetual.usage:.2f}, leaves a delta of {perpetual.delta:+,.0f} BTC and moves the "
            f"trigger above from {above:,.0f} to {_price(perpetual.above)}."
        ),
        (
            f"**The cheapest cure that trades costs {money(plan.cost)} USD:** {plan.words}. The "
            f"trigger below goes from {below:,.0f} to {_price(plan.below)}. A deposit of "
            f"{deposit.trades[0]['qty']:,.1f} BTC does the same for usage and trades nothing; the "
            f"trigger below becomes {_price(deposit.below)}, the one above "
            f"{'vanishes' if deposit.above is None else _price(deposit.above)}."
        ),
        (
            f"**The order decides who goes bankrupt.** BTC {percent(UP, 0)}, the same prices for "
            f"all: closing what frees most margin per cost leaves {money(best.left)} after "
            f"{best.closings} closings; closing the largest notional first sells the far calls, "
            f"raises the margin in {large.warnings} of {large.closings} closings and leaves "
            f"{money(large.left)}; closing everything at once leaves a debt of "
            f"{money(-worst.left)}."
        ),
    ]
    return bullets(sentences)


def _moment(option: Mapping[str, str]) -> str:
    return option["expiry_utc"].replace("T", " ").replace(":00Z", " UTC")


def _price(price: float | None) -> str:
    return "none" if price is None else f"{price:,.0f}"


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
            f"{number(row['sigmas']):.2f}",
            f"1 in {1 / number(row['one_day_probability']):,.0f}",
        )
        for row in found
    ]
    return table(
        ("scenario", "closed first", "one-day sigmas", "going beyond in one day"), rows, words=2
    )


def _policies(account: Account) -> str:
    header = (
        "policy", "its name", "BTC", "closed first", "closings", "made it worse", "cost, USD",
        "equity left", "how it ends",
    )  # fmt: skip
    rows = [
        (
            in_words(one.policy), f"`{one.policy}`", percent(move, 0), one.first, one.closings,
            one.warnings, money(one.cost), money(one.left), one.end,
        )
        for move, found in account.after_jumps.items()
        for one in found
    ]  # fmt: skip
    return table(header, rows, words=4)


def _cures(account: Account) -> str:
    rows = [
        (
            one.words,
            money(one.cost),
            f"{one.usage:.3f}",
            _price(one.below),
            _price(one.above),
            f"{one.delta:+,.1f}",
        )
        for one in account.cures
    ]
    header = ("cure", "cost, USD", "usage", "trigger below", "trigger above", "delta, BTC")
    return table(header, rows)


def _plan(account: Account) -> str:
    by_expiry: dict[str, list[dict[str, object]]] = {}
    for trade in account.plan.trades:
        by_expiry.setdefault(str(trade["symbol"]).split("-")[1], []).append(trade)
    expiry = {row["instrument"].split("-")[1]: row["expiry_utc"] for row in account.drawn.options}
    rows = [
        (
            name,
            ", ".join(f"{float(str(one['symbol']).split('-')[2]):,.0f}" for one in trades),
            f"{sum(number(one['qty']) for one in trades):,.1f}",
            money(cost_of(trades)),
        )
        for name, trades in sorted(by_expiry.items(), key=lambda pair: expiry[pair[0]])
    ]
    return table(("expiry", "strikes of the puts", "BTC bought back", "cost, USD"), rows, words=2)


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
            (
                f"The chain holds {own.chain} BTC options; {own.candidates} of them had open "
                f"interest and a delta within {chain.DEEPEST:g}. {chain.OPTIONS} were drawn (seed "
                f"{chain.SEED})."
            ),
            (
                f"Deltas below {chain.TAILS:g} are bought, {chain.SIZES['tail']:g} BTC on average "
                f"(tails for a catastrophe); up to {chain.WINGS:g} sold, {-chain.SIZES['wing']:g} "
                f"BTC (the wings that customers buy); the rest is a calendar: sold within "
                f"{chain.FRONT_DAYS:.0f} days, bought beyond, {chain.SIZES['back']:g} BTC. Each "
                f"size is drawn from half to one and a half of these."
            ),
            (
                f"{chain.PERPETUAL}, taken at the index, {money(account.hedge)} USD: the delta is "
                f"zero."
            ),
            f"Cash of {chain.CASH:.0f} BTC was chosen for a usage of about 0.65.",
            (
                f"Half of the quoted spreads of the whole book come to {money(crossed)} USD, and "
                f"{without} of the {chain.OPTIONS} options had no bid or no offer at that minute: "
                f"the costs on this page, by delta, are the kinder ones."
            ),
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
    highest = max(steps[0]["usage_before"] for move, steps in account.rungs if move > 0)
    for move, closings in account.rungs:
        first = closings[0]
        trades = sum(row["action"] != "hedge" for row in closings)
        at = (index * (1 + move) / 1000, first["usage_before"])
        axes.plot(*at, marker="o", color=ORANGE, markersize=6)
        words = f"{trades} closing{'s' * (trades > 1)}, cost {money(cost_of(closings))}"
        if trades == 1:
            words = f"sells {money(first['qty'])} of the perpetual"
        beside = (8, 8) if first["usage_before"] == highest else (8, -3)  # above the peak
        axes.annotate(words, at, xytext=beside, textcoords="offset points", fontsize=9)
    for row in account.zones[:-1]:
        edge = row["to"]
        axes.annotate(f" {edge:,.0f}", (edge / 1000, 0.31), fontsize=10)
    axes.set_yscale("log")
    axes.set_ylim(0.3, largest)
    axes.set_yticks([0.5, 1.0, 2.0, 5.0], ["0.5", "1", "2", "5"])
    axes.minorticks_off()
    axes.set_xlim(prices[0], prices[-1])
    axes.set_xlabel("BTC, thousand USD")
    axes.set_ylabel("usage (1 is liquidation)")
    axes.set_title(
        "Usage over the price of BTC. Shaded: liquidated. Dots: what the venue closes if BTC "
        "jumps there",
        loc="left",
    )
    plain(axes)
    save(figure, path)


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
