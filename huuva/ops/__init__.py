"""For operators: starting and supervising processes, embedded servers, backups, health, simulated kitchens."""
