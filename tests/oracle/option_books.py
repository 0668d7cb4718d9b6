"""Option books for the scan: at least four legs and three expiries, many with three or more roots.

Structures that lose in the middle and win outside (backspreads), or the other way round (condors),
are added up; the cash is then chosen among the levels that the excess crosses most often.
"""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.oracle.option_margins import equity, requirement
from tests.oracle.option_state import Account, Balance, Leg, Question, moved

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracle.option_values import Floats
    from tests.second_opinion.shapes import Right

__all__ = ["KINDS", "Drawn", "drawn", "flat_rules", "shipped_rules"]

RULEBOOKS = Path(__file__).resolve().parents[2] / "rust_core" / "engine" / "rulebooks"
SPOT = {"BTC": 100_000.0, "ETH": 3_000.0}
EXPIRY_DAYS = [1.5, 3.0, 6.0, 9.0, 14.0, 21.0, 29.0, 30.0, 45.0, 76.0, 120.0, 200.0]
RIGHTS: list[Right] = ["call", "put"]
WINGS: list[tuple[Right, int]] = [("call", 1), ("put", -1)]  # which way it is out of the money
COARSE = 600
ATTEMPTS = 25


@dataclass(frozen=True)
class Kind:
    """A family of books: rulebook, settlement, collateral."""

    name: str
    rulebook: str
    settle: str  # "coin" or a stablecoin
    collateral: str  # "coin", "stable" or "both"
    share: int  # of a hundred books
    is_scan: bool


KINDS = [
    Kind("custom-scan, dollars", "custom-scan", "USD", "stable", 15, is_scan=True),
    Kind("custom-scan, coin collateral", "custom-scan", "USD", "both", 9, is_scan=True),
    Kind("custom-scan, coin-settled", "custom-scan", "coin", "coin", 4, is_scan=True),
    Kind("deribit-spm, coin", "deribit-spm", "coin", "coin", 9, is_scan=True),
    Kind("deribit-spm, stable", "deribit-spm", "USDC", "stable", 6, is_scan=True),
    Kind("derive-pm2, stable", "derive-pm2", "USDC", "stable", 8, is_scan=True),
    Kind("derive-pm2, coin collateral", "derive-pm2", "USDC", "both", 4, is_scan=True),
    Kind("deribit-sm, coin", "deribit-sm", "coin", "coin", 8, is_scan=False),
    Kind("deribit-sm, stable", "deribit-sm", "USDC", "stable", 6, is_scan=False),
    Kind("derive-sm", "derive-sm", "USDC", "stable", 8, is_scan=False),
    Kind("paradex-cross", "paradex-cross", "USDC", "stable", 6, is_scan=False),
    Kind("flat, dollars", "flat", "USD", "stable", 12, is_scan=False),
    Kind("flat, coin collateral", "flat", "USD", "both", 5, is_scan=False),
]


@dataclass(frozen=True)
class Drawn:
    """A book with the question asked of it."""

    kind: Kind
    account: Account
    question: Question


def shipped_rules(name: str) -> dict[str, Any]:
    """Return the numbers of a rulebook's file."""
    return tomllib.loads((RULEBOOKS / f"{name}.toml").read_text(encoding="utf-8"))


def flat_rules(rate: float) -> dict[str, Any]:
    """Return a rulebook that needs a rate of the index for each option sold, and nothing else."""
    return {
        "id": "flat-rate",
        "version": "1",
        "venue": "none",
        "report_currency": "USD",
        "settle": "USD",
        "source": "illustrative: a rate of the index per option sold",
        "retrieved": "2026-01-10",
        "effective": "2026-01-10",
        "status": "estimated",
        "measure": {"kind": "scenarios"},
        "levels": {"maintenance": {"factor": 1.0}},
        "profiles": [
            {
                "underlyings": ["*"],
                "scenarios": [{"set": "still", "price_moves": [0.0]}],
                "charges": [
                    {"name": "sold", "on": "short_options", "stage": "floor", "rate": rate}
                ],
            }
        ],
    }


# Structures -------------------------------------------------------------------------------------


