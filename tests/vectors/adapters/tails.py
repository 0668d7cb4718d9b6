"""Tails of samples and how sure they are; weights by age; filtered returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters.answers import expected, mentions
from tests.vectors.view import Adapter, NotApplicableError, Shape, spelled

if TYPE_CHECKING:
    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

MOST_LISTED: Final = 1_000_000
CONFIDENCE: Final = "alpha confidence conf cl confidence_level"

SAMPLE = Shape(
    required=spelled(losses="losses loss L x", confidence=CONFIDENCE),
    optional=spelled(probabilities="probabilities weights w p prob"),
)


def _whole(text: str) -> Any:
    """Return the whole number that is written so."""
    return next(number for number in range(MOST_LISTED) if str(number) == text)


def _listed(losses: Any) -> Any:
    """Return losses that may be written as ``1..100``."""
    if not isinstance(losses, str):
        return losses
    first, last = (_whole(text) for text in losses.split(".."))
    return [*range(first, last), last]


def sample(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for value at risk and expected shortfall of losses, one per scenario."""
    found = facade.statistics.tail(
        _listed(fields["losses"]),
        confidence=fields["confidence"],
        probabilities=fields["probabilities"],
    )
    return expected(
        case,
        {
            "var var_lower value_at_risk quantile": lambda: found.value_at_risk,
            "es expected_shortfall cvar": lambda: found.expected_shortfall,
        },
    )


BY_POSITION = Shape(
    required=spelled(pnl="pnl_by_position pnl_by_positions pnl_matrix", confidence=CONFIDENCE),
    optional=spelled(probabilities="probabilities weights w p"),
)


def by_position(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for an expected shortfall and what the positions add; ties go by the stable order."""
    found = facade.statistics.shortfall_contributions(
        fields["pnl"],
        confidence=fields["confidence"],
        probabilities=fields["probabilities"],
        ties="first_listed",
    )
    return expected(
        case,
        {
            "portfolio_pnl pnl total_pnl": lambda: found.pnl,
            "var value_at_risk": lambda: found.value_at_risk,
            "es expected_shortfall portfolio_es": lambda: found.expected_shortfall,
            "component_es component components es_components": lambda: found.component,
            "standalone_es standalone stand_alone": lambda: found.stand_alone,
            "incremental_es incremental": lambda: found.incremental,
        },
    )


SAMPLING = Shape(
    required=spelled(confidence=CONFIDENCE, count="n N"),
    optional=spelled(law="dist law", nu="nu df dof", volatility="sigma vol sd"),
)
NORMAL: Final = {"N(0,1)", "N(0, 1)", "normal", "Normal", "gaussian", None}


def sampling(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the asymptotic standard errors of both measures.

    Where the name of the figure does not say whose error it is, the family of the case does.
    """
    if fields["law"] not in NORMAL and fields["nu"] is None:
        reason = f"the law {fields['law']!r} has no standard error here"
        raise NotApplicableError(reason)
    volatility = 1.0 if fields["volatility"] is None else fields["volatility"]
    terms = {"confidence": fields["confidence"], "degrees_of_freedom": fields["nu"]}
    law = {**terms, "count": fields["count"]}
    found = facade.statistics.sampling_errors(volatility, **law)
    if fields["nu"] is None:
        measures = facade.statistics.normal_tail(volatility, confidence=fields["confidence"])
    else:
        measures = facade.statistics.student_tail(volatility, **terms)
    of_shortfall = mentions(case, "es")
    return expected(
        case,
        {
            "se": lambda: found.expected_shortfall if of_shortfall else found.value_at_risk,
            "se_var var_se": lambda: found.value_at_risk,
            "se_es es_se": lambda: found.expected_shortfall,
            "var q": lambda: measures.value_at_risk,
            "es": lambda: measures.expected_shortfall,
        },
    )


RANKED = Shape(
    required=spelled(
        confidence=CONFIDENCE,
        count="n N",
        lower="r lower rank_lower lower_rank lo r_lo",
        upper="s upper rank_upper upper_rank hi r_hi",
    ),
)


def ranked(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the probability that two order statistics enclose a quantile."""
    coverage = facade.statistics.order_statistic_coverage(
        fields["count"], fields["lower"], fields["upper"], confidence=fields["confidence"]
    )
    return dict.fromkeys(case.expected_names, coverage)


INTERVAL = Shape(
    required=spelled(
        confidence="alpha confidence",
        count="n N",
        coverage="coverage level ci ci_level conf_level conf cl gamma target",
    ),
)


def interval(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the order statistics that enclose a quantile."""
    found = facade.statistics.order_statistic_ranks(
        fields["count"], confidence=fields["confidence"], coverage=fields["coverage"]
    )
    return expected(
        case,
        {
            "r lower lower_rank rank_lower lo r_lo": lambda: found.lower,
            "s upper upper_rank rank_upper hi r_hi": lambda: found.upper,
            "ranks": lambda: [found.lower, found.upper],
            "coverage prob probability actual_coverage exact_coverage": lambda: found.coverage,
        },
    )


AGED = Shape(required=spelled(decay="lambda lam decay", count="n N"))


def aged(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for weights by age, the youngest being number 0."""
    found = facade.statistics.age_weights(fields["count"], decay=fields["decay"])
    return expected(
        case,
        {
            "sum total": lambda: found.total,
            "w0 w_0 newest": found.weights[-1].item,
            "w_last oldest": found.weights[0].item,
            "w weights": lambda: found.weights[::-1],
            "ess effective_size n_eff": lambda: found.effective_size,
        },
    )


FILTERED = Shape(
    required=spelled(
        returns="r returns",
        forecasts="sigma_s sigma_t sigmas sigma",
        today="sigma_T sigma_now sigma_today",
    ),
    optional=spelled(cap="cap c", floor="floor"),
)


def filtered(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the returns of each day at today's volatility."""
    found = facade.statistics.filtered_returns(
        fields["returns"],
        fields["forecasts"],
        today=fields["today"],
        cap=fields["cap"],
        floor=fields["floor"],
    )
    return expected(case, {"r_star rstar filtered r_filtered": lambda: found})


ADAPTERS: Final = (
    Adapter(SAMPLE, sample),
    Adapter(BY_POSITION, by_position),
    Adapter(SAMPLING, sampling),
    Adapter(RANKED, ranked),
    Adapter(INTERVAL, interval),
    Adapter(AGED, aged),
    Adapter(FILTERED, filtered),
)
