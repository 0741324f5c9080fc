"""Every profile by its name: the tool, an underscore, the measure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from driftwatch.compat import evidently, great_expectations, nannyml, scipy, tfdv
from driftwatch.stats.counts import FloatArray, IntArray


class Profile(Protocol):
    """A figure of F features, shape (F,), from counts (F, K) of their value cells.

    Other tools leave missing values out: so give the counts without the cell `missing`. `cells`
    (F,) is the number of real cells of each row, None: all K.
    """

    def __call__(
        self, current: IntArray, reference: IntArray, *, cells: IntArray | None = None
    ) -> FloatArray: ...


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "evidently_js_distance": evidently.js_distance,
        "evidently_kl_bins": evidently.kl_of_bins,
        "evidently_kl_levels": evidently.kl_of_levels,
        "evidently_psi_bins": evidently.psi_of_bins,
        "evidently_psi_levels": evidently.psi_of_levels,
        "great_expectations_kl_bins": great_expectations.kl_of_bins,
        "great_expectations_kl_levels": great_expectations.kl_of_levels,
        "nannyml_chi2": nannyml.chi2,
        "nannyml_hellinger": nannyml.hellinger,
        "nannyml_js_distance": nannyml.js_distance,
        "nannyml_l_infinity": nannyml.l_infinity,
        "scipy_chi2": scipy.chi2,
        "scipy_chi2_p_value": scipy.chi2_p_value,
        "scipy_js_distance": scipy.js_distance,
        "scipy_kl": scipy.kl,
        "tfdv_js": tfdv.js,
        "tfdv_l_infinity": tfdv.l_infinity,
    }
)
