"""A whole model folder is read; any other is refused in a sentence, at once, without running anything in it."""

import hashlib
import json
import os
import pickle
import re
import shutil
import stat
import time
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_models import small_model
from refusals import refused

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.models.installed_models import find_model, model_paths, models_home
from PCNSLSurvivalLib.models.model_folder import METADATA, bundled_model_path, read_model_folder
from PCNSLSurvivalLib.models.model_zip import export_model, import_model
from PCNSLSurvivalLib.models.networks.folded_resnet import brain_share
from PCNSLSurvivalLib.models.networks.weights_file import write_weights
from PCNSLSurvivalLib.models.write_model_folder import rename_model
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE

WEIGHTS = "models/member_0.safetensors"
TOP, DEFLATED = "small_untrained/", zipfile.ZIP_DEFLATED


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return small_model(tmp_path_factory.mktemp("models") / "small_untrained", members=2).path


@pytest.fixture
def model(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("PCNSL_SURVIVAL_HOME", str(tmp_path / "home"))


def _codes(message):
    """The code of a refusal and of the reason in it."""
    inner = [value for value in message.values.values() if isinstance(value, Message)]
    return [message.code, *(code for each in inner for code in _codes(each))]


@contextmanager
def refused_within_a_second(about, trap=None):
    begin = time.perf_counter()
    with pytest.raises(ModelFolderError) as caught:
        yield
    assert re.search(about, " ".join(_codes(caught.value.message)))
    assert time.perf_counter() - begin < 1.0
    assert str(caught.value).endswith(".")
    assert "/tmp" not in str(caught.value)
    assert trap is None or not trap.exists(), "code in the model folder ran"


def load(path):
    return read_model_folder(path).load_members()


def change_metadata(path, change):
    metadata = json.loads((path / METADATA).read_text(encoding="utf-8"))
    change(metadata)
    (path / METADATA).write_text(json.dumps(metadata), encoding="utf-8")


def list_again(path, name):
    """What a careful forger does: size and SHA-256 of the changed file go into the metadata."""
    content = (path / name).read_bytes()
    entry = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    change_metadata(path, lambda m: m["pcnsl_survival"]["files"].__setitem__(name, entry))


def test_a_whole_folder_is_read_and_says_what_it_is(whole):
    model = read_model_folder(whole)
    assert (model.kind, model.demonstration, len(model.members)) == ("untrained", True, 2)
    assert model.checksum == hashlib.sha256((whole / METADATA).read_bytes()).hexdigest()
    first, second = model.load_members()
    assert {name: array.shape for name, array in first.items()} == model.architecture.tensor_shapes()
    assert not np.array_equal(first["conv1.weight"], second["conv1.weight"])
    json.dumps(model.to_json(), allow_nan=False)


def test_the_bundled_folder_is_whole_and_bears_the_default_recipe():
    model = read_model_folder(bundled_model_path())
    assert len(model.load_members()) == 5
    assert model.architecture.name == "ResNet-10"
    recipe = replace(model.recipe, network_grid=RECIPE.network_grid)
    assert recipe == RECIPE, "make it again: make bundled-model"
    assert sum(size for size, _ in model.files.values()) < 20_000_000


def test_the_bundled_model_says_first_what_it_is_then_whether_it_beats_the_volume_of_the_lesion():
    """The card's numbers are printed and agree with each other and with the folder; no bar is set for them."""
    model = read_model_folder(bundled_model_path())
    first, second = [line for line in model.read_card().splitlines() if line][:2]
    assert first == "# DEMONSTRATION: trained on virtual heads only; must not be used on patients"
    assert "virtual_heads_only" in model.name
    assert model.warning.code == "model.demonstration"
    said = re.search(r"AUC ([\d.]+) and ([\d.]+) on .* difference ([+-][\d.]+) .*interval ([+-][\d.]+) to", second)
    network, volume, difference, low = (float(one) for one in said.groups())
    assert network - volume == pytest.approx(difference, abs=0.011)
    assert ("not shown" in second) == (low <= 0)
    ((in_table, from_auc, to_auc),) = re.findall(r"\| AUC \| ([\d.]+) \(([\d.]+) to ([\d.]+)\)", model.read_card())
    assert float(in_table) == network
    assert float(from_auc) < network < float(to_auc)
    for row in (
        "Brier score",
        "Strongest evidence there",
        "The same by chance",
        "Called unusual or out of distribution, expected 5 %",
    ):
        assert re.search(rf"\| {row} \| \d", model.read_card()), row
    assert re.search(r"\| Evidence in cells without brain, largest share \| 0\.\d% \|", model.read_card())
    assert f"temperature {model.temperature:.2f}" in model.read_card()


def test_every_bundled_network_finds_no_evidence_where_there_is_no_brain():
    model = read_model_folder(bundled_model_path())
    assert model.architecture.pooling == "brain"
    size = model.recipe.network_grid.size
    case = np.zeros((1, *size), np.float32)
    case[:, 20:60, 20:70, 20:60] = np.random.default_rng(2).standard_normal((1, 40, 50, 40))
    result = SurvivalNetwork(model, "cpu").predict(case)
    share = brain_share(torch.from_numpy(case)[None], model.architecture)[0, 0].numpy()
    assert (share == 0).any()
    assert not result.evidence[share == 0].any()
    assert not result.member_maps[:, share == 0].any()
    assert result.evidence.sum(dtype=float) + result.evidence_constant == pytest.approx(result.log_odds, abs=1e-4)
    nothing = SurvivalNetwork(model, "cpu").predict(np.zeros_like(case))
    assert nothing.log_odds == pytest.approx(nothing.evidence_constant, abs=1e-6)


def test_a_folder_that_does_not_say_how_cells_count_counts_all_alike(model):
    case = np.zeros((1, 32, 32, 32), np.float32)
    case[:, :12] = np.random.default_rng(1).standard_normal((1, 12, 32, 32))
    before = SurvivalNetwork(read_model_folder(model), "cpu").predict(case)
    change_metadata(model, lambda m: m["pcnsl_survival"]["network"]["arguments"].pop("pooling"))
    after = SurvivalNetwork(read_model_folder(model), "cpu").predict(case)
    assert after.log_odds == before.log_odds
    np.testing.assert_array_equal(after.evidence, before.evidence)


def test_equal_arguments_give_equal_bytes(tmp_path):
    one, other = (small_model(tmp_path / name / "untrained").path for name in ("a", "b"))
    for file in (f for f in one.rglob("*") if f.is_file()):
        assert file.read_bytes() == (other / file.relative_to(one)).read_bytes()


def test_a_model_can_be_renamed_and_stays_whole(model):
    before = read_model_folder(model)
    rename_model(model, "another", card="# Another\n")
    after = read_model_folder(model)
    assert (after.name, after.read_card()) == ("another", "# Another\n")
    assert all(np.array_equal(a, b) for a, b in zip(_tensors(before), _tensors(after), strict=True))


def _tensors(model):
    return [array for member in model.load_members() for array in member.values()]


@pytest.mark.parametrize("name", [WEIGHTS, METADATA, "configs/inference.json", "docs/README.md", "LICENSE"])
def test_one_changed_byte_is_refused_or_changes_the_checksum(model, name):
    before = read_model_folder(model).checksum
    content = bytearray((model / name).read_bytes())
    place = len(content) // 2
    content[place] = content[place] ^ 0x01
    (model / name).write_bytes(content)
    try:
        load(model)
    except ModelFolderError:
        return
    assert name == METADATA
    assert read_model_folder(model).checksum != before


@pytest.mark.parametrize("name", [WEIGHTS, METADATA, "configs/inference.json", "docs/README.md"])
def test_a_missing_file_is_refused(model, name):
    (model / name).unlink()
    with refused_within_a_second("file_missing|model.no_metadata"):
        load(model)


@pytest.mark.parametrize("name", ["scripts/run.py", "models/model.pt", "models/member_2.safetensors", "notes.txt"])
def test_a_file_that_the_metadata_does_not_list_is_refused(model, name):
    (model / name).parent.mkdir(exist_ok=True)
    (model / name).write_text("print('hello')", encoding="utf-8")
    with refused_within_a_second("refusal.file_extra"):
        load(model)
    list_again(model, name)
    with refused_within_a_second("refusal.file_out_of_place"):
        load(model)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("pcnsl_survival"),
        lambda m: m["pcnsl_survival"].pop("decision_threshold"),
        lambda m: m["pcnsl_survival"].__setitem__("scripts", "run.py"),
        lambda m: m.__setitem__("network_def", {"_target_": "os.system"}),
        lambda m: m["pcnsl_survival"].__setitem__("format_version", 2),
        lambda m: m["pcnsl_survival"].__setitem__("decision_threshold", 1.5),
        lambda m: m["pcnsl_survival"].__setitem__("decision_threshold", True),
        lambda m: m["pcnsl_survival"]["calibration"].__setitem__("temperature", 0),
        lambda m: m["pcnsl_survival"].__setitem__("sequences", ["t1gd", "t1"]),
        lambda m: m["pcnsl_survival"].__setitem__("members", ["../member_0.safetensors"]),
        lambda m: m["pcnsl_survival"]["network"]["arguments"].__setitem__("widen_factor", 64.0),
        lambda m: m["pcnsl_survival"]["network"].__setitem__("builder", "os.system"),
        lambda m: m["pcnsl_survival"]["network"]["arguments"].__setitem__("pooling", "corner"),
        lambda m: m["pcnsl_survival"]["network"]["arguments"].__setitem__("depth", 18),
        lambda m: m["pcnsl_survival"]["preprocessing"].__setitem__("version", "99"),
        lambda m: m["pcnsl_survival"]["preprocessing"]["network_grid"].__setitem__("size", [10000, 10000, 10000]),
        lambda m: m["pcnsl_survival"]["preprocessing"].pop("bias_field"),
        lambda m: m.__setitem__("name", "../../elsewhere"),
    ],
)  # fmt: skip
def test_metadata_with_a_missing_extra_or_impossible_entry_is_refused(model, change):
    change_metadata(model, change)
    with refused_within_a_second("refused|recipe|network"):
        load(model)


