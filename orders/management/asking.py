"""Ask before an action that can't be undone."""


def agreed(question: str) -> bool:
    """Whether the user answers yes; false without a terminal."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
