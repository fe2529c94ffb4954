"""The live part: event streams to screens. Nothing in here imports Django."""
