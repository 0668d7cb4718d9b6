"""What the two pages about liquidation share: words for numbers, tables, blocks and charts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.axes import Axes

    import crossmargin

DOCS: Final = Path(__file__).resolve().parent
BLUE, ORANGE, GREY, RED = "#0b5394", "#c55a11", "#8c8c8c", "#f4c7c3"
THOUSAND, MILLION = 1e3, 1e6
UNBOUNDED: Final = 1e12  # beyond any excess: where the account is bankrupt the colour is the last

Row = dict[str, Any]


def shared_folder() -> Path:
    """Return the folder of the market data."""
    return Path(os.environ.get("CROSSMARGIN_SHARED", DOCS.parent.parent / "shared")) / "data"


def money(amount: float) -> str:
    """Return an amount with its unit of size: 57.8 M, 302 k, 12."""
    size = abs(amount)
    if size >= MILLION:
        return f"{amount / MILLION:,.2f} M"
    return f"{amount / THOUSAND:,.0f} k" if size >= 10 * THOUSAND else f"{amount:,.0f}"


def percent(fraction: float, digits: int = 1) -> str:
    """Return a move with its sign: +56.7 %."""
    return f"{100 * fraction:+.{digits}f} %"


def usage(value: object, digits: int = 2) -> str:
    """Return a usage, or the word that stands for it where no equity is left."""
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value or "no equity")


def table(header: Sequence[str], rows: Iterable[Sequence[object]], words: int = 1) -> str:
    """Return a table of the page; the first columns hold words, the others are aligned right."""
    rule = ["---"] * words + ["--:"] * (len(header) - words)
    lines = [header, rule, *([str(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


POLICY_WORDS: Final = {
    "venue": "the venue's own rule",
    "marginal_per_cost": "most margin freed per cost",
    "highest_risk_contribution": "largest share of the margin",
    "largest_notional": "largest notional",
    "pro_rata": "the same share of everything",
    "all_at_once": "everything at once",
}


def in_words(policy: str) -> str:
    """Return a policy in words; the venue's own carries the name of its rule behind a colon."""
    return POLICY_WORDS[policy.partition(":")[0]]


def bullets(sentences: Iterable[str]) -> str:
    """Return sentences as a list."""
    return "".join(f"* {sentence}\n" for sentence in sentences)


def marks(name: str) -> tuple[str, str]:
    """Return the lines between which a block stands in its page."""
    return f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"


def with_blocks(text: str, blocks: Mapping[str, str]) -> str:
    """Return a page with its blocks made again."""
    for name, block in blocks.items():
        opening, closing = marks(name)
        before, found, rest = text.partition(opening)
        if not found or closing not in rest:
            raise ValueError(f"the page has no place for the block {name}")
        text = before + opening + block + closing + rest.partition(closing)[2]
    return text


def zone(row: Row) -> tuple[str, str, str]:
    """Return a range of a price: state, from, to; the search's own ends carry no price."""
    ends = ("open", "end of search")
    low = "any lower" if row["begins"] in ends else f"{row['from']:,.0f}"
    high = "any higher" if row["ends"] in ends else f"{row['to']:,.0f}"
    return str(row["zone"]), low, high


@dataclass(frozen=True)
class Outcome:
    """What a policy leaves of an account: money in the reporting currency."""

    policy: str
    closings: int
    left: float
    cost: float
    taken: float
    warnings: int
    end: str


def outcomes(found: crossmargin.Table) -> list[Outcome]:
    """Return the rows of a comparison of policies; what is neither left nor cost was taken."""
    made = []
    for row in found.records():
        before, left, cost = (
            float(str(row[name])) for name in ("equity_before", "equity_left", "cost")
        )
        closings, warnings = (int(float(str(row[name]))) for name in ("closings", "warnings"))
        taken = before - left - cost
        taken = taken if taken > 1.0 else 0.0  # less is rounding
        policy, end = str(row["policy"]), str(row["end"])
        if left < 0 and "owes" not in end:
            end = f"{end}; owes {money(-left)}"
        made.append(Outcome(policy, closings, left, cost, taken, warnings, end))
    return made


