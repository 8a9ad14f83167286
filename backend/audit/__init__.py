"""Who read what: an append-only record of what staff were shown of people, of exports, log-ins and roles."""
