"""Page 1 as texts: one description that the HTML page and the PDF are both drawn from."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from crossmargin.desk_report import gather, wording
from crossmargin.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossmargin.desk_report.gather import PageOne, Record
    from crossmargin.table import Value

__all__ = ["shown"]

View = dict[str, Any]

HELD_FIXED: Final = (
    "Left: prices of the two axes move, all other prices, volatilities, balances and orders held "
    "fixed; every cell is measured anew, and of several accounts the worst counts. Right: usage = "
    "trigger x maintenance margin / adjusted equity, now."
)
_NO_TRIGGER: Final = ("none", "")
_LOST: Final = ("liquidatable", "bankrupt")
_HEALTHY: Final = "healthy again"
_LONG_SENTENCE: Final = 700
_CHART, _ROW = 2.05, 0.11  # inches


def shown(page: PageOne, *, official: bool = False, printed: str | None = None) -> View:
    """Return all texts of page 1, in the order in which they stand.

    Parameters
    ----------
    page
        What was gathered.
    official
        Whether the data are those of the official cut; indicative otherwise.
    printed
        When it was printed, if that shall stand in it.
    """
    run, rulebooks, _, as_of = _key(page.key)
    return {
        "title": "Desk margin report",
        "as_of": as_of,
        "kind": "official" if official else "indicative",
        "run": run[:7],
        "rulebooks": rulebooks,
        "printed": wording.plain(printed) if printed else "",
        "tiles": _tiles(page),
        "sentence": _sentence(page),
        "map": _map(page),
        "usage": _usage(page),
        "fixed": HELD_FIXED,
        "height": _height(page),
        "accounts": _accounts(page),
        "limits": _limits(page),
        "actions": _actions(page),
        "findings": _findings(page),
        "stamp": [
            {"topic": _said(row, "topic"), "sentence": _said(row, "sentence"),
             "reference": wording.plain(row["reference"] or "")}
            for row in page.stamp
        ],
    }  # fmt: skip


def _height(page: PageOne) -> float:
    """Return the height of the charts in inches: what a short table of accounts leaves."""
    short = gather.MOST_ACCOUNTS - min(len(page.ranking), gather.MOST_ACCOUNTS)
    return round(_CHART + _ROW * short, 2)


def _key(key: str) -> tuple[str, str, str, str]:
    """Return hash, rulebooks, size and moment out of a key."""
    parts = [*key.removeprefix("book:").split("|"), "", "", ""]
    return parts[0], wording.plain(parts[1].replace("+", ", ")), parts[2], wording.plain(parts[3])


def _said(row: Record, name: str) -> str:
    value = row[name]
    return wording.plain(value) if value not in {None, ""} else ""


def _tiles(page: PageOne) -> list[View]:
    first = page.first
    account = str(first["account"])
    summary = page.summaries.get(account, {})
    counts = Counter(str(row["status"]) for row in page.ranking)
    others = ", ".join(f"{counts[word]} {word}" for word in gather.STATUSES[::-1] if counts[word])
    then = None if page.before is None else page.before.get(account)
    errors = sum(row["severity"] == "ERROR" for row in page.findings)
    tiles: list[View] = [
        {"label": "status", "value": str(first["status"]).upper(), "status": first["status"],
         "detail": wording.plain(account) + (f"; {others}" if len(page.ranking) > 1 else "")},
        {"label": "usage (1 = liquidation)", "value": wording.usage(first["usage"]),
         "detail": _then(page, first, then)},
        {"label": "excess over maintenance", "value": wording.money(first["excess_mm"]),
         "detail": f"{wording.money(summary.get('excess_im'))} over initial, "
                   f"{page.currencies.get(account, '')}"},
        {"label": "nearest trigger", "value": _away(first),
         "detail": _nearest(first, summary)},
        {"label": "liquidated first", "value": wording.plain(first["first_liquidated"], 60),
         "detail": "", "long": True},
        {"label": "data", "value": "ERRORS" if errors else "OK" if not page.findings else "NOTED",
         "detail": f"findings: {len(page.findings)}", "status": "call" if errors else "ok"},
    ]  # fmt: skip
    return [{"status": "", "long": False, **tile} for tile in tiles]


def _then(page: PageOne, first: Record, then: Record | None) -> str:
    if page.before is None:
        return "no earlier book was given"
    if then is None:
        return "the account is not in the earlier book"
    return (
        f"earlier {wording.usage(then['usage'])} ({wording.change(first['usage'], then['usage'])})"
    )


def _away(first: Record) -> str:
    return "now" if first["status"] in _LOST else wording.percent(first["nearest_pct"])


def _nearest(first: Record, summary: Record) -> str:
    trigger = str(summary.get("nearest_trigger") or "none")
    if first["status"] in _LOST:
        return "the excess is below zero"
    if trigger in _NO_TRIGGER:
        return "no price of one coin liquidates it"
    sigmas = first["sigmas"]
    away = f", {sigmas:.1f} sigmas" if isinstance(sigmas, float) else ""
    return wording.plain(trigger.partition(" (")[0]) + away


def _sentence(page: PageOne) -> str:
    """Return the answer in one sentence or two."""
    first = page.first
    account = wording.plain(first["account"])
    trigger = str(page.summaries.get(str(first["account"]), {}).get("nearest_trigger") or "none")
    few = (
        ""
        if len(page.ranking) == 1
        else f", the one of {len(page.ranking)} accounts with least to spare,"
    )
    closed = f"Closed first: {wording.plain(first['first_liquidated'], 90)}"
    if first["status"] in _LOST:
        said = f"{account}{few} is {first['status']} now. {closed}"
    elif trigger in _NO_TRIGGER:
        said = f"No price of one coin alone liquidates {account}" + few.rstrip(",")
    else:
        coin, _, rest = trigger.partition(" ")
        price, _, move = rest.partition(" (")
        said = (
            f"{account}{few} is liquidated when {wording.plain(coin)} reaches "
            f"{wording.plain(price)} ({_move(move)}), all else unchanged. "
            f"{closed}{_how_far(page.steps)}"
        )
    return f"{said}. {_cheapest(page)}"[:_LONG_SENTENCE]


def _move(text: str) -> str:
    """Return a move out of a trigger; its sign makes no formula inside a sentence."""
    return wording.plain(text.rstrip(")")).removeprefix("'")


def _how_far(steps: list[Record] | str) -> str:
    """Return how many steps of the venue's rule it takes, and what they cost."""
    if isinstance(steps, str) or not steps:
        return ""
    number = max(int(row["step"]) for row in steps if isinstance(row["step"], float))
    costs = [row["cost"] for row in steps if isinstance(row["cost"], float)]
    cost = f", cost {wording.money(sum(costs))} before fees and slippage" if sum(costs) else ""
    count = "one step" if number == 1 else f"{number} steps"
    if str(steps[-1]["reason"]).endswith(_HEALTHY):
        return f"; {count} of the rule {'makes' if number == 1 else 'make'} it healthy{cost}"
    return f"; after {count} nothing that could help is left{cost}"


