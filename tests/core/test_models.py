"""What holds of every model of ours."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.models import Model

OURS = [model for model in apps.get_models() if model.__module__.partition(".")[0] in ("backend", "workers")]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_row_that_is_not_stored_yet_has_a_name(model: type[Model]) -> None:
    """The admin names it where a form was refused, and a debugger anywhere."""
    assert isinstance(str(model()), str)
