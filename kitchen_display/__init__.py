"""The wall of tickets: nothing yet."""
