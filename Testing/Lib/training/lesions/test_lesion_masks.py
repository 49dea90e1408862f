"""Learning from lesion masks: cells, the auxiliary task, the refitted head, the training as a whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made_cohorts import made_cohort
from refusals import refused
from scipy.ndimage import binary_dilation

from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.cohorts.splits import Fold
from PCNSLSurvivalLib.core.errors import CohortError, TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.resnet3d import build_resnet
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.data.augmentation import NO_AUGMENTATION, AugmentationSettings
from PCNSLSurvivalLib.training.data.transforms import augment
from PCNSLSurvivalLib.training.finished_job import MEMBER
from PCNSLSurvivalLib.training.job import NetworkJob, run_job
from PCNSLSurvivalLib.training.lesions.head import refit_head
from PCNSLSurvivalLib.training.lesions.task import LesionTask, fraction_in_cells, share_in_cells
from PCNSLSurvivalLib.training.settings import TrainingSettings

GRID = NetworkGridStep(size=(32, 32, 32), spacing_mm=(1.5, 1.5, 1.5))
SMALL = ResNetArchitecture(depth=10, widen_factor=0.125, max_pool=False)
SETTINGS = TrainingSettings(
    architecture=SMALL,
    grid=GRID,
    epochs=2,
    batch_size=4,
    warmup_epochs=0,
    lesion_task=1.0,
    lesion_head=True,
    augmentation=NO_AUGMENTATION,
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return read_prepared_cohort(made_cohort(tmp_path_factory.mktemp("lesions") / "cohort", patients=16, seed=4))


def full_cohort(cohort) -> Fold:
    return Fold(0, 0, train=tuple(sorted(exam.name for exam in cohort.exams)), test=())


@pytest.mark.parametrize("size", [(32, 32, 32), (20, 24, 18)])
def test_a_cell_has_a_share_exactly_where_the_pointing_game_dilates_the_lesion(size):
    rng = np.random.default_rng(3)
    lesion = np.zeros(size, dtype=bool)
    for corner in rng.integers(2, 12, (3, 3)):
        lesion[tuple(slice(c, c + 4) for c in corner)] = True
    stride = 8
    cells = tuple(-(-n // stride) for n in size)
    dilated = binary_dilation(lesion, np.ones((stride + 1,) * 3))
    expected = dilated[::stride, ::stride, ::stride]
    tensor = torch.from_numpy(lesion.astype(np.float32))[None, None]
    shares = share_in_cells(tensor, cells)[0].numpy()
    assert ((shares > 0) == expected).all()
    box = lesion[stride - 4 : stride + 5, stride - 4 : stride + 5, stride - 4 : stride + 5]
    assert shares[1, 1, 1] == pytest.approx(box.mean())


def test_the_fractions_of_a_patient_add_up_to_one_and_are_zero_without_lesion():
    shares = torch.zeros(2, 3, 3, 3)
    shares[0, 1, 1, :] = torch.tensor([0.2, 0.4, 0.2])
    fractions = fraction_in_cells(shares)
    assert fractions[0].sum() == pytest.approx(1.0)
    assert fractions[0, 1, 1, 1] == pytest.approx(0.5)
    assert not fractions[1].any()


def test_a_mask_moves_with_its_scan_and_keeps_its_brightness():
    both = torch.zeros(1, 2, 32, 32, 32)
    both[:, :, 8:14, 10:15, 18:25] = 1.0
    settings = AugmentationSettings(probability=1.0, flip_probability=1.0, gain=0.4)
    augment(both, GRID, settings, [np.random.default_rng(5)], masks=1)
    scan, mask = both[0]
    assert mask.max() == pytest.approx(1.0, abs=1e-5)
    assert scan.max() != pytest.approx(1.0, abs=0.01)
    torch.testing.assert_close(scan / scan.max() * mask.max(), mask)
    alone = torch.zeros(1, 1, 32, 32, 32)
    alone[:, :, 8:14, 10:15, 18:25] = 1.0
    augment(alone, GRID, settings, [np.random.default_rng(5)])
    torch.testing.assert_close(alone[0, 0], scan, msg="a mask beside the scan must not change what happens to it")


def test_a_cell_that_says_less_than_nothing_is_wrong_too():
    """Otherwise cells without lesion may take from the sum over all cells what the lesion adds to it."""
    network = build_resnet(SMALL).eval()
    task = LesionTask(network, TrainingSettings(architecture=SMALL, lesion_task=1.0), seed=1)
    scan, no_lesion = torch.randn(1, 1, 32, 32, 32), torch.zeros(1, 1, 32, 32, 32)
    (reader,) = (weight for weight in task.parameters() if weight.shape[:2] == (2, 64))

    def loss_with(share: float) -> float:
        with torch.no_grad():
            reader[1] = share
            network(scan)
            return float(task.loss(no_lesion))

    assert loss_with(0.0) < loss_with(-0.1) == pytest.approx(loss_with(0.1))


def test_the_early_blocks_learn_from_the_masks():
    network = build_resnet(SMALL)
    task = LesionTask(network, TrainingSettings(architecture=SMALL, lesion_task=1.0), seed=1)
    network(torch.randn(2, 1, 32, 32, 32))
    task.loss(torch.ones(2, 1, 32, 32, 32)).backward()
    assert network.get_parameter("conv1.weight").grad.abs().sum() > 0
    # The reader of layer4 starts at zero: at first all comes from layer2 and layer3.
    assert network.get_parameter("layer4.0.conv1.weight").grad.abs().sum() == 0


def test_the_head_made_of_the_lesion_tells_its_amount_and_says_nothing_elsewhere():
    """A backbone whose first two channels are what the head is to be made of, and whose others are noise."""
    torch.manual_seed(0)
    amount = torch.linspace(0.05, 1.0, 20)
    place = torch.zeros(20, 4, 4, 4)
    for n in range(20):
        place[n, n % 4, (n // 4) % 4, 1:3] = torch.tensor([0.3, 0.7])
    scans = torch.cat(
        [place[:, None], (place * amount[:, None, None, None])[:, None], torch.rand(20, 6, 4, 4, 4) / 100], 1
    )
    shares = (place * amount[:, None, None, None])[:, None]
    network = _Backbone()
    names = [str(n) for n in range(20)]
    inputs = _Ready(names, torch.cat([scans, shares], 1))
    refit_head(network, names, {name: int(n < 10) for n, name in enumerate(names)}, inputs, batch_size=4)
    with torch.no_grad():
        logits = network(scans)
        odds = logits[:, 1] - logits[:, 0]
        weight = network.fc.weight[1] - network.fc.weight[0]
        evidence = torch.einsum("c,ncijk->nijk", weight, scans) / 64
    assert (odds[:9] > 0).all()
    assert (odds[11:] < 0).all()
    assert (odds.diff() < 0).all(), "more lesion, less survival"
    outside = (evidence * (place == 0)).abs().sum() / evidence.abs().sum()
    assert outside < 0.05
    torch.testing.assert_close(network.fc.weight[0], -network.fc.weight[1])
    assert not network.fc.bias.any(), "as many of each class: a constant of 0"
    refit_head(network, names, {name: int(n < 5) for n, name in enumerate(names)}, inputs, batch_size=4)
    assert float((network.fc.bias[1] - network.fc.bias[0]).detach()) == pytest.approx(np.log(5 / 15), rel=1e-5)


class _Backbone(torch.nn.Module):
    """Its cells are what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.layer4, self.fc = torch.nn.Identity(), torch.nn.Linear(8, 2)

    def forward(self, scans: torch.Tensor) -> torch.Tensor:
        return self.fc(self.layer4(scans).mean((2, 3, 4)))


