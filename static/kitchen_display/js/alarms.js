// Cancellations and amendments sound until somebody acknowledges them, cancellations before amendments, whatever page of
// the wall they are on.

const AGAIN = 8000;
const MARKS = ".item[data-alarm], .changed";

/** The elements of a ticket, as the server rendered it, that wait for an acknowledgement. */
export function alarmsOf({ plain }) {
  const marks = [...plain.querySelectorAll(MARKS)];
  return plain.matches("[data-alarm]") ? [plain, ...marks] : marks;
}

export class Alarms {
  constructor(sounds) {
    this.sounds = sounds;
    this.known = new Map(); // alarm → its sound
    this.timer = 0;
  }

  /** Takes the alarms that stand on these tickets now. */
  update(tickets) {
    const standing = new Map();
    for (const mark of tickets.flatMap(alarmsOf)) {
      const key = `${mark.closest(".ticket").dataset.order}|${mark.closest(".item")?.dataset.plu ?? ""}`;
      // An item that is amended again has another text, and is another alarm.
      if (mark.matches(".changed")) standing.set(`${key}|${mark.textContent}`, "amended");
      else standing.set(key, "cancelled");
    }
    const newSounds = [...standing].filter(([alarm]) => !this.known.has(alarm)).map(([, sound]) => sound);
    this.known = standing;
    if (newSounds.length) this.sound(loudest(newSounds));
    else if (!standing.size) clearTimeout(this.timer);
  }

  sound(name = loudest([...this.known.values()])) {
    clearTimeout(this.timer);
    if (!this.known.size) return;
    this.sounds.play(name);
    this.timer = setTimeout(() => this.sound(), AGAIN);
  }
}

function loudest(sounds) {
  return sounds.includes("cancelled") ? "cancelled" : "amended";
}
