"""System checks of the whole installation."""
