"""The module SampleData as far as an extension that offers a sample meets it.

Not imitated: downloads. A sample with a downloader of its own is asked for as its button in Slicer does.
"""

from __future__ import annotations

from typing import Any

import slicer


class SampleDataSource:
    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)
        lengths = {len(fields[name]) for name in ("uris", "fileNames", "nodeNames")}
        if len(lengths) != 1:
            raise ValueError("All fields of sample data source must have the same length")


class SampleDataLogic:
    @staticmethod
    def registerCustomSampleDataSource(
        category: str = "Custom",
        sampleName: str | None = None,
        uris: Any = None,
        fileNames: Any = None,
        nodeNames: Any = None,
        customDownloader: Any = None,
        thumbnailFileName: str | None = None,
        loadFileTypes: Any = None,
        loadFiles: Any = None,
        loadFileProperties: Any = None,
        checksums: Any = None,
        loadFileType: Any = None,
    ) -> None:
        source = SampleDataSource(
            sampleName=sampleName,
            uris=uris,
            fileNames=fileNames,
            nodeNames=nodeNames,
            customDownloader=customDownloader,
            thumbnailFileName=thumbnailFileName,
        )
        known = slicer.modules.sampleDataSources.setdefault(category, [])
        if sampleName not in [other.sampleName for other in known]:
            known.append(source)


def press(sampleName: str) -> None:
    """What a click on a sample's button does."""
    sources = [source for kept in slicer.modules.sampleDataSources.values() for source in kept]
    source = next(source for source in sources if source.sampleName == sampleName)
    source.customDownloader(source)
