"""The result in words and on its scale, for every kind of result."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from made_scenes import add_head

from PCNSLSurvivalLib.core.class_colors import OVER_ONE_YEAR, UP_TO_ONE_YEAR, in_hex

UI = Path(__file__).parents[2] / "PCNSLSurvival" / "Resources" / "UI" / "PCNSLSurvival.ui"


def told(sentence):
    """What a result keeps of a message that only a later version knows."""
    return {"code": "of.a_later_version", "values": {}, "sentence": sentence}


RESULT = {
    "probability_over_one_year": 0.30,
    "schema_version": "2.0",
    "class": "up_to_one_year",
    "decision_threshold": 0.45,
    "member_probabilities": [0.22, 0.31, 0.38],
    "warnings": [told("The slices are thick.")],
    "model": {"name": "made-up", "version": "2"},
    "software": {"pcnsl-survival": "0.1"},
    "familiarity": told("This scan is unlike the others."),
    "preprocessing": {"findings": [{"verdict": "good"}, {"verdict": "check"}], "quality_overridden": True},
}


@pytest.fixture
def view(standin):

    from PCNSLSurvivalUI.sections import result_text

    return result_text


def test_the_words_tell_class_spread_quality_and_origin(view):
    assert "OS ≤ 1 year" in view.headline(RESULT)
    assert "30 %" in view.headline(RESULT)
    assert "22 to 38 %" in view.spreadInWords(RESULT)
    assert view.warningsInWords(RESULT) == "⚠ The slices are thick."
    assert "1 of 2 passed" in view.qualityInWords(RESULT)
    assert "overridden" in view.qualityInWords(RESULT)
    assert view.familiarityInWords(RESULT) == "This scan is unlike the others."
    for word in ("made-up", "2", "0.1", "45 %"):
        assert word in view.originInWords(RESULT)


def test_one_network_gives_no_spread(view):
    assert "Single network" in view.spreadInWords({**RESULT, "member_probabilities": [0.3]})


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([0.22, 0.31, 0.38], None),
        ([0.46, 0.5], None),
        ([0.22, 0.31, 0.45], "OS > 1 year is predicted by 1, OS ≤ 1 year by 2"),
        ([0.3], None),
    ],
)
def test_networks_on_both_sides_of_the_threshold_are_told(view, members, said):
    words = view.spreadInWords({**RESULT, "member_probabilities": members})
    assert ("disagree about the class" in words) is (said is not None)
    assert said is None or said in words


@pytest.mark.parametrize(("verdict", "gray"), [("unlike", True), ("unusual", False), ("typical", False)])
def test_a_scan_out_of_distribution_grays_number_and_scale(standin, view, verdict, gray):
    from PCNSLSurvivalUI.sections import probability_scale

    result = {**RESULT, "familiarity": {**told("This scan is unlike the others."), "verdict": verdict}}
    assert ("color" in view.headline(result)) is gray
    assert "30 %" in view.headline(result)
    image = probability_scale.drawScale(result, 400, standin.app.palette()).toImage()
    colors = [image.pixelColor(x, 46) for x in range(20, 380)]
    assert all(color.saturation() == 0 for color in colors) is gray


@pytest.mark.parametrize("probability", [0.0, 0.3, 0.99])
def test_the_scale_marks_threshold_and_probability(standin, probability):
    """The color changes at the threshold, and the marker stands at the probability."""
    import qt
    from PCNSLSurvivalUI.sections import probability_scale

    width, margin = 400, 16
    pixmap = probability_scale.drawScale(
        {**RESULT, "probability_over_one_year": probability}, width, standin.app.palette()
    )
    image = pixmap.toImage()
    span = width - 2 * margin
    colors = [image.pixelColor(margin + round(span * share), 46).name() for share in (0.43, 0.47)]
    assert colors == [in_hex(UP_TO_ONE_YEAR), in_hex(OVER_ONE_YEAR)]
    text = standin.app.palette().color(qt.QPalette.WindowText).lightness()
    marker = [x for x in range(width) if abs(image.pixelColor(x, 27).lightness() - text) < 40]
    assert sum(marker) / len(marker) == pytest.approx(margin + span * probability, abs=2.5)


def test_the_scale_follows_the_width_of_the_panel(standin):
    from PCNSLSurvivalUI.sections.probability_scale import ProbabilityScale

    scale = ProbabilityScale()
    scale.showResult(RESULT)
    scale.show()
    for width in (420, 300):
        scale.resize(width, 90)
        assert scale.pixmap.width() == width
    assert scale.minimumWidth < 300, "its picture does not keep the panel wide"


def test_scale_and_profile_follow_the_theme(standin):
    """Slicer can change its theme while a result is shown."""
    from PCNSLSurvivalUI.result.profile import ProfilePlot
    from PCNSLSurvivalUI.sections.probability_scale import ProbabilityScale
    from PySide6 import QtGui

    for picture, role in (
        (ProbabilityScale(), QtGui.QPalette.ColorRole.Window),
        (ProfilePlot(lambda s_mm: None), QtGui.QPalette.ColorRole.Base),
    ):
        if isinstance(picture, ProbabilityScale):
            picture.showResult(RESULT)
        palette = QtGui.QPalette()
        palette.setColor(role, QtGui.QColor("#123456"))
        picture.setPalette(palette)
        assert picture.pixmap.toImage().pixelColor(1, 1).name() == "#123456"


def test_what_a_warning_says_is_not_said_twice(view):
    assert view.familiarityInWords({**RESULT, "warnings": [RESULT["familiarity"]]}) == ""


def test_text_of_models_and_results_is_shown_as_it_stands_and_never_as_markup():
    """A label that is filled at run time shows plain text; headline and foci hold our own words and numbers."""
    root = ElementTree.parse(UI).getroot()
    labels = {each.get("name"): each for each in root.iter("widget") if each.get("class") == "QLabel"}
    texts = {name: label.findtext("property[@name='text']/string") for name, label in labels.items()}
    formats = {name: label.findtext("property[@name='textFormat']/enum") for name, label in labels.items()}
    filled = {name for name, text in texts.items() if not text} - {"headlineLabel", "lesionLabel"}
    assert {"modelDescription", "messageLabel", "warningsLabel", "originLabel"} <= filled
    assert {name for name in filled if formats[name] != "Qt::PlainText"} == set()


def test_markup_in_a_warning_reaches_the_panel_as_text(standin, panel):
    panel.ui.warningsLabel.text = "<img src='http://x'><b>bold</b>"
    assert panel.ui.warningsLabel.text == "<img src='http://x'><b>bold</b>"
    assert "plain" in str(panel.ui.warningsLabel.textFormat).lower() or panel.ui.warningsLabel.textFormat == 0


def test_a_probability_is_not_torn_from_its_unit_at_the_end_of_a_line(standin):
    """Seen in Slicer at 400 pixels."""
    from PCNSLSurvivalUI.sections.result_text import headline
    from PySide6 import QtGui

    text = QtGui.QTextDocument()
    text.setHtml(headline({"probability_over_one_year": 0.66, "class": "over_one_year"}))
    assert "66\N{NO-BREAK SPACE}%" in text.toRawText()


def test_what_the_banner_of_the_model_says_is_not_among_the_warnings(standin, opened, made_model, monkeypatch):
    from PCNSLSurvivalUI.choices import model_list

    from PCNSLSurvivalLib.core.messages import Message

    trained = SimpleNamespace(**{**vars(made_model), "path": made_model.path / "trained", "warning": None})
    monkeypatch.setattr(model_list, "installedModels", lambda: [made_model, trained])
    panel = opened(add_head("T1 Gd"))
    panel.view.models.fill()
    parameters, banner = panel.logic.getParameterNode(), made_model.warning
    other = Message("scan.already_stripped")
    result = {**json.loads(parameters.result), "warnings": [banner.to_json(), other.to_json()]}
    parameters.result = json.dumps(result)
    assert panel.ui.demonstrationBanner.text == str(banner)
    assert panel.ui.warningsLabel.text == f"⚠ {other}"
    panel.ui.modelSelector.setCurrentIndex(1)
    assert not panel.ui.demonstrationBanner.isVisibleTo(panel.parent)
    assert panel.ui.warningsLabel.text == f"⚠ {banner}\n⚠ {other}", "the shown result is still of the other model"