class _Coin:
    """The options of one coin while a book is drawn."""

    def __init__(self, draw: random.Random, coin: str, index: float, settle: str) -> None:
        self.draw, self.coin, self.index, self.settle = draw, coin, index, settle
        days = sorted(draw.sample(EXPIRY_DAYS, draw.randint(3, 5)))
        carry = draw.uniform(-0.05, 0.12)
        self.expiries = {
            round(day * 86_400): round(index * (1.0 + carry * day / 365.0), 4) for day in days
        }
        self.rates = {
            seconds: round(draw.choice([0.0, 0.03, 0.08, -0.02]), 4) for seconds in self.expiries
        }
        self.volatility = draw.uniform(0.35, 1.0)
        self.smile = draw.uniform(0.0, 0.3)
        self.unit = draw.choice([0.1, 1.0, 1.0, 10.0]) * (1.0 if coin == "BTC" else 20.0)
        self.held: dict[tuple[int, float, Right], Leg] = {}

    def add(self, seconds: int, strike: float, right: Right, units: float) -> None:
        """Trade one option; trades in the same option add up."""
        forward = self.expiries[seconds]
        step = 500.0 if self.coin == "BTC" else 20.0
        strike = max(round(strike / step) * step, step)
        volatility = self.volatility + self.smile * abs(np.log(strike / forward))
        leg = Leg(
            coin=self.coin,
            settle=self.settle,
            quantity=round(units * self.unit, 6),
            forward=forward,
            right=right,
            strike=strike,
            volatility=round(float(volatility), 6),
            seconds=seconds,
            rate=self.rates[seconds],
        )
        key = (seconds, strike, right)
        if key in self.held:
            leg = replace(leg, quantity=round(self.held[key].quantity + leg.quantity, 6))
        self.held[key] = leg

    def legs(self) -> list[Leg]:
        """Return what is held; trades that cancelled out are gone."""
        return [leg for leg in self.held.values() if leg.quantity]


def _backspread(book: _Coin, seconds: int) -> None:
    """Sell near the money, buy more of it further out: two roots on one side."""
    draw, at = book.draw, book.expiries[seconds]
    near, far = draw.uniform(0.03, 0.15), draw.uniform(0.2, 0.45)
    for right, way in draw.choice([WINGS[:1], WINGS[1:], WINGS]):
        book.add(seconds, at * (1 + way * near), right, -1.0)
        book.add(seconds, at * (1 + way * far), right, draw.choice([1.3, 1.6, 2.0, 3.0]))


def _condor(book: _Coin, seconds: int) -> None:
    draw, at = book.draw, book.expiries[seconds]
    near, far = draw.uniform(0.05, 0.2), draw.uniform(0.25, 0.6)
    sign = draw.choice([-1.0, -1.0, 1.0])
    book.add(seconds, at * (1 + near), "call", sign)
    book.add(seconds, at * (1 + far), "call", -sign * draw.choice([1.0, 1.0, 1.2]))
    book.add(seconds, at * (1 - near), "put", sign)
    book.add(seconds, at * (1 - far), "put", -sign * draw.choice([1.0, 1.0, 1.2]))


def _ratio(book: _Coin, seconds: int) -> None:
    """Buy near the money, sell more of it further out, and buy the wing back."""
    draw, at = book.draw, book.expiries[seconds]
    right, way = draw.choice(WINGS)
    book.add(seconds, at * (1 + way * 0.02), right, 1.0)
    book.add(seconds, at * (1 + way * draw.uniform(0.1, 0.3)), right, -draw.choice([1.5, 2.0]))
    book.add(seconds, at * (1 + way * draw.uniform(0.35, 0.6)), right, draw.choice([0.5, 1.0, 2.0]))


def _calendar(book: _Coin, seconds: int) -> None:
    draw = book.draw
    later = draw.choice(list(book.expiries))
    strike = book.index * draw.uniform(0.7, 1.4)
    right = draw.choice(RIGHTS)
    sign = draw.choice([-1.0, 1.0])
    book.add(seconds, strike, right, -sign)
    book.add(later, strike, right, sign * draw.choice([1.0, 1.0, 1.5]))


