"""The list of bookings to work from."""
