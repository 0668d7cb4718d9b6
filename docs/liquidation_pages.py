"""What the two pages about liquidation share: words for numbers, tables and blocks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import crossmargin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DOCS: Final = Path(__file__).resolve().parent
THOUSAND, MILLION = 1e3, 1e6
DEPTH: Final = {"slippage": "depth"}
"""Half the spread and a square-root impact, from the Market sheet."""

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


def number(value: object) -> float:
    """Return a figure of a table as a number, nothing as zero."""
    return float(value) if isinstance(value, float | int) else 0.0


def cost_of(steps: Sequence[Row]) -> float:
    """Return what steps cost together, reporting currency."""
    return sum(number(step["cost"]) for step in steps)


def sentence(book: crossmargin.Book) -> str:
    """Return what is closed first just past the nearest trigger, as the engine says it."""
    options = DEPTH | {"until": "healthy"}
    return f"> {crossmargin.first_liquidated(book, what='sentence', options=options)}\n"


@dataclass(frozen=True)
class Outcome:
    """What a policy closes first and leaves of an account: money in the reporting currency."""

    policy: str
    first: str
    closings: int
    left: float
    cost: float
    taken: float
    warnings: int
    end: str


def outcomes(book: crossmargin.Book, scenario: str, policies: str) -> list[Outcome]:
    """Return policies side by side from one state; what is neither left nor cost was taken.

    Parameters
    ----------
    book
        The book.
    scenario, policies
        As CM_LIQCOMPARE takes them; costs are those of depth.
    """
    found = crossmargin.liquidation_policies(
        book, scenario=scenario, policies=policies, options=DEPTH
    )
    made = []
    for row in found.records():
        before, left, cost = (
            float(str(row[name])) for name in ("equity_before", "equity_left", "cost")
        )
        closings, warnings = (int(float(str(row[name]))) for name in ("closings", "warnings"))
        taken = before - left - cost
        taken = taken if taken > 1.0 else 0.0  # less is rounding
        policy, end = str(row["policy"]), str(row["end"]).partition("; the account is bankrupt")[0]
        if left < 0:
            end = f"{end}; owes {money(-left)}"
        first = _first(book, scenario, policy.partition(":")[0], str(row["first"]))
        made.append(Outcome(policy, first, closings, left, cost, taken, warnings, end))
    return made


def _first(book: crossmargin.Book, scenario: str, policy: str, words: str) -> str:
    """Return the first three closings of a policy; one that takes everything has its own words."""
    if words.startswith("everything"):
        return "everything"
    options = DEPTH | {"policy": policy, "until": "healthy"}
    rows = crossmargin.liquidation_order(book, scenario=scenario, max_steps=3, options=options)
    return ", then ".join(str(row["symbol"]) for row in rows)
