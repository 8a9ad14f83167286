"""The intents: one function each, the only way in which a booking changes.

Doors call `lifecycle.visitor`, `approval`, `payments`, `timers` and the others; each function is one
transaction that locks, checks, runs one transition, writes one ledger row and owes the messages that follow.
"""
