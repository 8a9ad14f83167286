"""What programs of staff call, with a token."""
