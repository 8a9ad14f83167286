"""What the released site and the chatbot call; no log-in."""
