import json

from PCNSLSurvivalLib.cli.display.progress import TerminalProgress, listener_for
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence, Step


def _run(listener):
    clock = StepClock(listener)
    with clock.step(Step.BIAS_FIELD, MRSequence.T1GD) as running:
        running(0.5)
    clock.skip(Step.BRAIN_EXTRACTION, Message("skipped.brain_mask_given"))
    clock.record(Step.GRAD_CAM, 0.25)
    clock.keep(Step.REGISTRATION, MRSequence.T2)
    return clock


def test_json_lines_carry_every_event(capsys):
    clock = _run(listener_for("json"))
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["state"] for event in events] == [
        "started", "running", "finished", "skipped", "started", "finished", "kept",
    ]  # fmt: skip
    assert events[1]["fraction"] == 0.5
    assert events[0]["step"] == "bias_field"
    assert events[0]["sequence"] == "t1gd"
    assert events[3]["reason"]["code"] == "skipped.brain_mask_given"
    assert list(clock.seconds) == ["bias_field t1gd", "grad_cam"]
    assert clock.seconds["grad_cam"] == 0.25


def test_a_log_gets_one_line_a_step(capsys):
    _run(listener_for("auto"))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert lines[3].startswith("Registration to T1Gd, T2")
    assert "cached from an earlier run" in lines[3]
    assert lines[0].startswith("Bias field correction (N4), T1Gd")
    assert lines[0].endswith(" s")
    assert "skipped: a brain mask was given" in lines[1]


def test_a_terminal_gets_a_bar_that_ends_full_with_its_seconds(capsys):
    _run(TerminalProgress())
    text = capsys.readouterr().err
    assert "100 %" in text
    assert "0.2 s" in text
    assert "Grad-CAM" in text
