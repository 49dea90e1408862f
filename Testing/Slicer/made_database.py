"""A DICOM database with three invented patients who have a T1Gd, and one who has none."""

from __future__ import annotations


class DicomDatabase:
    """As much of ``slicer.dicomDatabase`` (ctkDICOMDatabase) as the panel asks.

    Args:
        files: Of one series in order; the second of three patients has only the first of them.
    """

    def __init__(self, files: list[str]) -> None:
        gadolinium = {"0008,0060": "MR", "0018,0081": "3.1", "0018,0080": "9.6", "0018,0010": "Gadovist"}
        plain = {"0008,0060": "MR", "0018,0081": "101", "0018,0080": "5200"}
        self.exams = {"Doe^One": ("1.1", files), "Doe^Two": ("2.1", files[:1]), "Doe^Three": ("3.1", files)}
        dates = {"1.1": "20260114", "2.1": "20260302", "3.1": ""}
        self.headers = {"9": plain, **{uid: {**gadolinium, "0008,0020": date} for uid, date in dates.items()}}
        self.loaded = []

    def patients(self):
        return [*self.exams, "Roe^NoGd"]

    def nameForPatient(self, patient):
        return patient

    def studiesForPatient(self, patient):
        return [patient]

    def descriptionForStudy(self, study):
        return "Brain"

    def seriesForStudy(self, study):
        return ["9", *([self.exams[study][0]] if study in self.exams else [])]

    def descriptionForSeries(self, uid):
        return "AX T2" if uid == "9" else "AX T1 GD"

    def instancesForSeries(self, uid):
        return [uid]

    def filesForSeries(self, uid):
        return next(files for one, files in self.exams.values() if one == uid)

    def instanceValue(self, uid, tag):
        return self.headers.get(uid, {}).get(tag, "")
