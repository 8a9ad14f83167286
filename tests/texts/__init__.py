"""A storm over reminders by three channels: workers are killed, providers fail, reports are late, tripled, forged."""
