"""Survival under the names that public tables give it: read as days and deaths, or refused with what to write."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from PCNSLSurvivalLib.cohorts.cohort import find_cohort
from PCNSLSurvivalLib.cohorts.tables.clinical_columns import facts_of, sexes_in
from PCNSLSurvivalLib.cohorts.tables.survival_columns import survival_columns
from PCNSLSurvivalLib.cohorts.tables.table_file import read_table
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.messages import Message


@pytest.fixture
def survival(tmp_path):
    """(days, died) of every row of a table with the columns patient_id and t1gd before those given."""

    def read(*lines: str, mark: str = ",", name: str = "p.csv"):
        first = [f"patient_id{mark}t1gd{mark}{lines[0]}"]
        rows = [f"p{number}{mark}p{number}.nii{mark}{line}" for number, line in enumerate(lines[1:])]
        (tmp_path / name).write_text("\n".join([*first, *rows]) + "\n", encoding="utf-8")
        return [(case.os_days, case.death_observed) for case in find_cohort(tmp_path / name).cases]

    return read


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (("OS,OS.time", "1,900", "0,1500"), [(900, True), (1500, False)]),  # UCSC Xena
        (("OS.time,OS,DSS.time,DSS,PFI.time,PFI", "900,1,900,1,200,1"), [(900, True)]),
        (("OS,1-dead 0-alive", "900,1", "1500,0"), [(900, True), (1500, False)]),  # UCSF-PDGM
        (("os_days,OS_STATUS", "900,1:DECEASED", "1500,0:LIVING"), [(900, True), (1500, False)]),
        (
            ("Overall Survival (Days),Overall Survival Status", "913,1:DECEASED", "1500,0:LIVING"),
            [(913, True), (1500, False)],
        ),
        (("OS_DAYS,OS_MONTHS,OS_STATUS", "913,30,DECEASED", "1500,49.28,LIVING"), [(913, True), (1500, False)]),
        (
            ("vital_status,days_to_death,days_to_last_follow_up", "Dead,400,380", "Alive,'--,800", "Not Reported,,"),
            [(400, True), (800, False), (None, None)],  # GDC
        ),
        (
            ("Survival_from_surgery_days_UPDATED,Survival_Status", "300,Deceased", "Not Available,Alive"),
            [(300, True), (None, False)],  # UPENN-GBM
        ),
        (("duration_death,event_death", "20,1", "30,0"), [(20, True), (30, False)]),
        (("Overall survival (days),dead", "20,1", "30,0"), [(20, True), (30, False)]),
        (("event,age", "1,50"), [(None, True)]),
        (("survival,age", "short,50", "long,60"), [(None, None)] * 2),
        (("survival,age", "0,50", "1,60"), [(None, None)] * 2),  # a class, and no column of days
        (("timepoint,echo_time,time_of_scan,session_time", "1,20,10,30"), [(None, None)]),
    ],
    ids=lambda value: value[0] if isinstance(value[0], str) else "",
)
def test_the_names_of_public_tables_are_understood(survival, table, expected):
    assert survival(*table) == expected


def unusable(column, wanted, *, line=2, **values):
    return "table.cell_unusable", {"line": line, "column": column, "wanted": Message(f"wanted.{wanted}", **values)}


def no_day(column, found):
    return unusable(column, "day_of_death", found=found)


def unknown_days(column, found):
    return unusable(column, "days_known", found=found)


def contradiction(one, other):
    return "table.cells_contradict", {"line": 2, "one": one, "other": other}


def counts(column, unit, days):
    return "survival.other_unit", {"column": column, "unit": unit, "days": days}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (("OS,event", "1,1", "0,0"), ("survival.event_for_days", {"column": "OS"})),
        (("OS,age", "1,50"), ("survival.event_for_days", {"column": "OS"})),
        (("os_days,event", "1,1", "0,0", "1,1"), ("survival.event_for_days", {"column": "os_days"})),
        (("OS_MONTHS,OS_STATUS", "30,1:DECEASED"), counts("OS_MONTHS", "months", 30.4375)),
        (("OS,OS_MONTHS", "1:DECEASED,30"), counts("OS_MONTHS", "months", 30.4375)),
        (("Survival time (weeks),event", "70,1"), counts("Survival time (weeks)", "weeks", 7.0)),
        (("survivalYears,event", "2,1"), counts("survivalYears", "years", 365.25)),
        (("follow_up_months,dead", "2,1"), counts("follow_up_months", "months", 30.4375)),
        (("pid,event,time,num_age", "1,1,306,74"), ("survival.unclear_times", {"column": "time"})),  # SurvSet
        (("survival,event", "306,1"), ("survival.unclear_times", {"column": "survival"})),
        (("OS,event", "14.2,1", "8.1,0"), ("survival.no_unit", {"column": "OS"})),
        (("OS,event", "14,1", "8,0", "40,1", "22,1", "60,0"), ("survival.no_unit", {"column": "OS"})),
        (("os_days,Survival_Censor", "300,1"), ("survival.only_censoring", {"column": "Survival_Censor"})),
        (("os_days,status", "300,2"), ("survival.deaths_perhaps", {"near": ("status",)})),
        (("os_days,event,OS_MONTHS", "300,1,30"), contradiction("os_days", "OS_MONTHS")),
        (("os_days,Survival_days,event", "300,900,1"), contradiction("os_days", "Survival_days")),
        (("os_days,event,vital_status", "300,1,Alive"), contradiction("event", "vital_status")),
        (("os_days,event", "300,1:LIVING"), unusable("event", "flag")),
        (("vital_status,days_to_death", "Alive,400"), contradiction("days_to_death", "vital_status")),
        (("os_days,event", "ALIVE (361 days later),1"), contradiction("os_days", "event")),
        (("os_days,event", "1_000,1"), unusable("os_days", "number")),
        (("os_days,event", "٣٠٠,1"), unusable("os_days", "number")),
        (("os_days,event", "1 000,1"), unusable("os_days", "number")),
        (("os_days,event", "12 months,1"), unusable("os_days", "number")),
        (("os_days,event", "1.234,1"), unusable("os_days", "days_without_point")),
        (("os_days,event", "-5,1"), ("survival.negative", {"line": 2})),
        (("os_days,event", "9999,1", "300,1"), unknown_days("os_days", 9999)),
        (("os_days,event", "8888.0,1"), unknown_days("os_days", 8888)),
        (("os_days,event", "99999,1"), unusable("os_days", "days_up_to", most=18262)),
        (("vital_status,days_to_death", "Dead,9999"), unknown_days("days_to_death", 9999)),
        (("vital_status,days_to_last_follow_up", "Alive,9998"), unknown_days("days_to_last_follow_up", 9998)),
        (("os_days,event", "35000,1"), unusable("os_days", "days_up_to", most=18262)),
        (("os_days,event", "7777,1", "7777,0", "7700,1"), unknown_days("os_days", 7777)),
        (("OS (Monate),event", "30,1"), counts("OS (Monate)", "months", 30.4375)),
        (("OS_mois,event", "30,1"), counts("OS_mois", "months", 30.4375)),
        (("OS_meses,event", "30,1"), counts("OS_meses", "months", 30.4375)),
        (("生存月数,event", "30,1"), counts("生存月数", "months", 30.4375)),
        (("Überlebenszeit in Wochen,event", "30,1"), counts("Überlebenszeit in Wochen", "weeks", 7.0)),
        (("os_days,vital_status", "300,1", "400,0"), ("survival.zero_or_one_unclear", {"column": "vital_status"})),
        (("os_days,Survival_Status", "300,0"), ("survival.zero_or_one_unclear", {"column": "Survival_Status"})),
        (("os_days,event,date_of_death", "300,1,1900-01-01"), no_day("date_of_death", "1900-01-01")),
        (("os_days,event,date_of_death", "300,1,1/1/1900"), no_day("date_of_death", "1/1/1900")),
        (("os_days,event,date_of_death", "300,0,31.12.9999"), no_day("date_of_death", "31.12.9999")),
        (("os_days,event,date_of_death", "300,1,12/30/1899 00:00:00"), no_day("date_of_death", "12/30/1899 00:00:00")),
        (("os_days,event,date_of_death", "300,1,1-Jan-1900"), no_day("date_of_death", "1-Jan-1900")),
        (("os_days,event,date_of_death", "300,1,00.00.0000"), no_day("date_of_death", "00.00.0000")),
        (("os_days,event,date_of_death", "300,1,1900年1月0日"), no_day("date_of_death", "1900年1月0日")),
        (("os_days,event,date_of_death", "300,0,9999"), no_day("date_of_death", "9999")),
        (("os_days,event,date_of_death", "300,1,99999999"), no_day("date_of_death", "99999999")),
        (("os_days,event,date_of_death", "300,1,0"), no_day("date_of_death", "0")),
        (("os_days,event,date_of_death", "300,1,999"), no_day("date_of_death", "999")),
        (("os_days,event,date_of_death", "300,1,8888.0"), no_day("date_of_death", "8888.0")),
        (("os_days,event,date_of_death", "300,1,00.00.00"), no_day("date_of_death", "00.00.00")),
        (("os_days,event,date_of_death", "300,1,28.10.0000"), no_day("date_of_death", "28.10.0000")),
        (("os_days,event,date_of_death", "300,1,01.01.0001"), no_day("date_of_death", "01.01.0001")),
        (("os_days,event,date_of_death", "300,1,2958465"), no_day("date_of_death", "2958465")),
        (("os_days,event", "9.999e3,1", "300,1"), unknown_days("os_days", 9999)),
        (("os_days,event,diagnosis_date,DOD", "300,1,1890-01-01,1900-01-01"), no_day("DOD", "1900-01-01")),
        (("event,diagnosis_date,DOD", "1,1970-01-01,1970-01-01"), no_day("DOD", "1970-01-01")),
        (("os_days,event,diagnosis_date,date_of_death", "300,1,2020-03-01,2019-03-01"),
         contradiction("diagnosis_date", "date_of_death")),
        (("os_days,event,Date of death", "400,0,2015-01-01"), contradiction("event", "date_of_death")),
        (("os_days,event,alive", "400,1,yes"), contradiction("event", "alive")),
        (("os_days,event", "20150801,1"), unusable("os_days", "days_up_to", most=18262)),
        (("os_days,event", "nan5,1"), unusable("os_days", "number")),
        (("os_days,event,os days", "400,1,100"), ("table.column_twice", {"column": "os_days"})),
        (("os_days,event", "400,1", "os_days,event"), unusable("event", "flag", line=3)),
        (("age,age_years", "50,70"), contradiction("age_years", "age")),
        (("age", "-3"), unusable("age", "age", oldest=130)),
    ],
)  # fmt: skip
def test_what_could_be_misread_is_refused_with_what_to_write(survival, table, told):
    code, values = told
    with refused(CohortError, code, table="p.csv", **values):
        survival(*table)


@pytest.mark.parametrize(
    ("column", "values", "remarks"),
    [
        ("os_days,event", ["999,1", "400,1", "999.0,0"], 2),
        ("vital_status,days_to_death", ["dead,888", "dead,888"], 2),
        ("os_days,event", ["999,1", "400,1"], 0),
        ("os_days,event", ["998,1", "999,1"], 0),
        ("os_days,event", ["9999,0", "8700,0", "310,1"], 1),
        ("os_days,event", ["9998,0", "400,1", "5100,0"], 1),
        ("survival_days,event", ["ALIVE (9999 days later),", "300,1"], 1),
        ("survival_days,event", ["ALIVE (9999 days later),", "8700,0"], 1),
        ("vital_status,os_days,days_to_death", ["dead,9999,9999", "dead,8700,8700"], 1),
        ("vital_status,os_days,days_to_death", ["dead,999,999", "dead,400,400"], 0),
        ("age", ["99", "98"], 1),
        ("os_days,event", ["10000,0", "10000,0", "700,1"], 2),
        ("os_days,event", ["1e4,0", "1e4,0", "700,1"], 2),
        ("os_days,event", ["9990,0", "9990,0", "7000,1"], 0),
        ("os_days,event", ["9000,0", "300,1"], 0),
    ],
)
def test_a_number_that_may_stand_for_unknown_is_told(tmp_path, column, values, remarks):
    rows = [f"p{number},p{number}.nii,{value}" for number, value in enumerate(values)]
    (tmp_path / "p.csv").write_text("\n".join([f"patient_id,t1gd,{column}", *rows]) + "\n", encoding="utf-8")
    told = [remark for case in find_cohort(tmp_path / "p.csv").cases for remark in case.remarks]
    assert sum("may stand for unknown" in remark for remark in told) == remarks


@pytest.mark.parametrize(
    "day",
    [
        *("2015-10-28", "28.10.2015", "10/28/15", "20151028", "43831", "2015", "2015-00-00"),
        *("8/1/00", "12/31/00", "28.10.00", "3/15/00 00:00", "28.10.00 00:00", "01.01.01"),  # 2000, 2001
        *("365", "9133", "2", "20", "1000.0"),  # days from diagnosis, or Excel's number of 1925-01-01
    ],
)
def test_a_day_of_death_in_any_form_is_no_code(survival, day):
    assert survival("os_days,event,date_of_death", f"300,1,{day}")[0][:2] == (300, True)


@pytest.mark.parametrize(
    "column", ["Überlebenszeit (Tage)", "survie (jours)", "supervivencia_dias", "生存天数", "OS dagen"]
)
def test_days_of_survival_are_found_in_other_languages(survival, column):
    assert survival(f"{column},event", "400,1", "1500,0")[0][:2] == (400, True)


@pytest.mark.parametrize(
    "column",
    [
        "PFS_days",
        "progressionsfreies Überleben (Tage)",
        "无进展生存天数",
        "lesion_count",
        "5年生存率",
        "5년 생존율",
        "1년 생존확률",
        "5-year survival rate",
        "Überlebensrate 5 Jahre",
        "taux de survie 5 ans",
    ],
)
def test_deaths_without_days_of_survival_are_told(tmp_path, column):
    (tmp_path / "p.csv").write_text(f"patient_id,t1gd,event,{column}\na,a.nii,1,300\n", encoding="utf-8")
    (case,) = find_cohort(tmp_path / "p.csv").cases
    assert case.os_days is None
    assert "has no column of days" in " ".join(case.remarks)


@pytest.mark.parametrize(
    ("columns", "row", "told"),
    [
        ("date_of_death,scan_date", "2019-12-01,2019-12-03", "scan lies 2 days after the death"),
        ("date_of_death,scan_year", "2019-12-01,2021", "scan of 2021 lies after the death"),
        ("date_of_diagnosis,scan_date", "2019-01-01,2021-01-01", "731 days after diagnosis, but the survival is 300"),
        ("date_of_death,date_of_last_contact", "2019-12-01,2020-02-01", "last contact lies 62 days after the death"),
        ("age,days_to_last_follow_up", "50,301", "last contact lies 1 day after the death"),
        ("date_of_death,scan_date", "2019-12-01,2019-02-01", ""),
        ("date_of_death,scan_year", "2019-12-01,2019", ""),
        ("date_of_diagnosis,scan_date", "2019-01-01,2019-12-01", ""),
        ("date_of_death,last_contact", "2019-12-01,2019-11-01", ""),
        ("age,days_to_last_follow_up", "50,300", ""),
    ],
)
def test_a_scan_or_a_contact_after_death_is_told(tmp_path, columns, row, told):
    (tmp_path / "p.csv").write_text(f"patient_id,t1gd,os_days,event,{columns}\na,a.nii,300,1,{row}\n")
    (case,) = find_cohort(tmp_path / "p.csv").cases
    assert told in " ".join(case.remarks)
    assert bool(case.remarks) is bool(told)


def test_an_event_beside_progression_counts_where_its_cells_say_death(survival):
    assert survival("os_days,event,PFS_days", "300,dead,90", "400,alive,80") == [(300, True), (400, False)]
    assert survival("os_days,death_observed,event,PFS_days", "300,0,1,90", "400,0,0,400") == [
        (300, False),
        (400, False),
    ]


def test_days_that_differ_from_the_dates_are_told(tmp_path):
    head = "patient_id,t1gd,event,os_days,date_of_diagnosis,date_of_death\n"
    (tmp_path / "p.csv").write_text(f"{head}a,a.nii,1,300,2019-01-01,2024-01-01\nb,b.nii,1,300,2019-01-01,2019-12-01\n")
    a, b = find_cohort(tmp_path / "p.csv").cases
    assert "lie 1826 days apart, but the survival is 300 days" in " ".join(a.remarks)
    assert not b.remarks


def test_the_line_that_tells_excel_the_separator_is_passed_over(survival, tmp_path):
    (tmp_path / "p.csv").write_text("sep=;\npatient_id;t1gd;os_days;event\na;a.nii;400;1\n")
    assert [case.os_days for case in find_cohort(tmp_path / "p.csv").cases] == [400]


@pytest.mark.parametrize(("last", "remarks"), [("60", 5), ("181", 5), ("400", 0)])
def test_days_that_look_like_months_are_told_even_where_the_column_says_days(tmp_path, last, remarks):
    rows = [f"p{number},p{number}.nii,{days},1" for number, days in enumerate(["14", "8", "40", "22", last])]
    (tmp_path / "p.csv").write_text("\n".join(["patient_id,t1gd,os_days,event", *rows]) + "\n", encoding="utf-8")
    told = [remark for case in find_cohort(tmp_path / "p.csv").cases for remark in case.remarks]
    assert sum("not months" in remark for remark in told) == remarks


@pytest.mark.parametrize(
    "dates", [",1924-06-01", "1923-08-06,1924-06-01", "1899-03-07,1900-01-01"], ids=["death", "both", "fits"]
)
def test_shifted_dates_are_read(survival, dates):
    """BIDS recommends dates of 1925 or earlier where they are shifted."""
    assert survival("os_days,event,diagnosis_date,date_of_death", f"300,1,{dates}") == [(300, True)]


@pytest.mark.parametrize("days", ["1.234", "12.345"])
def test_a_point_under_semicolons_is_refused_as_a_comma_is(survival, days):
    with refused(
        CohortError,
        "table.cell_unusable",
        line=2,
        table="p.csv",
        column="os_days",
        wanted=Message("wanted.days_without_point"),
    ):
        survival("age;os_days;event", f"60;{days};1", mark=";")
    with refused(
        CohortError,
        "table.cell_unusable",
        line=2,
        table="p.csv",
        column="age",
        wanted=Message("wanted.no_point_of_thousands"),
    ):
        survival("age;os_days;event", f"{days};400;1", mark=";")


def test_a_header_line_in_the_middle_is_refused(tmp_path):
    (tmp_path / "p.csv").write_text("patient_id,t1gd\na,a.nii\npatient_id,t1gd\nb,b.nii\n")
    with refused(CohortError, "table.header_twice", line=3, table="p.csv"):
        find_cohort(tmp_path / "p.csv")


@pytest.mark.parametrize(("age", "years"), [("89+", 89), (">89", 89), ("≥ 90", 90), ("90 or older", 90)])
def test_an_age_that_is_hidden_counts_as_the_lowest_with_a_remark(tmp_path, age, years):
    (tmp_path / "p.csv").write_text(f"patient_id,t1gd,age\na,a.nii,{age}\n", encoding="utf-8")
    (case,) = find_cohort(tmp_path / "p.csv").cases
    assert case.clinical.age_years == years
    assert f"The table masks the age, which is {years} years or more" in case.remarks[0]


def test_lines_above_the_header_that_begin_with_a_cross_are_passed_over(tmp_path):
    (tmp_path / "p.csv").write_text("#Patient\tScan\n#STRING\tSTRING\npatient_id\tt1gd\tage\na\ta.nii\tx\n")
    with refused(
        CohortError, "table.cell_unusable", line=4, table="p.csv", column="age", wanted=Message("wanted.number")
    ):
        find_cohort(tmp_path / "p.csv")


@pytest.mark.parametrize(
    "text",
    ['patient_id,t1gd\na,"a.nii\nb,b.nii\n', "patient_id,t1gd\na\x00,a.nii\n", "patient_id,t1gd\na\x1b[31m,a.nii\n"],
    ids=["open quotation mark", "NUL", "terminal code"],
)
def test_a_text_that_is_no_table_is_refused_and_loses_no_row(tmp_path, text):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(CohortError):
        find_cohort(tmp_path / "p.csv")


_CELLS = st.one_of(
    st.sampled_from(["", "0", "1", "400", "1.5", "1,234", "89+", "NA", "yes", "1:DECEASED", "ALIVE (3 days later)"]),
    st.integers().map(str),
    st.floats().map(str),
    st.text(max_size=8),
)
_COLUMNS = st.one_of(
    st.sampled_from(["os_days", "OS", "OS.time", "OS_MONTHS", "event", "vital_status", "days_to_death", "age", "ecog"]),
    st.text(max_size=8),
)


@given(
    mark=st.sampled_from(",;\t"),
    columns=st.lists(_COLUMNS, min_size=1, max_size=5),
    rows=st.lists(st.lists(_CELLS, max_size=6), max_size=4),
)
def test_any_table_is_read_as_plausible_values_or_refused_in_a_sentence(tmp_path_factory, mark, columns, rows):
    path = tmp_path_factory.mktemp("any") / "p.csv"
    path.write_text(
        "\n".join(mark.join(line) for line in (columns, *rows)), encoding="utf-8", errors="surrogatepass", newline=""
    )
    try:
        table = read_table(path)
        columns_of_survival = survival_columns(table)
        facts = [facts_of(row, columns_of_survival, sexes_in(table.rows)) for row in table.rows]
    except CohortError:
        return
    for fact in facts:
        assert fact["os_days"] is None or 0 <= fact["os_days"] <= 36525
        assert fact["clinical"].age_years is None or 0 <= fact["clinical"].age_years <= 999


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused_in_a_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "p.csv"
    path.write_bytes(content)
    with suppress(CohortError):
        find_cohort(path)


def test_a_column_that_may_say_who_died_is_named(tmp_path):
    (tmp_path / "p.csv").write_text("patient_id,t1gd,os_days,Status\np1,a.nii,300,1\n", encoding="utf-8")
    with refused(CohortError, "survival.deaths_perhaps", near=("Status",)):
        find_cohort(tmp_path / "p.csv")


@pytest.mark.parametrize("column", ["performance_status", "IDH status", "Studie", "relapse_event_free", "Mortadella"])
def test_a_column_of_something_else_is_not_named(tmp_path, column):
    (tmp_path / "p.csv").write_text(f"patient_id,t1gd,os_days,{column}\np1,a.nii,300,1\n", encoding="utf-8")
    with refused(CohortError, "survival.no_deaths"):
        find_cohort(tmp_path / "p.csv")


def test_all_columns_that_may_say_who_died_are_named(tmp_path):
    (tmp_path / "p.csv").write_text("patient_id,t1gd,os_days,Vital state,Exitus\np1,a.nii,300,1,1\n", encoding="utf-8")
    with refused(CohortError, "survival.deaths_perhaps", near=("Vital state", "Exitus")):
        find_cohort(tmp_path / "p.csv")


@pytest.mark.parametrize("day", ["99", "99.0", "9", "1"])
def test_a_day_of_death_that_is_the_survival_is_no_code(tmp_path, day):
    table = tmp_path / "p.csv"
    table.write_text(f"patient_id,t1gd,os_days,event,date_of_death\np1,a.nii,{float(day)},1,{day}\n", encoding="utf-8")
    (case,) = find_cohort(table).cases
    assert (case.os_days, case.death_observed) == (float(day), True)


@pytest.mark.parametrize("cells", ["2019-01-01,2020-01-01,1", "2019-01-01,,0", "43466,43831,1"])
def test_dates_without_days_are_told_for_the_dead_and_for_those_alive(tmp_path, cells):
    (tmp_path / "p.csv").write_text(f"patient_id,t1gd,date_of_diagnosis,date_of_death,event\np,a.nii,{cells}\n")
    (case,) = find_cohort(tmp_path / "p.csv").cases
    assert case.os_days is None
    assert case.remarks == ("The table has no column of days. Write the survival in days in a column 'os_days'.",)


@pytest.mark.parametrize(("column", "remarks"), [("OS", 1), ("os_days", 0), ("Survival_days", 0)])
def test_few_short_times_without_a_unit_are_told(tmp_path, column, remarks):
    (tmp_path / "p.csv").write_text(f"patient_id,t1gd,{column},event\np,a.nii,30,1\n", encoding="utf-8")
    (case,) = find_cohort(tmp_path / "p.csv").cases
    assert sum("not months" in remark for remark in case.remarks) == remarks


@pytest.mark.parametrize(("others", "remarks"), [("0", 2), ("400", 0)])
def test_several_survivals_of_no_day_may_stand_for_unknown(tmp_path, others, remarks):
    (tmp_path / "p.csv").write_text(f"patient_id,t1gd,os_days,event\na,a.nii,0,1\nb,b.nii,{others},1\nc,c.nii,500,1\n")
    cases = find_cohort(tmp_path / "p.csv").cases
    assert sum("of 0 days may stand for unknown" in said for case in cases for said in case.remarks) == remarks


def test_censoring_may_be_the_opposite_of_the_deaths_or_the_same(tmp_path):
    for censored in ("0,1", "1,0"):
        first, second = censored.split(",")
        (tmp_path / "p.csv").write_text(
            f"patient_id,t1gd,os_days,event,censored\na,a.nii,400,1,{first}\nb,b.nii,500,0,{second}\n"
        )
        assert [case.death_observed for case in find_cohort(tmp_path / "p.csv").cases] == [True, False]
