"""What a run of the model reached: how often each rule was tried and did something, and each state was entered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from backend.bookings.machine import State


@dataclass
class Coverage:
    """Counts of one run; Hypothesis's attempts at a smaller counterexample are counted too."""

    examples: int = 0
    steps: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    worked: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    entered: Counter[str] = field(default_factory=Counter)
    called: Counter[str] = field(default_factory=Counter)

    def gaps(self, rules: set[str], intents: set[str]) -> list[str]:
        """What a run that shows anything must have reached, and this one did not."""
        return [
            *(f"the rule {name} never did anything" for name in sorted(rules - set(self.worked))),
            *(f"the state {state} was never reached" for state in State if state not in self.entered),
            *(f"the intent {name} was never called" for name in sorted(intents - set(self.called))),
        ]

    def report(self, rules: set[str]) -> str:
        """The counts as a person reads them."""
        lines = [f"{self.steps} steps in {self.examples} examples", "", "rule                     tried  worked"]
        lines += [f"{name:<22}  {self.tried[name]:>6}  {self.worked[name]:>6}" for name in sorted(rules)]
        lines += ["", "state                  entered"]
        lines += [f"{state.value:<22}  {self.entered[state]:>6}" for state in State]
        lines += ["", "refused                  times"]
        lines += [f"{code:<22}  {times:>6}" for code, times in sorted(self.refused.items())]
        return "\n".join(lines)
