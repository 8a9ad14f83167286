"""What may leave by a channel: a registered template, and short words in one line each."""

from __future__ import annotations

import pytest

from backend.channels.channel import VARIABLE_LONGEST, Template, TemplateMessage

GIVEN = ("Monday, 3 June 2026", "10:00 IST")


@pytest.mark.parametrize("template", Template)
def test_a_template_takes_its_own_number_of_variables(template):
    assert TemplateMessage(template, "en", GIVEN).variables == GIVEN
    for wrong in (GIVEN[:-1], (*GIVEN, "more"), ()):
        with pytest.raises(ValueError, match="variables, not"):
            TemplateMessage(template, "en", wrong)


def test_a_variable_is_as_long_as_the_register_takes_it_and_no_longer():
    TemplateMessage(Template.SESSION_IMMINENT, "hi", ("x" * VARIABLE_LONGEST, *GIVEN[1:]))
    with pytest.raises(ValueError, match="day"):
        TemplateMessage(Template.SESSION_IMMINENT, "hi", ("x" * (VARIABLE_LONGEST + 1), *GIVEN[1:]))


@pytest.mark.parametrize(
    "text", ["", " ", "two\nlines", "tab\t", "nul\0", "bell\a", "end ", "\u2028", "\u202e", "\ud800"]
)
def test_no_text_of_several_lines_and_none_that_is_empty_leaves(text):
    with pytest.raises(ValueError, match="day") as refused:
        TemplateMessage(Template.SESSION_APPROACHING, "en", (text, *GIVEN[1:]))
    assert not text.strip() or text not in str(refused.value)
