"""One-year overall survival of primary CNS lymphoma from post-contrast T1 MRI, without Slicer.

Research use only. Not for clinical decisions.

The names in ``__all__`` are the public API; what they need is imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.core.version import __version__

if TYPE_CHECKING:
    from PCNSLSurvivalLib.api import (
        CrossValidation,
        cross_validate_features,
        load_model,
        predict_case,
        prepare_cohort,
        read_cohort,
        read_prepared_cohort,
        read_scan,
        save_result,
    )
    from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
    from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence, OSClass
    from PCNSLSurvivalLib.inference.predict import CaseOptions, CaseResult

__all__ = [
    "RESEARCH_USE_ONLY",
    "CaseOptions",
    "CaseResult",
    "CrossValidation",
    "MRSequence",
    "OSClass",
    "PCNSLSurvivalError",
    "__version__",
    "cross_validate_features",
    "load_model",
    "predict_case",
    "prepare_cohort",
    "read_cohort",
    "read_prepared_cohort",
    "read_scan",
    "save_result",
]

_HOMES = {
    "RESEARCH_USE_ONLY": "core.terms",
    "MRSequence": "core.terms",
    "OSClass": "core.terms",
    "PCNSLSurvivalError": "core.errors",
    "CaseOptions": "inference.predict",
    "CaseResult": "inference.predict",
}


def __getattr__(name: str) -> object:
    """Import a public name, or the module of the public functions, when it is first used."""
    if name == "api":
        return import_module(f"{__name__}.api")  # which makes it an attribute
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'api')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
