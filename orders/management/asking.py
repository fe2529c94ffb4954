"""Asking before something is done that can't be undone."""


def agreed(question: str) -> bool:
    """Whether somebody types yes; nobody does where there is no terminal."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
