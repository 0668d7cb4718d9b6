"""A sample of the inputs that each adapter of statistics reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TWO: Final = [[1.0, 0.2], [0.2, 1.0]]
PAIRS: Final = {"N00": 8, "N01": 1, "N10": 1, "N11": 0}

STATISTICS_SAMPLES: Final[Mapping[str, dict[str, Any]]] = {
    "exposures": {"pos": [1.0, 2.0], "vol": [0.1, 0.2], "rho": 0.5, "z": 1.65},
    "budgeted": {"Sigma": [[1.0, 0.2], [0.2, 1.0]], "budget": [0.5, 0.5]},
    "volatile": {"vol": [0.2, 0.5], "corr": TWO},
    "losses": {"losses": "1..40", "alpha": 0.975},
    "by position": {"pnl_by_position": [[-1.0, 0.5], [1.0, 0.0]], "alpha": 0.5},
    "standard error": {"dist": "N(0,1)", "alpha": 0.99, "n": 1000},
    "ranks": {"n": 10, "alpha": 0.5, "r": 2, "s": 9},
    "interval": {"n": 10, "alpha": 0.5, "level": 0.95},
    "ages": {"lambda": 0.97, "n": 10},
    "filtered": {"r": [0.1], "sigma_s": [0.2], "sigma_T": 0.1},
    "closed form": {"V": 100, "ann_vol": 0.2, "days": 250, "nu": 4, "alpha": [0.9]},
    "gamma": {"gamma": -1.0, "sigma": 1.0, "alpha": 0.99},
    "expansion": {"p": 0.05, "skew": -0.1, "exkurt": 0.5},
    "tail dependence": {"nu": [3], "rho": [0.5]},
    "rank correlation": {"rho": 0.3},
    "tau": {"tau": 0.3},
    "lognormal": {"tail_probability": 0.01, "tau_years": 0.1, "mu": 0.0, "sigma": 1.0},
    "student factor": {"df": 4, "conf": 0.99},
    "breaker": {"soft": 1.0, "hard": 2.0, "multipliers": [1.0, 1.5, 2.0], "stress": [1.0]},
    "updated volatility": {"lambda": 0.9, "sigma": 0.01, "u": 0.02},
    "updated covariance": {"lambda": 0.9, "Sigma": [[0.01]], "u": [0.02]},
    "garch": {"omega": 1e-6, "alpha": 0.1, "beta": 0.8, "sigma": 0.01, "u": 0.02},
    "half-life": {"lambda": 0.97},
    "repaired": {"A": TWO},
    "sampled": {"data": [[1.0, 2.0], [2.0, 1.0]]},
    "paired": {"x": [1.0, 2.0], "y": [2.0, 1.0]},
    "shrunk": {"X": [[1.0, 2.0], [2.0, 1.0]]},
    "beta": {"asset": [0.1, 0.2], "mkt": [0.1, 0.3]},
    "stressed": {"R": TWO, "k": 0.5},
    "change": {"rho_fast": 0.5, "rho_slow": 0.2, "n_eff": 33},
    "followed": PAIRS,
    "counted": {"N": 11, "x": 1, "p": 0.1, **PAIRS},
    "regions": {"T": [255, 510], "p": [0.01, 0.05], "conf": 0.95},
    "cumulative": {"T": 250, "k": [0, 1], "alpha": 0.99},
    "predicted": {"pnl": [-3.0], "var": [2.0], "es": [2.5], "alpha": 0.4},
    "critical": {"T": 250, "alpha": 0.975, "dist": "N(0,1)", "sims": 100_000},
    "options": {"margin": 1.0, "stress_margin": 2.0, "floor10y": 1.5},
    "path": {"margin": [1.0, 2.0], "n": 1},
    "spread": {"P": 100.0, "sigma": 0.01, "z": 2.33, "spread": 0.002},
    "elasticity": {"E": -0.4, "dN_over_N": 0.1},
    "unwound": {"T": [1, 5]},
    "autocorrelated": {"h": 10, "rho": 0.2},
    "haircut": {"H_M": 0.1, "N_R": 5, "T_M": 10},
    "impact": {"sigma_d": 0.04, "Q": 1.0, "V": 10.0, "Y": 1, "P": 100.0},
    "concentrated": {
        "sigma_d": 0.04,
        "Q": 1.0,
        "V": 10.0,
        "P": 100.0,
        "half_spread": 0.001,
        "theta": 0.05,
        "eta": 0.1,
    },
    "kelly": {"mu": 0.4, "sigma": 0.8},
    "target": {"target": 0.2, "sigma": 0.8, "budget": 0.05, "alpha": 0.99, "h_days": 1},
    "barrier": {"L": [5, 10], "m": 0.005, "sigma": 0.8, "T_days": 1, "mu": 0},
    "near": {"P": 100.0, "liq": 90.0, "ann_vol": 0.6},
    "raised by interest": {"base": 0.05, "OI": [1.0], "lo": 0.0, "hi": 2.0},
    "premium": {"w": 0.1, "imf": 0.0005, "size_units": 100},
}
