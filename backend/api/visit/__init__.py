"""The visitor's own pages: to ask for a session, to see how a booking stands, to pay, move and cancel it."""