def _butterfly(book: _Coin, seconds: int) -> None:
    draw = book.draw
    middle = book.index * draw.uniform(0.6, 1.6)
    width = book.index * draw.uniform(0.05, 0.25)
    right, sign = draw.choice(RIGHTS), draw.choice([-1.0, 1.0])
    for offset, size in ((-width, 1.0), (0.0, -2.0), (width, 1.0)):
        book.add(seconds, middle + offset, right, sign * size * draw.choice([1.0, 2.0]))


_STRUCTURES: list[Callable[[_Coin, int], None]] = [
    _backspread,
    _backspread,
    _condor,
    _ratio,
    _calendar,
    _butterfly,
]


def _options(draw: random.Random, coin: str, settle: str, *, structures: int) -> _Coin:
    held = _Coin(draw, coin, round(SPOT[coin] * draw.uniform(0.7, 1.4), 2), settle)
    expiries = list(held.expiries)
    for place in range(structures):
        draw.choice(_STRUCTURES)(held, expiries[place % len(expiries)])
    while len(held.legs()) < 4 or len({leg.seconds for leg in held.legs()}) < 3:
        draw.choice(_STRUCTURES)(held, draw.choice(expiries))
    return held


# Marks ------------------------------------------------------------------------------------------


def _marked(draw: random.Random, account: Account) -> Account:
    """Mark some options apart from their volatility: a share of it, by ticks, below what is paid.

    Every third book keeps the marks of its volatilities.
    """
    if draw.random() < 1.0 / 3.0:
        return account
    question = Question(account.legs[0].coin)
    today = moved(account, question, np.array([account.mark(question.driver)]))
    marks: dict[int, float] = {}
    for place, held in enumerate(today.held):
        if held.leg.right is None or draw.random() < 0.4:
            continue
        worth = float(held.worth[0])
        paid = max(worth - float(held.time_value[0]), 0.0)
        tick = 0.0005 if held.leg.in_coin else 5.0
        mark = draw.choice(
            [
                worth * draw.uniform(0.2, 1.0),
                worth * draw.uniform(1.0, 1.5),
                round(worth / tick) * tick,
                worth - draw.uniform(0.0, 1.0) * (worth - paid),
                paid * draw.uniform(0.97, 1.0),
                paid,
            ]
        )
        marks[place] = float(f"{mark:.9g}")
    legs = (replace(leg, mark=marks.get(place)) for place, leg in enumerate(account.legs))
    return replace(account, legs=tuple(legs))


# Cash -------------------------------------------------------------------------------------------


def _extremes(level: Floats) -> Floats:
    """Return where a level turns; what rounding alone does on a plateau is no turn."""
    noise = 1e-9 * np.max(np.abs(level))
    steps = np.diff(level)
    steep = np.abs(steps) > noise
    inner = steep[1:] & steep[:-1] & ((steps[1:] > 0.0) != (steps[:-1] > 0.0))
    return np.asarray(level[1:-1][inner])


def _levels(level: Floats) -> list[tuple[int, float]]:
    """Return, between each two neighbours of its extremes, how often a level is crossed."""
    extremes = np.unique(np.concatenate([_extremes(level), level[[0, -1]]]))
    wide = np.flatnonzero(np.diff(extremes) > 1e-6 * np.max(np.abs(level)))
    middles = 0.5 * (extremes[wide] + extremes[wide + 1])
    found = [(int(np.count_nonzero(np.diff(level > one))), float(one)) for one in middles]
    return found or [(0, 2.0 * float(level[0]) + 1.0)]


def _with_cash(
    draw: random.Random, account: Account, question: Question, pays: str, *, grazes: bool
) -> tuple[Account, int]:
    """Choose cash so that the excess crosses zero as often as it can, and return how often.

    The level that is crossed is -(excess without cash) over the price of the currency; collateral
    rates are left out of account here, so the crossings of a coin are about those chosen. A level
    that grazes stands beside an extreme, where two roots are about to meet.
    """
    mark = account.mark(question.driver)
    prices = np.geomspace(mark * 0.02, mark * 9.0, COARSE)
    state = moved(account, question, prices)
    level = -(equity(state) - requirement(state)) / state.price(pays)
    levels = _levels(level)
    most = max(count for count, _ in levels)
    count, chosen = draw.choice([one for one in levels if one[0] == most])
    if grazes:
        turns = _extremes(level)
        if turns.size:
            chosen = float(draw.choice(list(turns))) * (1.0 + draw.choice([-1.0, 1.0]) * 1e-5)
    balances = [one for one in account.balances if one.currency != pays]
    rate = next((one.rate for one in account.balances if one.currency == pays), None)
    found = Balance(pays, float(f"{chosen:.9g}"), rate)
    return replace(account, balances=(*balances, found)), count


