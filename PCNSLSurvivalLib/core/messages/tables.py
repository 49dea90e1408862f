"""Messages about tables: their columns, cells and survival."""

from __future__ import annotations

from PCNSLSurvivalLib.core.marked import marked as _

TEMPLATES = {
    "survival.deaths_perhaps": _(
        "{table} has survival days but no column 'death_observed' (1: died on that day, 0: alive at last contact). "
        "Without it, censored patients cannot be distinguished from deaths. If one of these columns says who died, "
        "call it 'death_observed' and write 1 and 0: {near}. Otherwise add the column. Then try again."
    ),
    "survival.event_for_days": _(
        "The column '{column}' of {table} holds an event (0 and 1), not days. Call it 'death_observed', give the days "
        "in a column 'os_days', and try again."
    ),
    "survival.event_of_which": _(
        "The column '{column}' of {table} can mean death or progression, since '{other}' stands beside it. Where 1 "
        "means that the patient died, call it 'death_observed'. Otherwise write such a column, and try again."
    ),
    "survival.negative": _("Line {line} of {table} has a negative survival. Correct the cell, or leave it empty."),
    "survival.no_deaths": _(
        "{table} has survival days but no column 'death_observed' (1: died on that day, 0: alive at last contact). "
        "Without it, censored patients cannot be distinguished from deaths. Add the column and try again."
    ),
    "survival.no_unit": _(
        "The column '{column}' of {table} does not say its unit, and its numbers look like months or years. Write days "
        "in a column 'os_days' (months times 30.4375, years times 365.25) and try again."
    ),
    "survival.only_censoring": _(
        "{table} says who died only in column '{column}', where 1 can mean censored as well as died. Write a column "
        "'death_observed' (1: died on that day, 0: alive at last contact) and try again."
    ),
    "survival.other_unit": _(
        "The column '{column}' of {table} counts {unit}. Write days ({unit} times {days:g}) in a column 'os_days' and "
        "try again."
    ),
    "survival.unclear_times": _(
        "The column '{column}' of {table} looks like survival and does not say whether it is or in which unit. Where "
        "it is overall survival, write days in a column 'os_days' and try again; else give it another name."
    ),
    "survival.zero_or_one_unclear": _(
        "The column '{column}' of {table} holds 0 and 1, and registries write 1 for alive as well as for dead. Write a "
        "column 'death_observed' (1: died on that day, 0: alive at last contact) and try again."
    ),
    "table.cell_unusable": _(
        "Line {line} of {table} has no usable value in column '{column}': it should be {wanted}, or empty where "
        "unknown. Correct the cell and try again."
    ),
    "table.cells_contradict": _(
        "Line {line} of {table} contradicts itself: the columns '{one}' and '{other}' do not fit together. Keep the "
        "right one, empty the other, and try again."
    ),
    "table.column_twice": _(
        "{table} has the column '{column}' more than once, apart from capitals, spaces and punctuation. Keep the right "
        "one and try again."
    ),
    "table.control_characters": _(
        "Line {line} of {table} holds control characters, which no text of a table has. Write it again as text."
    ),
    "table.dictionary_0_is_dead": _(
        "{dictionary} says that 0 in the column '{column}' of {table} means dead. Write a column 'death_observed' (1: "
        "died on that day, 0: alive at last contact) and try again."
    ),
    "table.dictionary_1_is_alive": _(
        "{dictionary} says that 1 in the column '{column}' of {table} means alive. Write a column 'death_observed' (1: "
        "died on that day, 0: alive at last contact) and try again."
    ),
    "table.dictionary_other_unit": _(
        "{dictionary} says that the column '{column}' of {table} counts {unit}. Write days ({unit} times {days:g}) in "
        "a column 'os_days' and try again."
    ),
    "table.empty": _("{table} is empty. Give a table whose first line names the columns."),
    "table.header_twice": _("Line {line} of {table} names the columns a second time. Remove this line and try again."),
    "table.identifier_rounded": _(
        "Line {line} of {table} names the patient '{found}' in column '{column}': a spreadsheet rounded the number, "
        "so several patients may have one name. Format the column as text and write the numbers again."
    ),
    "table.no_cohort_columns": _(
        "{table} lacks columns of a cohort table: {missing}. 'patient_id' and 't1gd' are needed; these may follow: "
        "{optional}. Found: {columns}. Rename or add the columns and try again."
    ),
    "table.no_column": _("{table} has no column '{column}'. Add it and try again."),
    "table.no_column_as_distributed": _("{table} has no column '{column}'. Use the table as distributed."),
    "table.no_patient": _("Line {line} of {table} names no patient. Fill in '{column}' and try again."),
    "table.not_a_file": _("{table} is not a file. Give a CSV or TSV table."),
    "table.not_fetched": _("{table} {reason}"),
    "table.rows_contradict": _(
        "Lines {first} and {second} of {table} are about one patient and contradict each other. Keep the right one and "
        "try again."
    ),
    "table.spreadsheet": _(
        "{table} is a workbook of Excel or another spreadsheet program. Save the sheet as CSV in UTF-8, and give that."
    ),
    "table.spreadsheet_error": _(
        "Line {line} of {table} holds '{found}' in column '{column}', which a spreadsheet writes for a value that it "
        "could not compute or show. Correct the cell, or leave it empty, and try again."
    ),
    "table.summary_row": _(
        "Line {line} of {table} has '{found}' in place of a patient in column '{column}', so it seems to sum up the "
        "other lines. Remove it; if it is a patient, give another name."
    ),
    "table.too_large": _("{table} is larger than 100 MB, which no table of patients is. Give another file."),
    "table.too_many_cells": _(
        "Line {line} of {table} has more cells than the first line has columns. Put quotation marks around texts that "
        "hold the separator, and try again."
    ),
    "table.unreadable": _(
        "{table} cannot be read ({reason}). Save it as CSV or TSV in UTF-8, with every quotation mark closed."
    ),
    "wanted.age": _("an age in years from 0 to {oldest}"),
    "wanted.date": _("a date such as 2015-08-01, 8/1/15 (month first) or 1-Aug-15"),
    "wanted.day_of_death": _("the day of death ({found} stands for unknown in many programs)"),
    "wanted.days_known": _("a number of days ({found:g} stands for unknown in many registries)"),
    "wanted.days_up_to": _("a number of days up to {most}, half a century"),
    "wanted.days_without_point": _("a whole number of days without a point, which can divide thousands"),
    "wanted.flag": _("0 or 1"),
    "wanted.no_comma": _("a number without a comma, which can divide thousands as well as decimals"),
    "wanted.no_point_of_thousands": _(
        "a number without a point before three digits, which divides thousands in many tables with semicolons"
    ),
    "wanted.number": _("a number"),
    "wanted.whole_number": _("a whole number from {lowest} to {highest}"),
}
