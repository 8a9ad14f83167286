"""How somebody of the practice proves who they are: the second step, setting it up, their sessions, and resets."""