def _question(draw: random.Random, coins: list[str], days: list[int]) -> Question:
    driver = coins[0]
    path = draw.choice(["together", "beta"]) if len(coins) > 1 and draw.random() < 0.6 else "alone"
    betas = {"BTC": 1.0, "ETH": round(draw.uniform(0.6, 1.6), 3)} if path == "beta" else {}
    elasticity = draw.choice([-0.5, 0.3, -1.0]) if draw.random() < 0.12 else 0.0
    passed = 0.0
    if draw.random() < 0.12:
        passed = draw.choice([0.25, 1.0, 3.0])
        if passed * 86_400 >= sorted(days)[-2]:
            passed = 0.25
    return Question(driver, path, betas, elasticity, passed)  # type: ignore[arg-type]


def drawn(seed: int) -> Drawn:
    """Return the book of a seed; of five books, two are drawn until three roots are in sight."""
    draw = random.Random(f"option-scan-{seed}")  # noqa: S311 - not a secret
    kind = draw.choices(KINDS, [one.share for one in KINDS])[0]
    wanted = 3 if seed % 5 < 2 else 0
    for _ in range(ATTEMPTS):
        account, question, pays = _one(draw, kind)
        account = _marked(random.Random(f"option-marks-{seed}"), account)  # noqa: S311
        account, count = _with_cash(draw, account, question, pays, grazes=seed % 20 == 4)
        if count >= wanted:
            break
    return Drawn(kind, account, question)


def _one(draw: random.Random, kind: Kind) -> tuple[Account, Question, str]:
    """Return an account of a kind without its cash, a question, and the currency of the cash."""
    coins = [draw.choice(["BTC", "BTC", "ETH"])]
    if kind.settle != "coin" and kind.rulebook != "deribit-sm" and draw.random() < 0.25:
        coins = ["BTC", "ETH"]
    legs: list[Leg] = []
    index: dict[str, float] = {}
    for coin in coins:
        settle = coin if kind.settle == "coin" else kind.settle
        structures = draw.randint(2, 4) if len(coins) == 1 else 2
        held = _options(draw, coin, settle, structures=structures)
        legs += held.legs()
        index[coin] = held.index
        if draw.random() < 0.4:
            mark = round(held.index * draw.uniform(0.998, 1.003), 2)
            size = round(draw.uniform(-1.0, 1.0) * held.unit, 4) or held.unit
            legs.append(Leg(coin, settle, size, mark))
    balances, pays = _balances(draw, kind, coins[0])
    account = Account(_rules(draw, kind.rulebook), index, tuple(legs), balances)
    days = [leg.seconds for leg in legs if leg.right is not None]
    return account, _question(draw, coins, days), pays


def _rules(draw: random.Random, rulebook: str) -> dict[str, Any]:
    if rulebook == "flat":
        return flat_rules(draw.choice([0.0, 0.01, 0.05, 0.2]))
    return shipped_rules(rulebook)


def _balances(draw: random.Random, kind: Kind, coin: str) -> tuple[tuple[Balance, ...], str]:
    """Return the balances, that of the cash still empty, and the currency of the cash."""
    settle = coin if kind.settle == "coin" else kind.settle
    if kind.collateral == "stable":
        return (Balance(settle, 0.0),), settle
    rate = None if kind.rulebook == "custom-scan" else draw.choice([1.0, 0.95, 0.8])
    if kind.settle == "coin":
        return (Balance(coin, 0.0, rate),), coin
    if draw.random() < 0.5:
        debt = -round(draw.uniform(0.0, 60_000.0), 2)
        return (Balance(settle, debt), Balance(coin, 0.0, rate)), coin
    amount = draw.choice([0.5, 2.0, 5.0, 60.0]) * (1.0 if coin == "BTC" else 30.0)
    return (Balance(coin, amount, rate), Balance(settle, 0.0)), settle
