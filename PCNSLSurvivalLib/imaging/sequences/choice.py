"""Choice among several series of one sequence, with its reason: for panel and cohorts alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.sequences import words
from PCNSLSurvivalLib.imaging.sequences.header import SeriesHeader
from PCNSLSurvivalLib.imaging.sequences.names import SeriesJudgement, judge_series, names_any


class Preference(StrEnum):
    """What sets the chosen series apart from the next one."""

    NO_MASK = "no_mask"
    ORIGINAL = "original"
    NO_FAT_SATURATION = "no_fat_saturation"
    THREE_D = "three_d"
    THINNER = "thinner"
    FIRST = "first"


@dataclass(frozen=True, kw_only=True)
class Series:
    """What is known of one series before its voxels are read."""

    name: str
    header: SeriesHeader = field(default_factory=SeriesHeader)
    slice_mm: float | None = None
    """Largest voxel edge, where the voxels are in memory already."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The series taken for one sequence."""

    sequence: MRSequence
    place: int
    judgement: SeriesJudgement
    others: tuple[int, ...] = ()
    """Series that could be the same sequence, in the order in which they would be taken."""
    preference: Preference = Preference.FIRST
    """Why it was taken before the others."""

    def message(self, series: Sequence[Series]) -> Message:
        """Which of several was taken and why.

        Args:
            series: The same as ``choose_series`` got.
        """
        reason = {
            Preference.NO_MASK: Message("series.no_tumor"),
            Preference.ORIGINAL: Message("series.original"),
            Preference.NO_FAT_SATURATION: Message("series.no_fat_saturation"),
            Preference.THREE_D: Message("series.three_d"),
            Preference.THINNER: Message("series.thinner"),
            Preference.FIRST: Message("series.first"),
        }[self.preference]
        return Message(
            "series.chosen",
            count=len(self.others) + 1,
            sequence=self.sequence,
            chosen=series[self.place].name,
            reason=reason,
            others=tuple(f"'{series[place].name}'" for place in self.others),
        )


def choose_series(
    series: Sequence[Series], judged: Sequence[SeriesJudgement] | None = None
) -> dict[MRSequence, Choice]:
    """Judge all series of one exam and take one of each sequence.

    Of several, the one is taken that is as acquired, without fat saturation, three-dimensional, with thin slices;
    else the first.

    Args:
        series: The series, in the order in which they are listed.
        judged: What each is, where the layout of the cohort tells it; else by name and header.
    """
    if judged is None:
        judged = [judge_series(one.name, one.header) for one in series]
    chosen = {}
    for sequence in MRSequence:
        places = [place for place, judgement in enumerate(judged) if judgement.sequence is sequence]
        if not places:
            continue
        ranks = {place: _rank(series[place]) for place in places}
        first, *others = sorted(places, key=lambda place: (tuple(ranks[place].values()), place))
        chosen[sequence] = Choice(
            sequence=sequence,
            place=first,
            judgement=judged[first],
            others=tuple(others),
            preference=_difference(ranks[first], ranks[others[0]]) if others else Preference.FIRST,
        )
    return chosen


def _rank(series: Series) -> dict[Preference, float]:
    """The less, the better; in the order in which it counts."""
    everything = f"{series.name} {series.header.description}"
    reformatted = names_any(everything, words.REFORMATTED) or "MPR" in series.header.image_type.upper().split("\\")
    slices_mm = series.slice_mm if series.slice_mm is not None else series.header.slice_mm
    return {
        Preference.NO_MASK: names_any(everything, "tumou?r"),
        Preference.ORIGINAL: reformatted,
        Preference.NO_FAT_SATURATION: names_any(everything, words.FAT_SUPPRESSED),
        Preference.THREE_D: not names_any(everything, words.THREE_D),
        Preference.THINNER: round(slices_mm, 1) if slices_mm is not None else 99.0,
    }


def _difference(first: dict[Preference, float], second: dict[Preference, float]) -> Preference:
    return next((name for name, value in first.items() if value < second[name]), Preference.FIRST)


def unless_t1gd(*judged: Sequence[SeriesJudgement]) -> Sequence[SeriesJudgement]:
    """The first of several ways to judge the series of one exam that finds a T1Gd; the first where none does."""
    return next((way for way in judged if any(one.sequence is MRSequence.T1GD for one in way)), judged[0])
