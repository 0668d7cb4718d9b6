"""Backtests of value at risk and expected shortfall, and measures against procyclicality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters.answers import each, expected
from tests.vectors.view import Adapter, NotApplicableError, Shape, spelled

if TYPE_CHECKING:
    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

PAIRS: Final = {
    "calm_calm": "N00 n00",
    "calm_exceeded": "N01 n01",
    "exceeded_calm": "N10 n10",
    "exceeded_exceeded": "N11 n11",
}
DAYS: Final = "N n T days observations"
EXCEEDED: Final = "x k exceptions exceedances failures n_exceptions"
RATE: Final = "p rate expected_rate p0"

FOLLOWED = Shape(required=spelled(**PAIRS))


def followed(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the independence of exceedances from how they followed each other."""
    found = facade.statistics.independence(
        facade.statistics.Exceedances(days=0, exceeded=0, **fields)
    )
    return expected(
        case,
        {
            "lrcci lrind lr_ind lr_cci lr": lambda: found.statistic,
            "p_cci p_ind p_value p": lambda: found.p_value,
        },
    )


COUNTED = Shape(
    required=spelled(days=DAYS, rate=RATE), optional=spelled(exceeded=EXCEEDED, **PAIRS)
)
TESTED: Final = "lr lrpof lr_pof lruc lr_uc"


