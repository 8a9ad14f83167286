"""The outbox: every effect that must follow a transition, as a row written in that transition's transaction."""
