"""How Django writes a time that belongs to no kitchen: as in the API and in the log, with its zone."""
