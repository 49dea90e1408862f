"""Messages about output folders and written files."""

from __future__ import annotations

from PCNSLSurvivalLib.core.marked import marked as _

TEMPLATES = {
    "files.another_run": _(
        "The output folder is locked by another run ({owner}); nothing was changed. Wait until that run has ended, "
        "or choose another folder with --out."
    ),
    "files.disk_full": _(
        "The disk of the output folder is full, or does not accept a file of this size. What was finished before is "
        "kept. Free some space and run the same command again."
    ),
    "files.impossible_path": _(
        "The path of an output is too long, or contains characters that a file name must not contain. Choose another "
        "one."
    ),
    "files.long_path": _(
        "A path that was given, or one inside the output folder, is longer than this computer allows. Check it, or "
        "choose shorter names."
    ),
    "files.no_folder_for_steps": _(
        "The folder that keeps finished steps cannot be made ({reason}). Choose another one (on the command line "
        "--cache-dir) and try again."
    ),
    "files.output_holds_others": _(
        "The output folder already holds other files; nothing was changed. Choose an empty folder with --out."
    ),
    "files.output_inside_file": _("The output folder lies inside a file. Choose another folder with --out."),
    "files.output_is_file": _("The output folder is a file. Choose a folder with --out and try again."),
    "files.output_not_empty": _(
        "The output folder already holds files; nothing was changed. Choose an empty folder with --out, or add "
        "--overwrite to replace what it holds."
    ),
    "files.output_not_writable": _(
        "The output folder cannot be written ({reason}). Choose another folder with --out, or free this one, and "
        "try again."
    ),
    "files.results_place_taken": _(
        "The folder '{name}' in the output folder, where the results go, holds other files; nothing was changed. "
        "Choose another folder with --out, or move these files elsewhere."
    ),
    "files.volume_cut_short": _(
        "A volume could not be written completely. Free some space on the disk of --out and try again."
    ),
}
