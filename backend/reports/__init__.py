"""Sums over the bookings and the money, for the desk's pages and for programs: read alone, and rendered above."""