def _cheapest(page: PageOne) -> str:
    if isinstance(page.actions, str):
        return f"No action was found: {wording.plain(page.actions)}."
    row = page.actions[0]
    if row["action"] == "none":
        return f"Nothing needs to be done: {wording.plain(row['comment'])}."
    whose = " for the account that lacks most" if len(page.ranking) > 1 else ""
    then = wording.usage(row["usage_after"])
    return f"Cheapest now{whose}: {_action(row)}; usage is {then} after it."


def _action(row: Record) -> str:
    """Return one action in words."""
    symbol = wording.plain(row["symbol"] or "")
    amount = wording.quantity(row["qty"])
    if str(row["symbol"]).endswith("this share of each"):
        return f"{row['action']} {wording.percent(row['qty']).lstrip('+')} of every position"
    side = f" ({wording.plain(row['side'])})" if row["side"] in {"buy", "sell"} else ""
    return f"{wording.plain(row['action'])} {amount} {symbol}{side}".strip()


def _map(page: PageOne) -> View:
    """Return the cells of the map: letter, status, and the two axes."""
    if not isinstance(page.grid, Table):
        return {"title": "Where it ends", "reason": wording.plain(page.grid)}
    x, y = page.axes[0], page.axes[-1]
    down = [move for row in page.grid.rows if isinstance(move := row[0], float)]
    return {
        "title": f"Where it ends: {wording.plain(x)}"
        + (f" by {wording.plain(y)}" if x != y else ""),
        "x": wording.plain(x),
        "y": wording.plain(y) if x != y else "",
        "x_moves": [wording.plain(word).lstrip("'") for word in page.grid.header[1:]],
        "y_moves": [f"{100.0 * move:+.0f} %" if move else "0 %" for move in down],
        "cells": [[_cell(value, page) for value in row[1:]] for row in page.grid.rows],
        "now": [page.grid.header[1:].index("0 %"), down.index(0.0)],
    }


def _cell(value: Value, page: PageOne) -> str:
    if isinstance(value, str):
        return "liquidatable"  # no equity is left to divide by
    if not isinstance(value, float):
        return "unknown"
    for word, least in (
        ("liquidatable", 1.0),
        ("call", page.asked.call),
        ("watch", page.asked.watch),
    ):
        if value >= least:
            return word
    return "ok"


def _usage(page: PageOne) -> View:
    rows = page.ranking[: gather.MOST_ACCOUNTS]
    return {
        "watch": page.asked.watch,
        "call": page.asked.call,
        "accounts": [
            {
                "name": wording.plain(row["account"], 24),
                "usage": row["usage"],
                "before": (page.before or {}).get(str(row["account"]), {}).get("usage"),
                "status": row["status"],
            }
            for row in rows
        ],
    }


