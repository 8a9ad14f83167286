"""What every package stands on: errors, typed environment, encryption, correlation, logs, formatting. No model."""
