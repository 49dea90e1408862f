"""What others wrote into names and models commands no terminal and turns no letters."""

import pytest
from made_models import small_model

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.printable import printable
from PCNSLSurvivalLib.models.model_folder import CARD


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("OS over one year\n\t- 张伟, Jörg, محمد, 1\u00a0mm", "OS over one year\n\t- 张伟, Jörg, محمد, 1\u00a0mm"),
        ("\x1b[2J\x1b]0;title\x07red", "[2J]0;titlered"),
        ("a\r\b\x00\x7f\x9bb", "ab"),
        ("nii\u202egz.exe\u2066", "niigz.exe"),
        ("M\udcfcller", "Mller"),
    ],
    ids=["plain", "escape", "carriage", "direction", "not UTF-8"],
)
def test_control_characters_are_left_out(text, shown):
    assert printable(text) == shown


def test_a_message_shows_none_of_its_values():
    reason = Message("refusal.file_extra", file="\x1b[31mevil\u202e")
    sentence = str(Message("model.refused", reason=reason))
    assert "[31mevil" in sentence
    assert sentence == printable(sentence)


def test_the_card_of_a_model_shows_none(tmp_path):
    model = small_model(tmp_path / "model")
    (model.path / CARD).write_bytes(b"# Card\x1b[2J\n\xff \xe2\x80\xaeend")
    assert model.read_card() == "# Card[2J\n\ufffd end"
