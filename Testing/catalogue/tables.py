"""Tables of patients and experiment files that could be misread, grow without end, or are none."""

from __future__ import annotations

import os
from pathlib import Path

from catalogue.rows import Build, Row

_TABLE = ("preprocess", "{}", "--dry-run", "--out", "{out}")
_PLAN = ("experiment", "{}", "--cohort", "{in}", "--out", "{out}")
_LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n"


def _table(columns: str, *rows: str, mark: str = ",") -> Build:
    lines = [f"patient_id,t1gd,{columns}", *(f"p{number},p{number}.nii,{row}" for number, row in enumerate(rows))]
    return _file("p.csv", "\n".join(lines).replace(",", mark).replace("§", ",") + "\n")


def _file(name: str, content: str | bytes) -> Build:
    def build(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return build


def _link(folder: Path) -> Path:
    (folder / "p.csv").symlink_to("../.git/annex/objects/x/y/p.csv")
    return folder / "p.csv"


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "plan.yaml")
    return folder / "plan.yaml"


def _bids(columns: str, row: str, dictionary: str) -> Build:
    """A BIDS folder of one participant, with what ``participants.json`` says of its columns."""

    def build(folder: Path) -> Path:
        (folder / "sub-1" / "anat").mkdir(parents=True)
        (folder / "sub-1" / "anat" / "sub-1_ce-gd_T1w.nii.gz").touch()
        (folder / "participants.tsv").write_text(f"participant_id\t{columns}\nsub-1\t{row}\n", encoding="utf-8")
        (folder / "participants.json").write_text(dictionary, encoding="utf-8")
        return folder

    return build


def _row(name: str, build: Build, says: str, words: tuple[str, ...] = _TABLE) -> Row:
    return Row(name, build, says=says, words=words)


