"""The desk: the pages on which staff work, a sub-package each. No rule is written here."""