def _listing(
    title: str, header: str, right: Sequence[int], rows: list[list[str]], note: str
) -> View:
    """Return a table of texts; `right` are the columns that hold numbers."""
    words = header.split("|")
    align = ["right" if place in right else "left" for place in range(len(words))]
    return {"title": title, "header": words, "align": align, "rows": rows, "note": note}


def _accounts(page: PageOne) -> View:
    rows, left = page.ranking[: gather.MOST_ACCOUNTS], len(page.ranking) - gather.MOST_ACCOUNTS
    made = []
    for row in rows:
        account = str(row["account"])
        summary, then = page.summaries.get(account, {}), (page.before or {}).get(account, {})
        made.append([
            wording.plain(account, 28), wording.plain(page.currencies.get(account, "")),
            wording.money(row["equity_adjusted"]), wording.money(summary.get("im")),
            wording.money(row["mm"]), wording.usage(row["usage"]),
            wording.change(row["usage"], then.get("usage")) if page.before else wording.NOTHING,
            wording.money(row["excess_mm"]), wording.percent(row["nearest_pct"]),
            f"{row['sigmas']:.1f}" if isinstance(row["sigmas"], float) else wording.NOTHING,
            wording.plain(row["first_liquidated"], 60), wording.money(row["call_amount"]),
            str(row["status"]),
        ])  # fmt: skip
    return _listing(
        "Accounts, the one with least above its trigger first",
        "account|in|equity|IM|MM|usage|change|excess MM|nearest|sigmas|liquidated first|call|"
        "status",
        (2, 3, 4, 5, 6, 7, 8, 9, 11), made,
        f"{left} more accounts have more to spare" if left > 0 else "",
    )  # fmt: skip


def _limits(page: PageOne) -> View:
    rows, note = [], ""
    if isinstance(page.limits, str):
        note = wording.plain(page.limits)
    else:
        counts = Counter(str(row["status"]) for row in page.limits)
        bad = [row for row in page.limits if row["status"] not in {"ok", "error"}]
        rows = [
            [
                _said(row, "limit_id"), wording.plain(row["scope"], 24), _said(row, "metric"),
                _figure(row["value"]), _figure(row["limit"]),
                f"{100.0 * used:,.0f} %" if isinstance(used := row["use_pct"], float) else "",
                _said(row, "owner"), wording.plain(row["action"] or "", 40), str(row["status"]),
            ]
            for row in bad[: gather.MOST_ROWS]
        ]  # fmt: skip
        said = [f"{counts['ok']} more inside"] if counts["ok"] else []
        said += [f"{more} more not shown"] if (more := len(bad) - gather.MOST_ROWS) > 0 else []
        said += [f"{counts['error']} cannot be compared"] if counts["error"] else []
        note = "; ".join(said)
    return _listing(
        "Breaches and watch list", "limit|scope|metric|value|limit|use|owner|action|status",
        (3, 4, 5), rows or [["none", *[""] * 8]], note,
    )  # fmt: skip


def _figure(value: Value) -> str:
    """Return a figure of a limit: money in short, a ratio with three digits."""
    return wording.money(value) if isinstance(value, float) else ""


def _actions(page: PageOne) -> View:
    rows, note = [], "each measured again; no fees or slippage"
    if isinstance(page.actions, str):
        note = wording.plain(page.actions)
    else:
        rows = [
            [
                f"{row['rank']:.0f}" if isinstance(row["rank"], float) else "",
                _action(row) if row["action"] != "none" else "none needed",
                wording.money(row["cost"]), wording.usage(row["usage_after"]),
                wording.money(row["mm_after"]),
            ]
            for row in page.actions[: gather.MOST_ROWS]
        ]  # fmt: skip
        if page.actions[0]["action"] == "none":
            note = wording.plain(page.actions[0]["comment"])
    return _listing(
        f"Actions for today: {wording.plain(page.asked.target, 24)}",
        "rank|action|cost|usage then|MM then", (0, 2, 3, 4),
        rows or [["", "none found", "", "", ""]], note,
    )  # fmt: skip


def _findings(page: PageOne) -> View:
    rows = [
        [
            str(row["severity"]), _said(row, "sheet"), _said(row, "row"),
            wording.plain(row["message"] or "", 140), wording.plain(row["fix"] or "", 80),
        ]
        for row in page.findings[: gather.MOST_FINDINGS]
    ]  # fmt: skip
    left = len(page.findings) - gather.MOST_FINDINGS
    return _listing(
        "Data issues", "severity|table|row|what|repair", (), rows or [["none", "", "", "", ""]],
        f"{left} more" if left > 0 else "",
    )  # fmt: skip
