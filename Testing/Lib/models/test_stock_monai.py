"""Stock MONAI, and the safetensors library, open our model folders."""

import numpy as np
import pytest
import torch
from made_models import small_model
from monai.bundle import ConfigParser, load
from safetensors.numpy import load_file

from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.models.model_folder import CARD, METADATA, MONAI_CONFIG
from PCNSLSurvivalLib.models.stock_bundle import write_stock_bundle


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return small_model(tmp_path_factory.mktemp("models") / "stock_untrained", depth=18, channels=2)


@pytest.fixture(scope="module")
def case():
    return np.random.default_rng(3).standard_normal((2, 32, 32, 32)).astype(np.float32)


def test_the_folder_itself_opens_with_monais_parser_and_the_safetensors_library(model, case):
    parser = ConfigParser()
    parser.read_config(str(model.path / MONAI_CONFIG))
    parser.read_meta(str(model.path / METADATA))
    network = parser.get_parsed_content("network_def")
    weights = load_file(model.path / model.members[0])
    result = network.load_state_dict({name: torch.tensor(array) for name, array in weights.items()}, strict=False)
    assert not result.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in result.missing_keys)
    with torch.no_grad():
        logits = network.eval()(torch.from_numpy(case)[None])[0]
    np.testing.assert_allclose(SurvivalNetwork(model, "cpu").predict(case).logits[0], logits, atol=1e-5)


REQUIRED = (
    "version monai_version pytorch_version numpy_version required_packages_version task description authors "
    "copyright network_data_format"
)


@pytest.mark.parametrize("key", REQUIRED.split())
def test_the_metadata_has_what_the_bundle_specification_asks_for(model, key):
    parser = ConfigParser()
    parser.read_meta(str(model.path / METADATA))
    assert parser.get(f"_meta_::{key}") is not None
    assert parser.get("_meta_::network_data_format::inputs::image::num_channels") == 2


def test_the_card_of_a_bundle_says_where_stock_monai_gives_other_numbers(model, tmp_path):
    brain = small_model(tmp_path / "brain_untrained", pooling="brain")
    write_stock_bundle(brain, tmp_path / "bundle")
    write_stock_bundle(model, tmp_path / "same")
    assert "its probabilities differ" in (tmp_path / "bundle" / CARD).read_text(encoding="utf-8")
    assert (tmp_path / "same" / CARD).read_text(encoding="utf-8") == model.read_card()


def test_monai_bundle_load_gives_the_network_in_one_call(model, case, tmp_path):
    write_stock_bundle(model, tmp_path / "stock_untrained")
    with pytest.warns(UserWarning, match="config_file"):  # MONAI warns that a config is code
        network = load("stock_untrained", bundle_dir=str(tmp_path), workflow_type="inference", device="cpu")
    with torch.no_grad():
        logits = network.eval()(torch.from_numpy(case)[None])[0]
    np.testing.assert_allclose(SurvivalNetwork(model, "cpu").predict(case).logits[0], logits, atol=1e-5)
