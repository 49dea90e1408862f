import errno
import os
import stat
import sys

import pytest
from refusals import refused

from PCNSLSurvivalLib.core.errors import OutputFolderError
from PCNSLSurvivalLib.core.storage.files import whole_folder, write_whole_text
from PCNSLSurvivalLib.core.storage.leftovers import temporary_folder


def test_a_finished_folder_is_whole_and_alone(tmp_path):
    out = tmp_path / "new" / "result"
    with whole_folder(out) as staging:
        (staging / "prediction.json").write_text("{}")
        assert not out.exists()
    assert [entry.name for entry in out.iterdir()] == ["prediction.json"]
    assert [entry.name for entry in out.parent.iterdir()] == ["result"]


def _interrupted_run(out, interruption, *, overwrite=False):
    with whole_folder(out, overwrite=overwrite) as staging:
        (staging / "half").write_text("half")
        raise interruption


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_run_leaves_nothing_not_even_new_parents(tmp_path, interruption):
    with pytest.raises(interruption):
        _interrupted_run(tmp_path / "new" / "deep" / "result", interruption)
    assert list(tmp_path.iterdir()) == []


def test_what_the_user_has_is_kept_unless_overwrite_succeeds(tmp_path):
    out = tmp_path / "result"
    out.mkdir()
    (out / "old").write_text("old")
    with refused(OutputFolderError, "files.output_not_empty"), whole_folder(out):
        pytest.fail("must not start")
    with pytest.raises(RuntimeError):
        _interrupted_run(out, RuntimeError, overwrite=True)
    assert [entry.name for entry in out.iterdir()] == ["old"]
    with whole_folder(out, overwrite=True) as staging:
        (staging / "new").write_text("new")
    assert [entry.name for entry in out.iterdir()] == ["new"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["result"]


def test_an_empty_folder_may_be_filled_without_overwrite(tmp_path):
    with whole_folder(tmp_path / "out") as staging:
        (staging / "a").write_text("a")
    (tmp_path / "empty").mkdir()
    with whole_folder(tmp_path / "empty") as staging:
        (staging / "b").write_text("b")
    assert (tmp_path / "empty" / "b").is_file()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputFolderError), whole_folder(out):
            pytest.fail("must not start")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with refused(OutputFolderError, "files.output_not_writable"), whole_folder(tmp_path / "locked" / "out"):
        pytest.fail("must not start")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that refuses even root")
def test_a_folder_that_refuses_even_root_is_refused(tmp_path):
    from pathlib import Path

    with (
        refused(OutputFolderError, "files.output_not_writable"),
        whole_folder(Path("/proc/self/out")),
    ):
        pytest.fail("must not start")


def test_a_full_disk_in_the_middle_is_a_sentence_and_leaves_nothing(tmp_path):
    def fill_the_disk():
        with whole_folder(tmp_path / "out") as staging:
            (staging / "half").write_text("half", encoding="utf-8")
            raise OSError(errno.ENOSPC, "No space left on device")

    with refused(OutputFolderError, "files.disk_full"):
        fill_the_disk()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
def test_results_are_as_private_as_the_user_asks_for(tmp_path):
    before = os.umask(0o077)
    try:
        with whole_folder(tmp_path / "new" / "out") as staging:
            assert stat.S_IMODE(staging.stat().st_mode) == 0o700
            (staging / "report.html").write_text("report", encoding="utf-8")
        write_whole_text(tmp_path / "predictions.csv", "case\n")
        with temporary_folder(tmp_path / "maps") as folder:
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        os.umask(before)
    made = [tmp_path / "new", tmp_path / "new" / "out", tmp_path / "new" / "out" / "report.html"]
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (*made, tmp_path / "predictions.csv")]
    assert modes == [0o700, 0o700, 0o600, 0o600]


def test_a_temporary_folder_is_private_whatever_the_umask_and_leaves_nothing(tmp_path):
    with temporary_folder(tmp_path / "maps") as folder:
        assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0 or sys.platform == "win32"
        (folder / "file").touch()
    assert not list(tmp_path.iterdir())
