"""``pcnsl-survival model``: list, verify, install and create model folders."""

from __future__ import annotations

import argparse
from pathlib import Path

from PCNSLSurvivalLib.cli.options.numbers import HIGHEST_SEED, decimal_number, whole_number
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.models.networks.designs import DEFAULT_DEPTH, DEPTHS

_MODEL = "model folder or name of an installed model; the bundled model if left out"


def add_model_command(commands: argparse._SubParsersAction) -> None:
    """Add ``model`` and its actions to the command line."""
    parser = commands.add_parser("model", help="list, verify, install and create model folders")
    actions = parser.add_subparsers(title="actions", dest="action", required=True, metavar="ACTION")

    listing = actions.add_parser("list", help="list the models on this computer")
    listing.set_defaults(run=run_model_list)

    show = actions.add_parser("show", help="show the card of a model")
    show.add_argument("model", nargs="?", help=_MODEL)
    show.set_defaults(run=run_model_show)

    check = actions.add_parser("check", help="verify every file and every tensor of a model")
    check.add_argument("model", nargs="?", help=_MODEL)
    check.set_defaults(run=run_model_check)

    importing = actions.add_parser("import", help="install a model from a zip file")
    importing.add_argument("zip", type=Path, metavar="ZIP", help="zip file of a model, made by 'model export'")
    importing.add_argument(
        "--overwrite", action="store_true", help="replace an installed model of the same name and version"
    )
    importing.set_defaults(run=run_model_import)

    export = actions.add_parser("export", help="write a model as a zip file, an ONNX graph or a bundle for stock MONAI")
    export.add_argument("model", help="model folder or name of an installed model")
    export.add_argument("out", type=Path, metavar="OUT", help="output: NAME.zip, NAME.onnx, or with --monai a folder")
    export.add_argument(
        "--monai", action="store_true", help="write a bundle folder with models/model.pt, which monai.bundle.load opens"
    )
    export.set_defaults(run=run_model_export)

    untrained = actions.add_parser("untrained", help="create a model folder with random weights, to try the software")
    untrained.add_argument("--out", type=Path, required=True, help="output folder; its name becomes the model's name")
    untrained.add_argument(
        "--depth",
        type=whole_number(min(DEPTHS), max(DEPTHS)),
        default=DEFAULT_DEPTH,
        choices=DEPTHS,
        help="ResNet depth",
    )
    untrained.add_argument(
        "--width", type=decimal_number(0.01, 4.0), default=0.25, help="width multiplier of the network"
    )
    untrained.add_argument(
        "--conv1-stride", type=whole_number(1, 2), default=1, choices=(1, 2), help="stride of the first convolution"
    )
    untrained.add_argument(
        "--sequences", nargs="+", default=["t1gd"], choices=[str(s) for s in MRSequence], help="input channels in order"
    )
    untrained.add_argument("--members", type=whole_number(1, 100), default=1, help="number of networks")
    untrained.add_argument(
        "--seed", type=whole_number(0, HIGHEST_SEED), default=None, help="seed of the random weights"
    )
    untrained.add_argument("--overwrite", action="store_true", help="replace a folder that contains files")
    untrained.set_defaults(run=run_model_untrained)


def run_model_list(args: argparse.Namespace) -> int:
    """Print one line per model."""
    from PCNSLSurvivalLib.core.errors import ModelFolderError
    from PCNSLSurvivalLib.models.installed_models import model_paths
    from PCNSLSurvivalLib.models.model_folder import read_model_folder

    for number, path in enumerate(model_paths()):
        try:
            model = read_model_folder(path)
        except ModelFolderError as problem:
            print(f"{path.name}: {problem}")
            continue
        sequences = ", ".join(sequence.label for sequence in model.sequences)
        place = "bundled" if number == 0 else "installed"
        print(
            f"{model.name} {model.version} ({place}, {model.kind}): {model.architecture.name} for {sequences}, "
            f"{len(model.members)} member(s), {model.training_patients} training patients"
        )
    return 0


def run_model_show(args: argparse.Namespace) -> int:
    """Print the card of a model."""
    from PCNSLSurvivalLib.models.installed_models import find_model

    model = find_model(args.model)
    print(model.read_card().strip())
    print(f"\nVersion {model.version}, checksum {model.checksum}")
    return 0


def run_model_check(args: argparse.Namespace) -> int:
    """Check every file and every tensor of a model."""
    from PCNSLSurvivalLib.models.installed_models import find_model

    model = find_model(args.model)
    tensors = model.load_members()
    numbers = sum(array.size for array in tensors[0].values())
    print(
        f"{model.name} {model.version} is intact: {len(model.files)} files, {len(tensors)} member(s), "
        f"{len(tensors[0])} tensors with {numbers / 1e6:.2f} million numbers each, all checksums match."
    )
    if model.warning:
        print(model.warning)
    return 0


def run_model_import(args: argparse.Namespace) -> int:
    """Install a model from a zip file."""
    from PCNSLSurvivalLib.models.model_zip import import_model

    model = import_model(args.zip, overwrite=args.overwrite)
    print(f"Installed {model.name} {model.version}. Use it with --model {model.name}_v{model.version}.")
    if model.warning:
        print(model.warning)
    return 0


def run_model_export(args: argparse.Namespace) -> int:
    """Write a model for another computer, another runtime, or stock MONAI."""
    from PCNSLSurvivalLib.models.installed_models import find_model

    model = find_model(args.model)
    if args.monai:
        from PCNSLSurvivalLib.models.stock_bundle import write_stock_bundle

        write_stock_bundle(model, args.out)
    elif args.out.suffix == ".onnx":
        from PCNSLSurvivalLib.models.networks.onnx_graph import export_onnx

        export_onnx(model, args.out)
    else:
        from PCNSLSurvivalLib.models.model_zip import export_model

        export_model(model, args.out)
    print(f"Wrote {args.out.name}: {model.name} {model.version}.")
    return 0


def run_model_untrained(args: argparse.Namespace) -> int:
    """Make an untrained model folder."""
    from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
    from PCNSLSurvivalLib.models.untrained import SEED, write_untrained_model

    architecture = ResNetArchitecture(
        depth=args.depth,
        channels=len(args.sequences),
        conv1_stride=args.conv1_stride,
        widen_factor=args.width,
    )
    write_untrained_model(
        args.out,
        architecture=architecture,
        sequences=tuple(MRSequence(name) for name in args.sequences),
        members=args.members,
        seed=SEED if args.seed is None else args.seed,
        overwrite=args.overwrite,
    )
    print(f"Created the UNTRAINED model {args.out.name} ({architecture.name}). It has no prognostic value.")
    return 0