REFUSED = [
    _row("event in OS", _table("OS,dead", "1,1", "0,0"), "'OS' of p.csv holds an event"),
    _row("event in os_days", _table("os_days,event", "1,1", "0,0"), "holds an event"),
    _row("cBioPortal months", _table("OS_MONTHS,OS_STATUS", "30,1:DECEASED"), "counts months"),
    _row("LUMIERE weeks", _table("Survival time (weeks),event", "70,1"), "counts weeks"),
    _row("SurvSet time", _table("event,time", "1,306"), "does not say"),
    _row("fractions in OS", _table("OS,event", "14.2,1"), "does not say its unit"),
    _row("days without deaths", _table("os_days", "300"), "no column 'death_observed'"),
    _row(
        "months in OS, with a survivor of 15 years",
        _table("OS,event", *(f"{n},1" for n in (14, 7, 30, 22, 181))),
        "look like",
    ),
    _row("OSmonths", _table("OSmonths,event", "30,1"), "counts months"),
    _row(
        "a header with commas in quotation marks",
        _table('"CT§ MR§ PET§ CSF§ EEG",OSmonths', "a,30", mark=";"),
        "months",
    ),
    _row(
        "dead and censored", _table("os_days,event,censored", "300,1,0", "400,0,1", "200,1,1"), "Line 4 of p.csv contra"
    ),
    _row("a formula that failed", _table("os_days,event,age", "300,1,#VALUE!"), "'#VALUE!' in column 'age'"),
    _row("a column too narrow to be shown", _table("os_days,event", "########,1"), "'########' in column 'os_days'"),
    _row(
        "two patients whose numbers a spreadsheet rounded",
        _file("p.csv", "patient_id,session,t1gd\n1.23457E+11,1,a.nii\n1.23457E+11,2,b.nii\n"),
        "several patients may have one name",
    ),
    _row("censoring alone", _table("os_days,censored", "300,1"), "censored as well as died"),
    _row("1.234 under semicolons", _table("os_days,event", "1.234,1", mark=";"), "point"),
    _row("1,234 under semicolons", _table("os_days,event", "1§234,1", mark=";"), "comma"),
    _row("1_000", _table("os_days,event", "1_000,1"), "should be a number"),
    _row("digits of another script", _table("os_days,event", "٣٠٠,1"), "should be a number"),
    _row("negative days", _table("os_days,event", "-5,1"), "negative survival"),
    _row("date as days", _table("os_days,event", "20150801,1"), "days up to 18262"),
    _row("serial number of a date as days", _table("os_days,event", "35000,1"), "days up to 18262"),
    _row("9999 in two rows", _table("os_days,event", "9999,0", "9999,0", "8000,1"), "9999 stands for unknown"),
    _row("months in German", _table("OS (Monate),event", "30,1"), "counts months"),
    _row("months in Chinese", _table("生存月数,event", "30,1"), "counts months"),
    _row("vital status of 0 and 1", _table("os_days,vital_status", "300,1", "400,0"), "alive as well as for dead"),
    _row("death in 1900", _table("os_days,event,date_of_death", "300,1,1900-01-01"), "stands for unknown"),
    _row("death on 1/1/1900", _table("os_days,event,date_of_death", "300,1,1/1/1900"), "stands for unknown"),
    _row("death on 31.12.9999", _table("os_days,event,date_of_death", "300,0,31.12.9999"), "stands for unknown"),
    _row("day of death 9999", _table("os_days,event,date_of_death", "300,0,9999"), "stands for unknown"),
    _row("9999 as 9.999e3", _table("os_days,event", "9.999e3,0", "300,1"), "9999 stands for unknown"),
    *(
        _row(f"a workbook named {name}", _file(name, begin + bytes(300)), f"{name} is a workbook")
        for name, begin in (
            ("p.csv", b"PK\x03\x04"),
            ("p.xlsx", b"PK\x03\x04"),
            ("p.xls", bytes.fromhex("d0cf11e0a1b11ae1")),
            ("p.ods", b"PK\x03\x04"),
        )
    ),
    _row("days 'alive'", _table("os_days,event", "alive,0", "300,1"), "should be a number"),
    _row("days '>365'", _table("os_days,event", ">365,0", "300,1"), "should be a number"),
    _row("days '300 d'", _table("os_days,event", "300 d,1"), "should be a number"),
    _row("a formula as days", _table("os_days,event", "=1+1,1"), "should be a number"),
    _row("years", _table("os_years,event", "2.5,1"), "counts years"),
    _row("event of 1 and 2", _table("os_days,event", "300,1", "200,2"), "should be 0 or 1"),
    _row(
        "NFC and NFD of one name", _file("p.csv", "patient_id,t1gd\nM\u00fc,0.nii\nMu\u0308,1.nii\n"), "more than once"
    ),
    _row("columns apart by bars", _file("p.csv", "patient_id|t1gd\np|p.nii\n"), "lacks columns"),
    _row(
        "BIDS: a dictionary that was not fetched", _bids("os_days\tevent", "400\t1", _LFS), "participants.json was not"
    ),
    _row("a name for two merged rows", _file("p.csv", "patient_id,t1gd\na,0.nii\n,1.nii\n"), "names no patient"),
    _row(
        "BIDS: months by the dictionary",
        _bids("OS\tevent", "400\t1", '{"OS": {"Units": "months"}}'),
        "column 'OS' of participants.tsv counts months",
    ),
    _row(
        "BIDS: 1 for alive by the dictionary",
        _bids("os_days\tevent", "400\t1", '{"event": {"Levels": {"0": "deceased", "1": "alive"}}}'),
        "0 in the column 'event' of participants.tsv means dead",
    ),
    _row(
        "BIDS: 1 for censored by the dictionary",
        _bids("os_days\tOS_STATUS", "400\t1", '{"os status": {"Levels": {"1": {"Description": "censored"}}}}'),
        "1 in the column 'OS_STATUS' of participants.tsv means alive",
    ),
    _row("column twice", _table("os_days,event,OS days", "1,1,2"), "more than once"),
    _row("two columns that differ", _table("os_days,event,Survival_days", "300,1,900"), "contradicts itself"),
    *(
        _row(f"a row of '{name}'", _file("p.csv", f"patient_id,t1gd\na,0.nii\n{name},\n"), "sum up the other lines")
        for name in (
            "Mean",
            "MEDIAN",
            "Total",
            "Average:",
            "Summe",
            "Mean ± SD",
            "Médiane (IQR)",
            "合计",
            "Total n = 3",
        )
    ),
    *(
        _row(f"an event beside {other}", _table(f"os_days,event,{other}", "300,1,90"), "can mean death or progression")
        for other in ("PFS_days", "DFS.time", "days to progression", "Rezidiv")
    ),
    _row("dead and alive", _table("os_days,event,vital_status", "300,1,Alive"), "contradicts itself"),
    _row("header twice", _file("p.csv", "patient_id,t1gd\npatient_id,t1gd\n"), "names the columns a second time"),
    _row("header twice, in capitals", _file("p.csv", "patient_id,t1gd\na,a.nii\nPatient ID,T1GD\n"), "a second time"),
    _row("age of 200", _table("age", "200"), "an age in years"),
    _row("open quotation mark", _file("p.csv", 'patient_id,t1gd\na,"a.nii\nb,b.nii\n'), "cannot be read"),
    _row("NUL in a name", _file("p.csv", "patient_id,t1gd\na\x00,a.nii\n"), "control characters"),
    _row("terminal code in a header", _file("p.csv", "patient_id,t1gd,\x1b[31m\na,a.nii,1\n"), "control characters"),
    _row("UTF-16", _file("p.csv", "patient_id,t1gd\na,a.nii\n".encode("utf-16")), "cannot be read"),
    _row("binary", _file("p.csv", bytes(range(256))), "cannot be read"),
    _row("empty table", _file("p.csv", ""), "is empty"),
    _row("Git LFS pointer", _file("p.csv", _LFS), "was not fetched"),
    _row("DataLad link", _link, "was not fetched"),
    _row("entries that refer to others", _file("plan.yaml", "a: &a [x]\nb: [*a, *a]\n"), "another entry", _PLAN),
    _row("an entry within itself", _file("plan.yaml", "network: &a\n  b: *a\n"), "another entry", _PLAN),
    _row("nested without end", _file("plan.yaml", "cohort: " + "[" * 100_000), "nested deeper", _PLAN),
    _row("plan of a megabyte", _file("plan.yaml", "cohort: " + "x" * 1_000_001), "larger than 1 MB", _PLAN),
    _row("number of 10,000 digits", _file("plan.yaml", "seed: " + "1" * 10_000), "must be a plain number", _PLAN),
    _row("day of no calendar", _file("plan.yaml", "cohort: 2001-99-99\n"), "must be a plain number", _PLAN),
    _row("NUL in a plan", _file("plan.yaml", "cohort: a\x00b\n"), "cannot be read as YAML", _PLAN),
    _row("code in a plan", _file("plan.yaml", "cohort: !!python/name:os.getcwd\n"), "cannot be read as YAML", _PLAN),
    _row("rate that is no number", _file("plan.yaml", "training: {learning_rate: .nan}\n"), "finite number", _PLAN),
    _row("FIFO as a plan", _pipe, "cannot be read", _PLAN),
]
