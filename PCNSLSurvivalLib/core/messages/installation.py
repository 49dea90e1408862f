"""Messages of the check of an installation."""

from __future__ import annotations

from PCNSLSurvivalLib.core.marked import marked as _

TEMPLATES = {
    "check.all_ok": _("This installation is complete for prediction."),
    "check.brain_ready": _("The brain extraction model {method} is installed; its checksums are correct."),
    "check.device_agrees": _(
        "{runtime} on {device} reproduces the stored answer (difference in log-odds {difference:.1e})."
    ),
    "check.device_disagrees": _(
        "{runtime} on {device} does not reproduce the stored answer (difference in log-odds {difference:.1e}). Do not "
        "use this device; update its driver or the package."
    ),
    "check.disk": _("{kept:.0f} GB are free for models, {temporary:.0f} GB for temporary files."),
    "check.disk_short": _(
        "{kept:.1f} GB are free for models, {temporary:.1f} GB for temporary files. Free at least {least:.0f} GB."
    ),
    "check.extras_absent": _(
        "Prediction does not need these extras, which are not installed: {extras}. To install one in a checkout of "
        'this repository: pip install -c constraints.txt -e ".[NAME]"'
    ),
    "check.faults": _("Problems found: {count}."),
    "check.model_ready": _("The model {name} {version} is complete; its checksums are correct."),
    "check.model_refused": _("The model folder {name} cannot be used. {reason}"),
    "installation.package_missing": _(
        "{command} needs the package {package}, which is not installed. Install it in a checkout of this repository: "
        'pip install -c constraints.txt -e ".[{extras}]"'
    ),
    "workers.no_dask": _("--scheduler needs Dask. Install it with 'pip install distributed', here and on the workers."),
    "workers.no_scheduler": _(
        "The Dask scheduler does not answer ({reason}). Check the address given with --scheduler."
    ),
}
