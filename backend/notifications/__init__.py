"""What a notice says, while it is true, and how it becomes a mail."""
