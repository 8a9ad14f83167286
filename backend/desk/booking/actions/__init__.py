"""What staff do with a booking: a module each, from its button over its form to the intent that it calls."""
