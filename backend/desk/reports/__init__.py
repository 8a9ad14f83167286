"""The pages of sums: a month on the front page, numbers, accounts. `backend.reports` makes the sums."""
