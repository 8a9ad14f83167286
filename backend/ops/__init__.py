"""The operator's side: one snapshot of health, shown as page, metrics, command and readiness, and acts to mend it."""