def counted(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for numbers of exceedances: none if none is given, or several in a list."""
    statistics, rate = facade.statistics, {"expected_rate": fields["rate"]}
    exceeded = fields["exceeded"] or 0
    unnamed = {"level": None, "confidence": None, "bound": None}

    def failures(count: Any) -> Any:
        return statistics.proportion_of_failures(fields["days"], count, **rate)

    def light(count: Any) -> Any:
        return statistics.traffic_light(fields["days"], count, **rate)

    def counts() -> Any:
        pairs = {name: fields[name] for name in PAIRS}
        return statistics.Exceedances(days=fields["days"], exceeded=exceeded, **pairs)

    answer: dict[str, object] = {}
    if not fields["exceeded"]:
        answer = dict(regions(case, {**unnamed, **fields}, facade))
    return answer | expected(
        case,
        {
            TESTED: lambda: each(exceeded, lambda x: failures(x).statistic),
            "p_pof p_value p_uc": lambda: each(exceeded, lambda x: failures(x).p_value),
            "p_exact exact_p": lambda: each(exceeded, lambda x: failures(x).exact_p_value),
            "p_at_least at_least": lambda: each(exceeded, lambda x: failures(x).at_least),
            "lrcci lrind lr_ind lr_cci": lambda: statistics.independence(counts()).statistic,
            "p_cci p_ind": lambda: statistics.independence(counts()).p_value,
            "lrcc lr_cc": lambda: statistics.conditional_coverage(counts(), **rate).statistic,
            "p_cc": lambda: statistics.conditional_coverage(counts(), **rate).p_value,
            "cumprob cum_prob cum cumulative cumulative_prob cdf prob p_at_most": lambda: each(
                exceeded, lambda x: light(x).cumulative_probability
            ),
            "zone zones color colour": lambda: each(exceeded, lambda x: light(x).zone),
        },
    )


REGION_NAMES: Final = (
    "accept region regions accepted non_rejection nonrejection acceptance accept_region"
)
LOWER_NAMES: Final = "lo low lower x_min min accept_min lower_bound"
UPPER_NAMES: Final = "hi high upper x_max max accept_max upper_bound"
REGIONS = Shape(
    required=spelled(days=DAYS, rate=RATE),
    optional=spelled(
        level="level significance size test_level",
        confidence="confidence conf test_confidence",
        bound="crit critical chi2 chi2_crit",
    ),
)
BOUNDS: Final = dict.fromkeys((3.84, 3.841, 3.8415, 3.841458820694124), 0.05) | dict.fromkeys(
    (6.63, 6.635, 6.6349, 6.6348966010212145), 0.01
)
LEVELS: Final = {0.95: 0.05, 0.99: 0.01, 0.9: 0.1, 95: 0.05, 99: 0.01, 90: 0.1}


def regions_read(inputs: Any) -> Fields | None:
    """Return the fields of a case that names the level of the test."""
    fields = REGIONS(inputs)
    told = fields is not None and any(
        fields[name] is not None for name in ("level", "confidence", "bound")
    )
    return fields if told else None


def regions(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the numbers of exceedances that are accepted, for days and rates in lists."""
    level = fields["level"]
    if level is None:
        confidence, bound = fields["confidence"], fields["bound"]
        known = LEVELS if bound is None else BOUNDS
        given = (0.95 if confidence is None else confidence) if bound is None else bound
        if given not in known:
            reason = f"the level of a test with {given} is not known"
            raise NotApplicableError(reason)
        level = known[given]

    def accepted(days: Any, rate: Any) -> Any:
        return facade.statistics.accepted_failures(days, expected_rate=rate, level=level)

    def table(place: Any) -> object:
        return each(
            fields["rate"],
            lambda rate: each(fields["days"], lambda days: place(accepted(days, rate))),
        )

    return expected(
        case,
        {
            REGION_NAMES: lambda: table(list),
            LOWER_NAMES: lambda: table(lambda ends: ends[0]),
            UPPER_NAMES: lambda: table(lambda ends: ends[1]),
        },
    )


CUMULATIVE = Shape(
    required=spelled(days=DAYS, exceeded=EXCEEDED, confidence="alpha confidence var_level cl")
)
RATES: Final = {0.99: 0.01, 0.975: 0.025, 0.95: 0.05, 0.01: 0.01, 0.025: 0.025, 0.05: 0.05}


def cumulative(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for exceedances of a measure whose confidence is given, or its tail."""
    if fields["confidence"] not in RATES:
        reason = f"the confidence {fields['confidence']} is no round one"
        raise NotApplicableError(reason)
    terms = {"days": fields["days"], "exceeded": fields["exceeded"]}
    pairs = dict.fromkeys(PAIRS)
    return counted(case, {**terms, **pairs, "rate": RATES[fields["confidence"]]}, facade)


PREDICTED = Shape(
    required=spelled(pnl="pnl x X", var="var VaR", es="es ES", rate="alpha p expected_rate"),
)


def predicted(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the two statistics of predicted shortfalls; `alpha` is the rate of the tail."""
    found = facade.statistics.shortfall_test(
        fields["pnl"], fields["var"], fields["es"], expected_rate=fields["rate"]
    )
    return expected(
        case,
        {
            "z1": lambda: found.first,
            "z2": lambda: found.second,
            "exceedances n_exceed": lambda: found.exceeded,
        },
    )


CRITICAL = Shape(
    required=spelled(days="T days", confidence="alpha confidence p rate es_level"),
    optional=spelled(
        law="dist law",
        nu="nu df dof",
        levels="levels significance level sig",
        histories="sims n_sims nsim simulations paths n_sim",
        seed="seed",
    ),
)
LAWS: Final = {None: None, "N(0,1)": None, "normal": None, "t5": 5, "t(5)": 5, "t3": 3, "t4": 4}
HISTORIES: Final = 200_000


def critical(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the critical values of the second statistic, by simulation of our own.

    The names of the figures say which level is meant where the inputs do not.
    """
    if fields["confidence"] not in RATES or fields["law"] not in LAWS:
        reason = f"no critical values for {fields['confidence']} and {fields['law']!r}"
        raise NotApplicableError(reason)

    def at(*levels: float) -> Any:
        return facade.statistics.shortfall_critical_values(
            fields["days"],
            expected_rate=RATES[fields["confidence"]],
            levels=levels,
            degrees_of_freedom=fields["nu"] or LAWS[fields["law"]],
            histories=HISTORIES,
        )

    levels = fields["levels"]
    if isinstance(levels, list):
        return dict.fromkeys(case.expected_names, at(*levels))
    if levels is not None:
        return dict.fromkeys(case.expected_names, at(levels).item())
    return {name: at(_level_in(name)).item() for name in case.expected_names}


def _level_in(name: str) -> float:
    """Return the level that the name of a figure says: 0.01 per cent, else five."""
    smallest = any(text in name for text in ("0.01", "001", "1e-4"))
    return 0.0001 if smallest else 0.05


OPTIONS = Shape(
    required=spelled(
        margin="margin im m", stressed="stress_margin stress stressed", floor="floor10y floor"
    ),
    optional=spelled(share="buffer share w weight"),
)


def options(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a margin under the three options against procyclicality."""
    share = {} if fields["share"] is None else {"share": fields["share"]}
    found = facade.statistics.emir_options(
        fields["margin"], stressed=fields["stressed"], ten_years=fields["floor"], **share
    )
    return expected(
        case,
        {
            "a_buffer a buffer": lambda: found.buffered,
            "b_blend b blend": lambda: found.blended,
            "c_floor c floor": lambda: found.floored,
        },
    )


PATH = Shape(required=spelled(margins="margin margins im path", steps="n steps days"))


def path(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the measures of a path of margins."""
    found = facade.statistics.procyclicality(fields["margins"], steps=fields["steps"])
    return expected(
        case,
        {
            "peak_to_trough ptt": lambda: found.peak_to_trough,
            "nday_max_abs nday_max n_day_max": lambda: found.largest_increase,
            "nday_max_ratio nday_ratio n_day_ratio": lambda: found.largest_ratio,
        },
    )


ADAPTERS: Final = (
    Adapter(FOLLOWED, followed),
    Adapter(COUNTED, counted),
    Adapter(regions_read, regions),
    Adapter(CUMULATIVE, cumulative),
    Adapter(PREDICTED, predicted),
    Adapter(CRITICAL, critical),
    Adapter(OPTIONS, options),
    Adapter(PATH, path),
)
