"""Short messages to telephones: templates that were registered beforehand, sent by whoever is configured."""
