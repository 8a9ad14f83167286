"""How a provider calls our templates: it registered each of them, in each language, and gave it a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.channels.names import Template
from backend.channels.trouble import ChannelTrouble

FORM = rf"(?:{'|'.join(Template)})\.[a-z]{{2}}=[A-Za-z0-9_-]{{1,512}}"
ALWAYS = "en"  # what is sent where somebody's own language is not registered


@dataclass(frozen=True)
class Registered:
    """By template and language."""

    references: Mapping[tuple[Template, str], str]

    @classmethod
    def parse(cls, settings: Sequence[str]) -> Registered:
        """Of `session_approaching.en=65f0…`, each of which has the form FORM."""
        found = {}
        for setting in settings:
            name, _, reference = setting.partition("=")
            template, _, language = name.partition(".")
            found[Template(template), language] = reference
        return cls(found)

    @property
    def languages(self) -> frozenset[str]:
        """In which every template is registered."""
        named = {language for _, language in self.references}
        return frozenset(one for one in named if not self.missing(one))

    def missing(self, language: str) -> list[str]:
        """What is not registered in this language, by the name that a setting gives it."""
        return [f"{template}.{language}" for template in Template if (template, language) not in self.references]

    def reference(self, template: Template, language: str) -> str:
        """Raises ChannelTrouble for one that is not registered."""
        found = self.references.get((template, language))
        if found is None:
            raise ChannelTrouble(f"{template} is not registered in {language}", surely_not_sent=True)
        return found
