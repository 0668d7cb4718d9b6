"""Makes the figures and charts of `liquidation-hyperliquid.md` from a real book of 83 perpetuals.

Run it as ``python docs/make_liquidation_hyperliquid.py`` after `make extension`. It writes the
blocks of the page and its pictures. The book itself is not in the repository: it lies in
`../shared`, or where CROSSMARGIN_SHARED says.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the pages share modules

import crossmargin
from docs.hyperliquid_book import (
    ETHER,
    GAP,
    RALLY,
    SECOND,
    TARGET,
    Account,
    closed,
    ether_at,
    single,
)
from docs.liquidation_charts import BLUE, ORANGE, RED, bars, heat, plain, plotting, save
from docs.liquidation_pages import (
    DOCS,
    bullets,
    cost_of,
    in_words,
    money,
    percent,
    sentence,
    shared_folder,
    table,
    usage,
    with_blocks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAGE: Final = DOCS / "liquidation-hyperliquid.md"
LADDER: Final = DOCS / "liquidation-hyperliquid-ladder.png"
MAP: Final = DOCS / "liquidation-hyperliquid-map.png"
POLICIES: Final = DOCS / "liquidation-hyperliquid-policies.png"


# Blocks -----------------------------------------------------------------------------------------


def blocks(account: Account) -> dict[str, str]:
    """Return the blocks of the page by name."""
    return {
        "account": _account(account),
        "facts": _facts(account),
        "first": sentence(account.today),
        "rungs": _rungs(account),
        "nearest": _nearest(account),
        "policies": _policies(account),
        "cures": _cures(account),
        "crises": _crises(account),
    }


def _account(account: Account) -> str:
    row = account.summary
    sizes = [float(one["size"]) * float(one["mark_price"]) for one in account.rows]
    gross, net = sum(map(abs, sizes)), sum(sizes)
    ether = next(one for one in account.rows if one["coin"] == "ETH")
    mine, alone = account.prices["ETH"]["up"], account.prices["ETH"]["up_pct"]
    below = sum(one["down"] is not None for one in account.prices.values())
    together = account.together["to_pct"]
    return table(
        ("", "USDC"),
        [
            ("positions, long and short", (f"{len(sizes)}, {sum(one > 0 for one in sizes)} and "
             f"{sum(one < 0 for one in sizes)}")),
            ("gross, net", f"{money(gross)}, {money(net)}"),
            ("equity", money(row["equity_gross"])),
            ("initial margin", money(row["im"])),
            ("maintenance margin", money(row["mm"])),
            ("usage: maintenance margin over equity, 1 is liquidation", usage(row["usage"])),
            ("ETH alone: liquidated at", f"{mine:,.2f} ({percent(alone)})"),
            ("the exchange's own figure", f"{float(ether['liquidation_price']):,.2f}"),
            ("all coins together: liquidated at", percent(together)),
            ("coins that liquidate the account by falling", below),
        ],
    )  # fmt: skip


def _facts(account: Account) -> str:
    rungs, gap = account.rungs, account.after_a_gap
    first, last = rungs[0], rungs[-1]
    begin, end = ether_at(first), ether_at(last)
    spent = sum(cost_of(rung) for rung in rungs)
    venue = next(one for one in gap if one.policy.startswith("venue"))
    best = max(gap, key=lambda one: one.left)
    traded = [steps for steps in account.cures.values() if steps[0]["action"] == "close"]
    plan = min(traded, key=cost_of)
    how = f"a plan of {len(plan)} positions" if len(plan) > 1 else f"{plan[0]['symbol']} alone"
    fewer = [steps for steps in traded if 1 < len(steps) < len(plan)]
    few = min(fewer, key=len, default=None)
    also = f", one of {len(few)} positions {money(cost_of(few))}" if few else ""
    ether, other = single(account, "ETH"), single(account)
    later = next(row for row in account.ladders["ALL"] if row["price_move"] == RALLY)
    sentences = [
        (
            f"**The danger is a rally.** No fall of any coin liquidates the account, and each of "
            f"the {len(account.crises)} crises of the library is a gain (the largest "
            f"{money(max(row['pnl'] for row in account.crises))})."
        ),
        (
            f"**The price on the screen is that of one coin alone:** ETH "
            f"{percent(account.prices['ETH']['up_pct'])}. If all coins rise together, "
            f"{percent(account.together['to_pct'])} is enough."
        ),
        (
            f"**A low usage is no distance.** It is {usage(account.summary['usage'])} "
            f"today and {usage(later['usage'])} once all coins stand {100 * RALLY:.0f} % higher, "
            f"a few percent before the end."
        ),
        (
            f"**One liquidation does not end it.** The rule closes a fifth of every large "
            f"position at ETH {begin:,.0f}; that alone leaves the account safe, and the next few "
            f"dollars start it again. {len(rungs)} rounds later, at ETH {end:,.0f} "
            f"({percent(end / begin - 1)} further), {money(last[0]['equity_after'])} is left of "
            f"{money(first[0]['equity_before'])}; closing alone has cost {money(spent)}."
        ),
        (
            f"**A jump is worse than a walk.** If all coins jump {100 * GAP:.0f} % at once, equity "
            f"is below two thirds of the maintenance margin, and the exchange's vault takes the "
            f"whole account with {money(venue.taken)} of equity in it. Closed by the owner at the "
            f"same prices, what frees most margin per cost first, {money(best.left)} would remain."
        ),
        (
            f"**The largest position is the wrong one to close.** After a rally of "
            f"{100 * RALLY:.0f} %, back to a usage of {TARGET:.2f}: closing ETH costs "
            f"{money(cost_of(ether))}, closing {other[0]['symbol']} {money(cost_of(other))} for "
            f"the same relief, because its maintenance rate is higher. The cheapest proposal "
            f"that trades is {how}: {money(cost_of(plan))}{also}."
        ),
    ]
    return bullets(sentences)


def _rungs(account: Account) -> str:
    rows = []
    for number, rung in enumerate(account.rungs, start=1):
        largest = sorted(rung, key=lambda row: -row["qty"] * row["price"])[:3]
        row = rung[0]
        rows.append(
            (
                number,
                ", ".join(one["symbol"] for one in largest)
                + (f" and {len(rung) - 3} more" if len(rung) > len(largest) else ""),
                f"{ether_at(rung):,.0f}",
                money(closed(rung)),
                money(cost_of(rung)),
                money(row["equity_before"]),
                money(row["equity_after"]),
                usage(row["usage_before"], 3),
                usage(row["usage_after"], 3),
            )
        )
    header = (
        "step", "closed, largest first", "ETH", "closed, USDC", "cost", "equity before", "after",
        "usage before", "after",
    )  # fmt: skip
    return table(header, rows, words=2)


def _nearest(account: Account) -> str:
    found = crossmargin.nearest_scenarios(account.today, unit="pct").records()[:5]
    return table(
        ("scenario", "found by"), [(row["scenario"], row["search"]) for row in found], words=2
    )


def _policies(account: Account) -> str:
    header = (
        "policy", "its name", "state", "closed first", "closings", "cost", "equity left",
        "how it ends",
    )  # fmt: skip
    states = (
        ("ETH just past its trigger", account.at_the_trigger),
        (f"all coins {percent(GAP, 0)}", account.after_a_gap),
    )
    rows = [
        (
            in_words(one.policy),
            f"`{one.policy}`",
            state,
            one.first,
            one.closings,
            money(one.cost),
            money(one.left),
            one.end,
        )
        for state, found in states
        for one in found
    ]
    return table(header, rows, words=4)


def _cures(account: Account) -> str:
    rows = []
    for number, steps in sorted(account.cures.items()):
        last = steps[-1]
        first = steps[0]
        if len(steps) > 1:
            parts = sorted(steps, key=lambda row: row["cost"], reverse=True)[:4]
            words = f"{len(steps)} positions closed, dearest: " + ", ".join(
                str(row["symbol"]) for row in parts
            )
        elif first["action"] == "deposit":
            words = f"deposit {money(first['qty'])} {first['symbol']}"
        elif first["symbol"] in account.prices:
            words = f"{first['side']} {first['qty']:,.0f} {first['symbol']}"
        else:
            words = f"close {100 * first['qty']:.1f} % of every position"
        rows.append(
            (f"{number:.0f}", words, money(cost_of(steps)), usage(last["usage_after"]),
             money(last["delta_after"]))
        )  # fmt: skip
    return table(("rank", "what", "cost", "usage after", "net position after"), rows, words=2)


def _crises(account: Account) -> str:
    rows = [
        (
            str(row["note"]).partition(";")[0],
            money(row["pnl"]),
            money(row["equity"]),
            usage(row["usage"]),
        )
        for row in account.crises
    ]
    return table(("crisis", "gain", "equity after", "usage after"), rows)


# Charts -----------------------------------------------------------------------------------------


def draw_ladder(account: Account, path: Path) -> None:
    """Draw usage along two paths, and the rounds of closing beyond the trigger."""
    plt = plotting()
    figure, (whole, near) = plt.subplots(
        1, 2, figsize=(11, 5), width_ratios=(5, 6), layout="constrained"
    )
    for coin, colour, words in (("ETH", BLUE, "ETH alone"), ("ALL", ORANGE, "all coins together")):
        rows = [row for row in account.ladders[coin] if isinstance(row["usage"], float)]
        moves = [100 * row["price_move"] for row in rows]
        whole.plot(moves, [row["usage"] for row in rows], color=colour, linewidth=1.8, label=words)
    for end, colour in (
        (account.prices["ETH"]["up_pct"], BLUE),
        (account.together["to_pct"], ORANGE),
    ):
        whole.plot([100 * end], [1.0], marker="o", color=colour)
        whole.annotate(
            percent(end), (100 * end, 1.0), xytext=(-6, 7), textcoords="offset points", ha="right"
        )
    whole.axhspan(1.0, 10.0, color=RED, alpha=0.6, linewidth=0)
    whole.set_yscale("log")
    whole.set_ylim(0.01, 2.5)
    whole.set_yticks([0.01, 0.1, 0.5, 1.0, 2.0], ["0.01", "0.1", "0.5", "1", "2"])
    whole.set_xlim(-50, 70)
    whole.set_xlabel("move, %")
    whole.set_ylabel("usage (1 is liquidation)")
    whole.set_title("Usage as prices move", loc="left")
    whole.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, 0.9))
    plain(whole)
    _draw_rounds(account, near)
    save(figure, path)


def _draw_rounds(account: Account, axes: Axes) -> None:
    prices = [ether_at(rung) for rung in account.rungs]
    before = [rung[0]["usage_before"] for rung in account.rungs]
    after = [rung[0]["usage_after"] for rung in account.rungs]
    line = [one for pair in zip(before, after, strict=True) for one in pair]
    axes.plot([price for price in prices for _ in "12"], line, color=BLUE, linewidth=1.4)
    axes.plot(prices, before, linestyle="none", marker="o", color=BLUE, markersize=4)
    axes.axhspan(1.0, 1.3, color=RED, alpha=0.6, linewidth=0)
    for number, rung in enumerate(account.rungs[:-1], start=1):
        at = (prices[number - 1], before[number - 1])
        axes.annotate(
            f"{number}: {money(closed(rung))}",
            at,
            xytext=(2, 8),
            textcoords="offset points",
            rotation=65,
            fontsize=9,
        )
    axes.annotate(
        f"{len(prices)}: the rest, {money(closed(account.rungs[-1]))}",
        (prices[-1], 0.80),
        xytext=(-8, 0),
        textcoords="offset points",
        ha="right",
        fontsize=9,
    )
    axes.set_ylim(0.78, 1.2)
    axes.set_xlim(prices[0] - 15, prices[-1] + 45)
    axes.set_xlabel("ETH, USDC")
    axes.set_ylabel("usage")
    axes.set_title("Beyond the trigger: what each round closes, USDC", loc="left")
    plain(axes)


def draw_map(account: Account, path: Path) -> None:
    """Draw usage over moves of the two largest coins."""
    plt = plotting()
    figure, axes = plt.subplots(figsize=(9, 6), layout="constrained")
    figures = (account.map("usage"), account.map("excess"))
    drawn = heat(axes, (ETHER, SECOND), figures, ("ETH moves by", "SOL moves by"))
    figure.colorbar(drawn, ax=axes, label="usage (1 and the line: liquidation)", extend="max")
    axes.set_title("Where the account is liquidated: ETH and SOL, all others unchanged", loc="left")
    save(figure, path)


def draw_policies(account: Account, path: Path) -> None:
    """Draw what five policies leave, in two states."""
    plt = plotting()
    figure, axes = plt.subplots(2, 1, figsize=(11, 6), layout="constrained")
    bars(axes[0], account.at_the_trigger, "ETH just past its trigger, USDC million")
    bars(axes[1], account.after_a_gap, f"All coins {percent(GAP, 0)} at once, USDC million")
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
