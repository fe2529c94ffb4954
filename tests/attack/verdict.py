"""What must hold while strangers attack. `make attack` fails by it; the short form in CI asks for counts alone."""

from __future__ import annotations

from tests.attack.good import Measured, percentile

ORDER_P99_SECONDS = 0.2
LIVEZ_SECONDS = 1.0
# A wall that hears nothing for so long covers itself.
SILENCE_SECONDS = 5.0
# The whole body within 10 s, and a little for a busy machine.
BODY_SECONDS = 12.0
# What a file that nobody asked for may be answered, and `closed`: the server need not read it to the end.
UPLOAD_REFUSED = ("413", "415", "401", "404", "405", "closed")
# No stranger may be able to bring these about.
FAULTS = ("500", "502", "504")
LIVEZ = ("livez", "livez of live")


def complaints(measured: Measured) -> list[str]:
    """What the good ones have to say."""
    wrong = []
    p99 = percentile(measured.times, 0.99)
    if p99 > ORDER_P99_SECONDS:
        wrong.append(f"order POST p99 {p99 * 1000:.0f} ms, at most {ORDER_P99_SECONDS * 1000:.0f}")
    if measured.failed:
        answers = ", ".join(f"{count} × {label}" for label, count in sorted(measured.failed.items()))
        wrong.append(f"orders that were not taken at once: {answers}")
    if measured.lost:
        wrong.append(f"orders that were not taken at all: {measured.lost}")
    for probe in LIVEZ:
        if measured.worst(probe) > LIVEZ_SECONDS:
            wrong.append(f"/{probe} took {measured.worst(probe):.1f} s, at most {LIVEZ_SECONDS:.0f}")
    for probe, count in sorted(measured.unanswered.items()):
        wrong.append(f"/{probe} failed {count} times")
    if measured.silence > SILENCE_SECONDS:
        wrong.append(f"a wall heard nothing for {measured.silence:.1f} s, at most {SILENCE_SECONDS:.0f}")
    slowest = max(measured.hints, default=0.0)
    if slowest > SILENCE_SECONDS:
        wrong.append(f"a wall heard of an order {slowest:.1f} s after it was taken")
    return wrong


def about_attackers(name: str, tally: dict[str, object], *, holds: bool, spooled: bool) -> list[str]:
    """What the attackers got that they must not get. `holds`: the server has to end their connections."""
    answers: dict[str, int] = tally["answers"]  # type: ignore[assignment]
    held: dict[str, int] = tally["held"]  # type: ignore[assignment]
    longest: float | None = tally["longest"]  # type: ignore[assignment]
    wrong = [f"{answers[fault]} × {fault} for attackers" for fault in FAULTS if fault in answers]
    if holds and held:
        wrong.append(f"connections that the server never ended: {held}")
    if holds and longest is not None and longest > BODY_SECONDS:
        wrong.append(f"the server ended a connection after {longest:.1f} s, at most {BODY_SECONDS:.0f}")
    if name == "uploads":
        accepted = {label: count for label, count in answers.items() if label not in UPLOAD_REFUSED}
        if accepted or held:
            wrong.append(f"uploads that were not refused: {accepted | held}")
        if spooled:
            wrong.append("uploads were written to the disk")
    return wrong
