"""The live process: event streams to screens. Nothing in here imports Django."""
