"""One stand-in application for the whole run; every test starts with a fresh scene and ends without leftovers."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.append(str(HERE))


@pytest.fixture(scope="session")
def application():
    from slicer_standin.application import start

    running = start()
    sys.path.append(str(ROOT / "PCNSLSurvival"))
    yield running
    running.stop()


@pytest.fixture
def standin(application):
    application.reset()
    before = _our_modules()
    yield application
    application.reset()
    # Reloading the panel gives every class a twin that is no instance of those that the other tests imported.
    if any(sys.modules.get(name) is not module for name, module in before.items()):
        for name in _our_modules():
            del sys.modules[name]
        # The module's own file is executed again when it is opened: its names lead to the twins.
        sys.modules.update({name: module for name, module in before.items() if name != "PCNSLSurvival"})


def _our_modules():
    packages = ("PCNSLSurvival", "PCNSLSurvivalUI", "PCNSLSurvivalLib")
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in packages}


@pytest.fixture
def panel(standin):
    widget = standin.open_module(ROOT / "PCNSLSurvival" / "PCNSLSurvival.py")
    yield widget
    standin.close_module(widget)


@pytest.fixture
def made_model():
    """As much of a model folder as the panel reads."""
    from PCNSLSurvivalLib.core.messages import Message
    from PCNSLSurvivalLib.core.terms import MRSequence
    from PCNSLSurvivalLib.preprocessing.recipe import RECIPE

    return SimpleNamespace(
        checksum="ab" * 32,
        path=HERE / "no-model",
        name="made-up",
        version="1",
        kind="demonstration",
        warning=Message("model.demonstration"),
        sequences=(MRSequence.T1GD,),
        recipe=RECIPE,
        intended_use="Tests.",
        training_cohort="None.",
        training_patients=0,
    )


@pytest.fixture
def quick_panel(standin, made_model, monkeypatch):
    """The panel with a made-up model and the prediction process played by a small script."""
    widget = standin.open_module(ROOT / "PCNSLSurvival" / "PCNSLSurvival.py")
    from PCNSLSurvivalUI.choices import model_list
    from PCNSLSurvivalUI.process import job

    monkeypatch.setattr(model_list, "installedModels", lambda: [made_model])
    monkeypatch.setattr(job, "WORKER", HERE / "fake_worker.py")
    widget.view.models.fill()
    yield widget
    standin.close_module(widget)


@pytest.fixture
def opened(quick_panel, tmp_path_factory):
    """Gives a function that shows the made-up result of a head, as the panel opens an exam: without any run before."""

    def show(t1gd):
        from fake_worker import write_result
        from made_scenes import wait_for_exam
        from PCNSLSurvivalUI.scene.volume_files import writeNrrd

        folder = tmp_path_factory.mktemp("result")
        list(writeNrrd(t1gd, folder / "t1gd.nrrd", "T1Gd"))
        write_result(folder / "result", folder / "t1gd.nrrd", None, None)
        quick_panel.view.openCase(folder / "result", t1gd)
        wait_for_exam(quick_panel)
        assert quick_panel.ui.messageLabel.text == ""
        return quick_panel

    return show


@pytest.fixture
def predicted_from_three(standin, quick_panel):
    """The panel after a prediction from T1Gd, T1 and T2."""
    from made_scenes import Wait, add_head
    from slicer_standin import cli

    for module in ("n4itkbiasfieldcorrection", "swissskullstripper", "brainsfit"):
        cli.plans[module] = {"quick": True}

    def run(geometry="axial"):
        ui = quick_panel.ui
        ui.t1gdSelector.setCurrentNode(add_head("T1 Gd", geometry))
        ui.t1Selector.setCurrentNode(add_head("T1", lesion=300.0))
        ui.t2Selector.setCurrentNode(add_head("T2", gain=0.6))
        ui.predictButton.click()
        Wait().until(lambda: quick_panel.logic.run is None)
        assert ui.messageLabel.text == ""
        return quick_panel

    return run
