"""Clinical tables are read as meant or rejected with the line: no dead patient becomes alive, no row is lost."""

from __future__ import annotations

from datetime import date

import pytest
from refusals import refused

from PCNSLSurvivalLib.cohorts.cohort import find_cohort
from PCNSLSurvivalLib.cohorts.tables.dates import date_of
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence


@pytest.fixture
def table(tmp_path):
    def write(text: str, name: str = "patients.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return find_cohort(tmp_path / name)

    return write


@pytest.fixture
def ucsf(tmp_path):
    """A UCSF-PCNSL folder with two patients, diagnosed on March 1, 2015."""

    def write(people: str = "0018,1/2/47,8/1/15\n0019,1/2/47,\n", dates: str = "", records: str = ""):
        for subject in ("sub-0018", "sub-0019"):
            folder = tmp_path / f"pyalfe/{subject}/ses-0001/skullstripped/lesions_T1Post_space"
            folder.mkdir(parents=True)
            (folder / "x_T1Post_to_T1Post_skullstripped.nii.gz").touch()
        dates = dates or "18,0018,3/1/15,3/1/15\n19,0019,3/1/15,3/1/15\n"
        (tmp_path / "demographics.csv").write_text(f"patientdurablekey,BirthDate,Deathdate\n{people}")
        (tmp_path / "biopsy_and_diagnosis_dates.csv").write_text(
            f"accessions,patientdurablekey,DiagnosisDate,ImageDate\n{dates}"
        )
        if records:
            (tmp_path / "diagnosis_history.csv").write_text(
                f"patientdurablekey,StartDateKeyValue,EndDateKeyValue\n{records}"
            )
        return find_cohort(tmp_path)

    return write


@pytest.fixture
def brats(tmp_path):
    def write(rows: str, name: str = "survival_info.csv"):
        for case in ("BraTS20_Training_001", "BraTS20_Training_084"):
            (tmp_path / case).mkdir()
            (tmp_path / case / f"{case}_t1ce.nii").touch()
        (tmp_path / name).write_text(f"Brats20ID,Age,Survival_days,Extent_of_Resection\n{rows}")
        return find_cohort(tmp_path)

    return write


@pytest.mark.parametrize(
    "text",
    [
        "2015-08-01", "2015-08-01 00:00:00", "2015-08-01T00:00:00", "2015-08-01T00:00:00.000Z", "20150801", "8/1/15",
        "08/01/2015", "8/1/15 0:00", "8/1/2015 12:00:00 AM", "1-Aug-15", "01-AUG-2015", "1 August 2015",
    ],
)  # fmt: skip
def test_the_usual_forms_of_a_date_are_read(text):
    assert date_of(text) == date(2015, 8, 1)


@pytest.mark.parametrize(
    "text", ["August", "13/1/15", "2015-02-30", "1.8.15", "8/2015", "8/1/15 noon", "20151301", "7"]
)
def test_what_is_no_date_is_none(text):
    assert date_of(text) is None


@pytest.mark.parametrize("death", ["8/1/15 0:00", "2015-08-01T00:00:00", "1-Aug-15"])
def test_the_dead_stay_dead_however_the_date_is_written(ucsf, death):
    first, second = ucsf(people=f"0018,1/2/47,{death}\n0019,1/2/47,\n").cases
    assert (first.os_days, first.death_observed) == (153, True)
    assert second.death_observed is None


def test_a_death_on_no_date_is_refused_and_not_taken_for_life(ucsf):
    with refused(
        CohortError,
        "table.cell_unusable",
        line=2,
        table="demographics.csv",
        column="Deathdate",
        wanted=Message("wanted.date"),
    ):
        ucsf(people="0018,1/2/47,summer 2015\n0019,1/2/47,\n")


def test_follow_up_ends_with_the_tables_and_not_on_the_day_of_the_run(ucsf):
    found = ucsf(records="0018,3/1/15,12/31/2030\n0019,3/2/15,12/31/2030\n0019,9/1/15,12/31/2199\n0019,soon,\n")
    assert [(case.os_days, case.death_observed) for case in found.cases] == [(153, True), (184, False)]
    assert any("The follow-up ends on 2015-09-01, the latest date in them." in remark for remark in found.remarks)
    assert any("follow-up: 1, the first in line 5, column 'StartDateKeyValue'" in remark for remark in found.remarks)


def test_a_table_without_the_key_is_refused(ucsf, tmp_path):
    ucsf()
    (tmp_path / "demographics.csv").write_text("key,BirthDate,Deathdate\n0018,1/2/47,8/1/15\n")
    with refused(CohortError, "table.no_column_as_distributed", table="demographics.csv", column="patientdurablekey"):
        find_cohort(tmp_path)


def test_dates_of_one_patient_that_contradict_each_other_are_refused(ucsf):
    with refused(CohortError, "table.rows_contradict", first=2, second=4, table="biopsy_and_diagnosis_dates.csv"):
        ucsf(dates="18,0018,3/1/15,3/1/15\n19,0019,3/1/15,3/1/15\n0018,0018,3/1/14,3/1/15\n")


@pytest.mark.parametrize("days", ["1,234", "12,345", "-1,234"])
def test_a_comma_with_two_meanings_is_refused(table, days):
    with refused(
        CohortError,
        "table.cell_unusable",
        line=2,
        table="patients.csv",
        column="os_days",
        wanted=Message("wanted.no_comma"),
    ):
        table(f'patient_id,t1gd,os_days,event\na,a.nii,"{days}",1\n')


def test_a_decimal_comma_is_read(table):
    (case,) = table('patient_id,t1gd,os_days,event,age\na,a.nii,"0,125",1,"61,5"\n').cases
    assert (case.os_days, case.clinical.age_years) == (0.125, 61.5)


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\u00ad", "\u200e", "\u2060"])
def test_invisible_marks_make_no_second_patient_and_no_wrong_number(table, unseen):
    (case,) = table(f"patient_id,t1gd,os_days,event\nP{unseen}1,a.nii{unseen},400{unseen},{unseen}1\n").cases
    assert (case.patient_id, case.os_days, case.death_observed) == ("P1", 400, True)
    assert case.scans[MRSequence.T1GD].name == "a.nii"
    with refused(CohortError, "cohort.names_twice", count=1):
        table(f"patient_id,t1gd,os_days,event\nP1,a.nii,400,1\nP1{unseen},b.nii,400,1\n")


def test_a_joiner_between_letters_is_part_of_a_name(table):
    names = [case.patient_id for case in table("patient_id,t1gd\nنی\u200cلو,a.nii\nنیلو,b.nii\n").cases]
    assert len(set(names)) == 2


def test_a_path_may_be_divided_as_on_windows(table, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.nii").touch()
    (case,) = table("patient_id,t1gd\na,sub\\a.nii\n").cases
    assert case.scans[MRSequence.T1GD].samefile(tmp_path / "sub" / "a.nii")
    assert case.remarks == ()


@pytest.mark.parametrize(
    "above", ["#", "# ", "# made on Monday\n#", "sep=,\n#", "#Patient Identifier,Path\n#STRING,STRING\n"]
)
def test_a_header_is_found_beside_comments(table, above):
    (case,) = table(f"{above}patient_id,t1gd,os_days,event\na,a.nii,400,1\n").cases
    assert (case.patient_id, case.os_days) == ("a", 400)


@pytest.mark.parametrize("above", ["\n\n", ",,,\n", ";;;\r\n", "\t\t\n# note\n"])
def test_empty_lines_may_stand_above_the_header(table, above):
    (case,) = table(f"{above}patient_id,t1gd,os_days,event\na,a.nii,400,1\n").cases
    assert (case.patient_id, case.os_days) == ("a", 400)


def test_a_merged_cell_takes_no_name_from_another_column(table):
    found = table("ID,patient_id,t1gd\n1,a,a.nii\n2,b,b.nii\n")
    assert [case.patient_id for case in found.cases] == ["a", "b"]
    assert found.columns == ("Columns of patients.csv used: patient_id, t1gd. Not used: ID.",)
    with refused(CohortError, "table.no_patient", line=3, table="patients.csv", column="patient_id"):
        table("ID,patient_id,t1gd\n1,a,a.nii\n2,,b.nii\n")


def test_a_column_that_is_empty_in_all_rows_names_nobody(table, tmp_path):
    found = table("patient_id,ID,t1gd,os_days,event\n,x,a.nii,400,1\n,y,b.nii,300,1\n")
    assert [case.patient_id for case in found.cases] == ["x", "y"]
    assert "Not used: patient_id." in found.columns[0]
    (tmp_path / "one" / "x").mkdir(parents=True)
    (tmp_path / "one" / "x" / "t1gd.nii").touch()
    (tmp_path / "one" / "s.csv").write_text("patient_id,ID,os_days,event\n,x,400,1\n")
    (case,) = find_cohort(tmp_path / "one").cases
    assert (case.patient_id, case.os_days) == ("x", 400)
    with refused(CohortError, "table.no_patient", line=2, table="patients.csv", column="patient_id"):
        table("patient_id,ID,t1gd\n,,a.nii\n,,b.nii\n")


@pytest.mark.parametrize(("second", "told"), [("300,1", False), ("900,1", True), ("300,0", True), (",", False)])
def test_exams_of_one_patient_that_give_different_survival_are_told(table, second, told):
    found = table(f"patient_id,session,t1gd,os_days,event\na,1,a.nii,300,1\na,2,b.nii,{second}\nb,1,c.nii,900,1\n")
    assert [remark for remark in found.remarks if "different survival: a." in remark] == list(found.remarks)
    assert bool(found.remarks) == told


def test_lines_may_end_as_on_an_old_mac(table):
    (case,) = table("patient_id,t1gd,os_days,event\ra,a.nii,400,1\r").cases
    assert (case.patient_id, case.os_days) == ("a", 400)


@pytest.mark.parametrize(("mark", "name"), [(";", "p.csv"), ("\t", "p.csv"), ("\t", "p.txt"), ("\t", "p.tsv")])
def test_the_header_tells_the_separator(table, mark, name):
    text = "patient_id,t1gd,os_days,event,aliases\na,a.nii,400,1,x|y\n".replace(",", mark)
    (case,) = table(text, name).cases
    assert (case.os_days, case.aliases) == (400, ("x", "y"))


def test_a_text_that_pushes_cells_aside_is_refused(table):
    with refused(CohortError, "table.too_many_cells", line=3, table="patients.csv"):
        table("patient_id,t1gd,note,os_days,event\na,a.nii,x,400,1\nb,b.nii,right, frontal,400,1\n")


@pytest.mark.parametrize("rows", ["p1,100,1\np1,900,1\n", "p1,100,1\np1,100,0\n"])
def test_rows_beside_folders_that_contradict_each_other_are_refused(tmp_path, rows):
    (tmp_path / "p1").mkdir()
    (tmp_path / "p1" / "t1gd.nii").touch()
    (tmp_path / "s.csv").write_text(f"patient,os_days,event\n{rows}")
    with refused(CohortError, "table.rows_contradict", first=2, second=3, table="s.csv"):
        find_cohort(tmp_path)


def test_brats_rows_that_contradict_each_other_are_refused(brats):
    with refused(CohortError, "table.rows_contradict", first=2, second=3, table="survival_info.csv"):
        brats("BraTS20_Training_001,60,100,GTR\nBraTS20_Training_001,60,900,GTR\n")


def test_the_same_row_twice_counts_once(brats):
    found = brats("BraTS20_Training_001,60,100,GTR\nBraTS20_Training_001,60,100,GTR\n")
    assert found.cases[0].os_days == 100
    assert "survival_info.csv contains repeated rows, which count once, for: BraTS20_Training_001." in found.remarks


def test_a_row_that_names_nobody_is_refused(brats):
    with refused(CohortError, "table.no_patient", line=3, table="survival_info.csv", column="Brats20ID"):
        brats("BraTS20_Training_001,60,100,GTR\n,60,900,GTR\n")


def test_an_unknown_survival_leaves_the_others_theirs(brats):
    first, second = brats("BraTS20_Training_001,60,NA,GTR\nBraTS20_Training_084,60,400,NA\n").cases
    assert (first.os_days, first.death_observed, first.clinical.age_years) == (None, None, 60)
    assert (second.os_days, second.death_observed) == (400, True)


@pytest.mark.parametrize("days", ["361", "500"])
def test_the_patient_who_was_alive_is_known_again_in_copies_that_say_otherwise(brats, days):
    first, alive = brats(f"BraTS20_Training_001,60,361,GTR\nBraTS20_Training_084,60,{days},NA\n").cases
    assert (first.os_days, first.death_observed, first.remarks) == (361, True, ())
    assert (alive.os_days, alive.death_observed, alive.os_class()) == (361, False, None)
    assert "'ALIVE (361 days later)' of this patient" in alive.remarks[0]


def test_what_is_no_part_of_the_cohort_is_named(tmp_path):
    for folder, file in (("p1", "t1gd.nii"), ("p2", "IM_0001.nii.gz")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).touch()
    assert any(remark.endswith("by its name and header: p2.") for remark in find_cohort(tmp_path).remarks)


def test_a_bids_subject_without_a_known_scan_is_named(tmp_path):
    for file in ("sub-1/anat/sub-1_ce-gd_T1w.nii", "sub-2/anat/sub-2_PDw.nii", "sub-3/dwi/sub-3_dwi.nii"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).touch()
    found = find_cohort(tmp_path)
    assert [case.name for case in found.cases] == ["sub-1"]
    assert any(remark.endswith("by its name and header: sub-2, sub-3.") for remark in found.remarks)


@pytest.mark.parametrize("name", ["Max", "SD", "Meanwood", "Total-Care-07", "Sumner", "MT (1)", "Media_3", "1", "中位"])
def test_a_patient_whose_name_resembles_a_summary_is_read(tmp_path, name):
    (tmp_path / "p.csv").write_text(f"patient_id,t1gd\n{name},a.nii\n", encoding="utf-8")
    assert [case.patient_id for case in find_cohort(tmp_path / "p.csv").cases] == [name]


def test_a_table_with_a_summary_is_not_passed_over_for_another(tmp_path):
    (tmp_path / "P01").mkdir()
    (tmp_path / "P01" / "t1_gd.nii").touch()
    (tmp_path / "survival.csv").write_text("patient_id,os_days,event\nP01,300,1\nMean,300,\n", encoding="utf-8")
    (tmp_path / "ages.csv").write_text("patient_id,age\nP01,60\n", encoding="utf-8")
    with pytest.raises(CohortError) as found:
        find_cohort(tmp_path)
    assert found.value.message.code == "table.summary_row"
