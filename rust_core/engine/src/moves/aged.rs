//! Probabilities that fall with age (Boudoukh, Richardson and Whitelaw 1998; methods.md section 2.2).

use crate::numeric::accumulate::sum;

/// Probabilities of scenarios, the oldest first: `decay^age`, normalised.
pub(super) fn probabilities(count: usize, decay: f64) -> Vec<f64> {
    let mut weights = vec![0.0; count];
    let mut weight = 1.0;
    for slot in weights.iter_mut().rev() {
        *slot = weight;
        weight *= decay;
    }
    let total = sum(weights.iter().copied());
    weights.iter().map(|weight| weight / total).collect()
}
