"""Volatilities, covariances and correlations: updated, estimated, repaired, stressed; betas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters.answers import each, expected
from tests.vectors.view import Adapter, NotApplicableError, Shape, spelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

DECAY: Final = "lambda lam decay"
MATRIX: Final = "R A C corr correlation matrix M rho_matrix"

UPDATED = Shape(
    required=spelled(decay=DECAY, volatility="sigma vol sigma_prev", latest="u r ret return_")
)


def updated(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for an exponentially weighted volatility after one more return."""
    found = facade.statistics.ewma_volatility_update(
        fields["volatility"], fields["latest"], decay=fields["decay"]
    )
    return expected(case, {"sigma_next vol_next sigma_new sigma vol": lambda: found})


UPDATED_MATRIX = Shape(
    required=spelled(decay=DECAY, covariance="Sigma cov covariance S", latest="u r returns ret")
)


def updated_matrix(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for an exponentially weighted covariance after one more date."""
    covariance = facade.statistics.ewma_covariance_update(
        fields["covariance"], fields["latest"], decay=fields["decay"]
    )
    found = facade.statistics.correlation_of(covariance)
    return expected(
        case,
        {
            "sigma_new cov_new covariance sigma_next": lambda: covariance,
            "vol_new vols vol_next": lambda: found.volatilities,
            "rho_new rho rho_next": found.correlation[0][1].item,
            "r_new corr_new correlation": lambda: found.correlation,
        },
    )


GARCH = Shape(
    required=spelled(omega="omega w", alpha="alpha a", beta="beta b"),
    optional=spelled(volatility="sigma vol", latest="u r ret"),
)


def garch(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a GARCH(1,1) forecast and the volatility that forecasts tend to."""
    law = facade.statistics.Garch(fields["omega"], fields["alpha"], fields["beta"])
    return expected(
        case,
        {
            "long_run_sigma long_run_vol sigma_lr sigma_l vl_sqrt": law.long_run_volatility,
            "sigma_next vol_next sigma_new": lambda: law.next_volatility(
                fields["volatility"], fields["latest"]
            ),
        },
    )


HALF_LIFE = Shape(required=spelled(decay=DECAY))


def half_life(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the days after which a weight has halved."""
    found = each(fields["decay"], facade.statistics.half_life)
    return expected(case, {"half_life halflife half_life_days": lambda: found})


def _entries(matrix: Any) -> dict[str, Callable[[], object]]:
    """Return names such as ``x12`` for the entries of a matrix, rows and columns from 1."""

    def entry(row: Any, column: Any) -> Callable[[], object]:
        value: Callable[[], object] = matrix[row][column].item
        return value

    places = [*enumerate(range(len(matrix)), start=1)]
    return {
        f"x{first}{second} r{first}{second} rho{first}{second} c{first}{second}"
        f" rho_{first}{second} r_{first}{second} x_{first}{second}": entry(row, column)
        for first, row in places
        for second, column in places
    }


def _upper(matrix: Any) -> list[object]:
    """Return the entries above the diagonal, row by row."""
    return [
        value.item()
        for row, line in enumerate(matrix)
        for column, value in enumerate(line)
        if column in range(row, len(matrix)) and column != row
    ]


REPAIRED = Shape(
    required=spelled(matrix=MATRIX), optional=spelled(floor="eps epsilon floor min_eig_floor")
)


def repaired(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the nearest correlation matrix, or the spectral repair if the method says so."""
    words = str(case.method).lower()
    spectral = "psd" in words or "spectral" in words
    statistics = facade.statistics
    repair = statistics.spectral_correlation if spectral else statistics.nearest_correlation
    found = repair(fields["matrix"], smallest_eigenvalue=fields["floor"] or 0.0)
    return expected(
        case,
        {
            "x r c corr matrix repaired nearest correlation r_fixed fixed psd r_psd": lambda: (
                found.correlation
            ),
            "offdiag off_diag offdiagonal upper": lambda: _upper(found.correlation),
            "frob_distance dist distance frob frobenius norm d": lambda: found.distance,
            "min_eig smallest_eigenvalue min_eig_after": lambda: statistics.smallest_eigenvalue(
                found.correlation
            ),
            "min_eig_before min_eig_in min_eig_a": lambda: statistics.smallest_eigenvalue(
                fields["matrix"]
            ),
            **_entries(found.correlation),
        },
    )


SAMPLED = Shape(required=spelled(returns="data returns r"))


def sampled(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a sample correlation of two or more series, one row per date."""
    covariance = facade.statistics.sample_covariance(fields["returns"])
    found = facade.statistics.correlation_of(covariance)
    return expected(
        case,
        {
            "rho corr correlation": lambda: (
                found.correlation[0][1].item()
                if len(found.correlation) == len("ab")
                else found.correlation
            ),
            "r matrix": lambda: found.correlation,
            "cov covariance": lambda: covariance,
        },
    )


PAIRED = Shape(required=spelled(first="x a", second="y b"))


def paired(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the sample correlation of two series."""
    rows = [list(pair) for pair in zip(fields["first"], fields["second"], strict=True)]
    return sampled(case, {"returns": rows}, facade)


SHRUNK = Shape(required=spelled(returns="X"), optional=spelled(target="target"))


def shrunk(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a covariance moved towards the identity."""
    if fields["target"] not in {None, "identity", "scaled identity", "muI"}:
        reason = f"the target {fields['target']!r} is not covered"
        raise NotApplicableError(reason)
    found = facade.statistics.ledoit_wolf(fields["returns"])
    return expected(
        case,
        {
            "shrinkage delta intensity": lambda: found.intensity,
            "cov covariance sigma matrix": lambda: found.covariance,
        },
    )


BETA = Shape(
    required=spelled(asset="asset r_asset alt", market="mkt market r_mkt btc"),
    optional=spelled(quantile="q quantile"),
)


def beta(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the beta of an asset, adjusted and in falls."""
    statistics, pair = facade.statistics, (fields["asset"], fields["market"])
    return expected(
        case,
        {
            "beta": lambda: statistics.beta(*pair),
            "blume beta_blume beta_adjusted": lambda: statistics.blume_beta(statistics.beta(*pair)),
            "beta_down downside_beta beta_downside": lambda: statistics.downside_beta(
                *pair, quantile=0.1 if fields["quantile"] is None else fields["quantile"]
            ),
        },
    )


STRESSED = Shape(
    required=spelled(matrix="R corr correlation rho C", share="k share weight w"),
    optional=spelled(target="T target", signs="signs s"),
)
TARGETS: Final = {
    None: "one",
    "ones": "one",
    "all-ones": "one",
    "one": "one",
    "11^T": "one",
    "identity": "zero",
    "I": "zero",
    "zero": "zero",
}


def stressed(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for correlations moved towards ones, the identity, a matrix or a pattern of signs."""
    target = fields["target"]
    matrix = target if isinstance(target, list) else None
    if matrix is None and target not in TARGETS:
        reason = f"the target {target!r} is unknown"
        raise NotApplicableError(reason)
    given = fields["matrix"]
    if not isinstance(given, list):
        given = [[1.0, given], [given, 1.0]]
    found = facade.statistics.stressed_correlation(
        given,
        fields["share"],
        towards="one" if matrix is not None else TARGETS[target],
        signs=fields["signs"],
        target=matrix,
    )
    return expected(
        case,
        {
            "offdiag off_diag offdiagonal upper": lambda: _upper(found),
            "rho rho_s rho_stressed": lambda: (
                found[0][1].item() if len(found) == len("ab") else found
            ),
            "r r_s corr matrix r_stressed correlation stressed": lambda: found,
            "min_eig min_eigenvalue smallest_eigenvalue": lambda: (
                facade.statistics.smallest_eigenvalue(found)
            ),
            **_entries(found),
        },
    )


CHANGE = Shape(
    required=spelled(
        fast="rho_f rho_fast fast",
        slow="rho_s rho_slow slow",
        effective="n_eff neff n effective_observations",
    )
)


def change(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the distance of two estimates of a correlation."""
    found = facade.statistics.correlation_change(
        fields["fast"], fields["slow"], effective_observations=fields["effective"]
    )
    return expected(case, {"z fisher_z z_fisher": lambda: found})


ADAPTERS: Final = (
    Adapter(UPDATED, updated),
    Adapter(UPDATED_MATRIX, updated_matrix),
    Adapter(GARCH, garch),
    Adapter(HALF_LIFE, half_life),
    Adapter(REPAIRED, repaired),
    Adapter(SAMPLED, sampled),
    Adapter(PAIRED, paired),
    Adapter(SHRUNK, shrunk),
    Adapter(BETA, beta),
    Adapter(STRESSED, stressed),
    Adapter(CHANGE, change),
)