class _Ready:
    """Tensors by name."""

    def __init__(self, names, tensors) -> None:
        self._tensors = dict(zip(names, tensors.numpy(), strict=True))

    def batch(self, names):
        return np.stack([self._tensors[name] for name in names])


def test_a_training_with_masks_can_be_interrupted_and_ends_the_same(cohort, tmp_path):
    fold = full_cohort(cohort)
    job = NetworkJob(arm="t1gd", fold=fold, sequences=(MRSequence.T1GD,), settings=SETTINGS)
    whole = run_job(cohort, job, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run_job(cohort, job, tmp_path / "cut", checkpoint_seconds=0, on_epoch=_interrupt_the_second())
    resumed = run_job(cohort, job, tmp_path / "cut")
    assert (whole.folder / MEMBER).read_bytes() == (resumed.folder / MEMBER).read_bytes()
    assert whole.facts["settings"]["lesion_task"] == 1.0


def test_a_cohort_without_masks_is_refused_with_a_sentence(tmp_path):
    folder = made_cohort(tmp_path / "cohort", patients=8)
    about = folder / "cohort.json"
    about.write_text(about.read_text().replace('"has_lesion_mask": true', '"has_lesion_mask": false'))
    bare = read_prepared_cohort(folder)
    job = NetworkJob(arm="t1gd", fold=full_cohort(bare), sequences=(MRSequence.T1GD,), settings=SETTINGS)
    with refused(CohortError, "training.no_lesion_mask"):
        run_job(bare, job, tmp_path / "out")


def test_negative_weights_are_refused():
    with refused(TrainingError, "settings.unusable", wanted=Message("settings_need.lesion_task")):
        TrainingSettings(lesion_task=-1.0)


def _interrupt_the_second():
    """Let one pass end with its checkpoint, and end the next one before it has one."""
    seen = []

    def on_epoch(epoch):
        seen.append(epoch)
        if len(seen) == 2:
            raise KeyboardInterrupt

    return on_epoch