# Charts -----------------------------------------------------------------------------------------


def plotting() -> Any:
    """Return matplotlib's pyplot without a screen."""
    import matplotlib as mpl  # noqa: PLC0415  # the figures are checked without it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    return plt


def plain(axes: Axes, grid: str = "y") -> None:
    """Give axes the look of the house."""
    axes.spines[["top", "right"]].set_visible(False)
    if grid in {"x", "y", "both"}:
        axes.grid(axis=grid, color="#e6e6e6", linewidth=0.8)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def save(figure: Any, path: Path) -> None:
    """Write a chart, the same bytes for the same picture."""
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plotting().close(figure)


def heat(
    axes: Axes,
    moves: tuple[Sequence[float], Sequence[float]],
    figures: tuple[Sequence[Sequence[object]], Sequence[Sequence[object]]],
    labels: tuple[str, str],
) -> Any:
    """Draw usage as colours over two moves, and where the excess is zero as a line.

    A node without equity has no usage; it takes the last colour, and its excess tells the line.
    """
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415

    across, down = moves
    usages, excesses = figures
    colours = LinearSegmentedColormap.from_list(
        "usage", ["#e8f1fa", "#9fc5e8", "#fff2cc", "#f6b26b", "#cc4125", "#7f1d1d"]
    )
    filled = [[one if isinstance(one, float) else UNBOUNDED for one in row] for row in usages]
    drawn = axes.pcolormesh(
        list(across), list(down), filled, cmap=colours, vmin=0.0, vmax=1.6, shading="nearest"
    )
    lines = [[float(str(one)) for one in row] for row in excesses]
    axes.contour(list(across), list(down), lines, levels=[0.0], colors="black", linewidths=2.0)
    axes.plot([0.0], [0.0], marker="o", color="white", markeredgecolor="black", markersize=9)
    axes.annotate("today", (0.0, 0.0), xytext=(8, 6), textcoords="offset points", fontsize=10)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    return drawn


def bars(axes: Axes, found: Sequence[Outcome], title: str) -> None:
    """Draw what each policy leaves, costs and loses to others, the best on top."""
    places = list(range(len(found)))[::-1]
    left = [one.left / MILLION for one in found]
    cost = [one.cost / MILLION for one in found]
    taken = [one.taken / MILLION for one in found]
    kept = [max(one, 0.0) for one in left]
    paid = [min(one, total) for one, total in zip(cost, _shares(found), strict=True)]
    axes.barh(places, kept, color=BLUE, label="equity left")
    axes.barh(places, paid, left=kept, color=ORANGE, label="fees, spread and impact")
    if any(taken):
        axes.barh(places, taken, left=kept, color=GREY, label="kept by the venue's vault")
    if any(one < 0 for one in left):
        owed = [min(one, 0.0) for one in left]
        axes.barh(places, owed, color="#7f1d1d", label="owed")
    axes.set_yticks(places, [in_words(one.policy) for one in found])
    axes.axvline(0.0, color="black", linewidth=0.8)
    end = max(k + p + t for k, p, t in zip(kept, paid, taken, strict=True))
    axes.set_xlim(min(0.0, *left) * 1.15, end * 1.45)
    for place, one in zip(places, found, strict=True):
        lost = f"vault {money(one.taken)}" if one.taken else f"cost {money(one.cost)}"
        words = f"{money(one.left)} left, {lost}"
        axes.annotate(
            words, (end, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9
        )
    axes.set_title(title, loc="left", fontsize=11)
    plain(axes, "x")


def _shares(found: Sequence[Outcome]) -> list[float]:
    """Return the equity that was there for costs, millions; the rest of them is owed."""
    return [(one.left + one.cost - max(one.left, 0.0)) / MILLION for one in found]
