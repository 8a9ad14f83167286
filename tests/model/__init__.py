"""The life cycle as a model: random people, bank and clock drive the real intents, and every step is checked."""