def _places(value, at=()):
    """Every place in nested entries."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _places(one, (*at, key))


_FOREIGN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100)
@given(data=st.data())
def test_any_entry_in_the_place_of_another_is_read_or_refused_in_a_sentence(whole, tmp_path_factory, data):
    metadata = json.loads((whole / METADATA).read_text(encoding="utf-8"))
    place = data.draw(st.sampled_from([place for place in _places(metadata) if place]))
    holder = metadata
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = data.draw(_FOREIGN)
    path = tmp_path_factory.getbasetemp() / "changed_model"
    if not path.exists():
        shutil.copytree(whole, path)
    (path / METADATA).write_text(json.dumps(metadata), encoding="utf-8")
    with suppress(ModelFolderError):
        read_model_folder(path)


def test_a_zip_with_a_name_that_is_not_utf8_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("model/\u00e4", "text")
    (tmp_path / "m.zip").write_bytes((tmp_path / "m.zip").read_bytes().replace("\u00e4".encode(), b"\xe0\xe0"))
    with refused(ModelFolderError, "zip.unreadable"):
        import_model(tmp_path / "m.zip")


@pytest.mark.parametrize("name", ["", "."])
def test_a_zip_with_an_entry_without_a_name_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("x", "text")
        archive.filelist[0].filename = name  # written into the directory at the end
    with refused(ModelFolderError, "zip.refused", reason=Message("zip_refusal.no_name")):
        import_model(tmp_path / "m.zip")


def test_a_key_that_stands_twice_and_a_number_that_is_none_are_refused(model):
    text = (model / METADATA).read_text(encoding="utf-8")
    (model / METADATA).write_text(text.replace('"kind"', '"kind": "trained", "kind"'), encoding="utf-8")
    with refused_within_a_second("refusal.invalid_json"):
        load(model)
    (model / METADATA).write_text(
        text.replace('"decision_threshold": 0.5', '"decision_threshold": NaN'), encoding="utf-8"
    )
    with refused_within_a_second("refusal.invalid_json"):
        load(model)


def rewrite_weights(path, change):
    tensors = dict(read_model_folder(path).load_members()[0])
    change(tensors)
    write_weights(tensors, path / WEIGHTS)
    list_again(path, WEIGHTS)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.pop("fc.bias"),
        lambda t: t.__setitem__("extra", np.zeros(3, np.float32)),
        lambda t: t.__setitem__("fc.weight", t["fc.weight"].T),
        lambda t: t.__setitem__("fc.weight", np.zeros((3, 64), np.float32)),
        lambda t: t.__setitem__("fc.bias", np.array([np.nan, 0.0], np.float32)),
    ],
    ids=["missing", "extra", "transposed", "three classes", "not a number"],
)
def test_weights_with_a_missing_extra_or_misshapen_tensor_are_refused_even_with_a_right_checksum(model, change):
    rewrite_weights(model, change)
    with refused_within_a_second("weights.refused"):
        load(model)


class Payload:
    def __init__(self, trap):
        self.trap = trap

    def __reduce__(self):
        return (os.system, (f"touch {self.trap}",))


def test_a_pickle_in_place_of_weights_is_refused_and_does_not_run(model, tmp_path):
    trap = tmp_path / "pickle_ran"
    size = (model / WEIGHTS).stat().st_size
    content = pickle.dumps(Payload(trap))
    (model / WEIGHTS).write_bytes(content + b"\0" * (size - len(content)))
    list_again(model, WEIGHTS)
    with refused_within_a_second("refusal.no_safetensors", trap):
        load(model)
    torch.save({"state_dict": Payload(trap)}, model / WEIGHTS)
    list_again(model, WEIGHTS)
    with refused_within_a_second("refusal.size_of_another_network", trap):
        load(model)


def test_code_in_a_config_is_refused_and_does_not_run(model, tmp_path):
    trap = tmp_path / "config_ran"
    config = json.loads((model / "configs/inference.json").read_text(encoding="utf-8"))
    config["network_def"] = f"$__import__('os').system('touch {trap}')"
    (model / "configs/inference.json").write_text(json.dumps(config), encoding="utf-8")
    list_again(model, "configs/inference.json")
    with refused_within_a_second("refusal.monai_config", trap):
        load(model)


def test_an_expression_in_the_metadata_is_refused_and_does_not_run(model, tmp_path):
    trap = tmp_path / "metadata_ran"
    change_metadata(model, lambda m: m.__setitem__("description", f"$__import__('os').system('touch {trap}')"))
    with refused_within_a_second("refusal.expression", trap):
        load(model)


def declare(path, shape):
    """Let the header of the weights claim another shape for conv1, in a file of the same size."""
    content = (path / WEIGHTS).read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["conv1.weight"]["shape"] = shape
    begin = header["conv1.weight"]["data_offsets"][0]
    header["conv1.weight"]["data_offsets"] = [begin, begin + 4 * int(np.prod(shape))]
    text = json.dumps(header, separators=(",", ":")).encode().ljust(length)
    (path / WEIGHTS).write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
    list_again(path, WEIGHTS)


def test_a_declared_tensor_of_ten_gigabytes_is_refused_without_being_made(model):
    declare(model, [2_500_000_000])
    with refused_within_a_second("refusal.tensor_shape"):
        load(model)


def test_a_file_of_ten_gigabytes_is_refused_without_being_read(model):
    with (model / WEIGHTS).open("r+b") as stream:
        stream.truncate(10_000_000_000)  # sparse: no disk is filled
    entry = {"bytes": 10_000_000_000, "sha256": "0" * 64}
    change_metadata(model, lambda m: m["pcnsl_survival"]["files"].__setitem__(WEIGHTS, entry))
    with refused_within_a_second("refusal.size_of_another_network"):
        load(model)


def test_links_are_refused(model, tmp_path):
    (tmp_path / "elsewhere").write_bytes((model / WEIGHTS).read_bytes())
    (model / WEIGHTS).unlink()
    (model / WEIGHTS).symlink_to(tmp_path / "elsewhere")
    with refused_within_a_second("refusal.link"):
        load(model)


def test_a_path_that_is_no_model_folder_is_refused(tmp_path):
    with refused_within_a_second("model.not_a_folder"):
        read_model_folder(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with refused_within_a_second("model.no_metadata"):
        read_model_folder(tmp_path / "empty")


def test_a_model_travels_by_zip_and_several_stand_side_by_side(whole, tmp_path):
    model = read_model_folder(whole)
    export_model(model, tmp_path / "one.zip")
    export_model(model, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    installed = import_model(tmp_path / "one.zip")
    assert installed.checksum == model.checksum
    assert installed.path.parent == models_home()
    assert [path.name for path in model_paths()] == [bundled_model_path().name, "small_untrained_v0.1.0"]
    assert find_model("small_untrained").checksum == find_model("small_untrained_v0.1.0").checksum == model.checksum
    with refused_within_a_second("zip.installed_already"):
        import_model(tmp_path / "one.zip")
    import_model(tmp_path / "one.zip", overwrite=True)
    for name in ("another", ""):
        with refused_within_a_second("model.not_found"):
            find_model(name)
    assert sorted(p.name for p in models_home().iterdir()) == ["small_untrained_v0.1.0"]


def rezip(source: Path, target: Path, change) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, old.read(entry))
        change(new)


def add_link(archive):
    entry = zipfile.ZipInfo("small_untrained/docs/data_license.txt")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


@pytest.mark.parametrize(
    ("about", "change"),
    [
        ("zip_refusal.no_place", lambda z: z.writestr("small_untrained/../../escaped.txt", "x")),
        ("zip_refusal.no_place", lambda z: z.writestr("../escaped.txt", "x")),
        ("zip_refusal.no_place", lambda z: z.writestr("/escaped.txt", "x")),
        ("zip_refusal.no_place", lambda z: z.writestr("small_untrained\\..\\..\\escaped.txt", "x")),
        ("zip_refusal.no_place", lambda z: z.writestr("small_untrained/scripts/run.py", "x")),
        ("zip_refusal.link", add_link),
        ("zip_refusal.too_large", lambda z: z.writestr("small_untrained/docs/data_license.txt", "x" * 2_000_000)),
        ("unpacks_to_more", lambda z: z.writestr(f"{TOP}models/member_2.safetensors", bytes(10**8), DEFLATED)),
        ("refusal.file_extra", lambda z: z.writestr("small_untrained/docs/data_license.txt", "x")),
    ],
    ids=["..", ".. first", "absolute", "backslash", "script", "link", "large", "bomb", "unlisted"],
)  # fmt: skip
def test_a_zip_that_reaches_out_or_holds_too_much_is_refused_and_leaves_nothing(whole, tmp_path, about, change):
    export_model(read_model_folder(whole), tmp_path / "good.zip")
    rezip(tmp_path / "good.zip", tmp_path / "bad.zip", change)
    with refused_within_a_second(about):
        import_model(tmp_path / "bad.zip")
    assert not list(tmp_path.rglob("escaped.txt"))
    assert not models_home().is_dir() or not list(models_home().iterdir())


@pytest.mark.parametrize("damage", ["no zip", "cut short", "nothing"])
def test_a_damaged_zip_is_refused(whole, tmp_path, damage):
    path = tmp_path / "model.zip"
    export_model(read_model_folder(whole), path)
    if damage == "no zip":
        path.write_bytes(b"hello")
    elif damage == "cut short":
        path.write_bytes(path.read_bytes()[:-2000])
    else:
        path.unlink()
    with refused_within_a_second("zip.unreadable|zip.not_installed"):
        import_model(path)
