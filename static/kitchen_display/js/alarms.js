// Cancellations and amendments sound until somebody acknowledges them, cancellations before amendments, whatever page of
// the wall they are on.

const AGAIN = 8000;
const MARKS = ".item[data-alarm], .changed";

/** What of a ticket, as the server rendered it, waits for somebody who has seen it. */
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

  /** Looks which alarms stand on these tickets now. */
  look(tickets) {
    const standing = new Map();
    for (const mark of tickets.flatMap(alarmsOf)) {
      const place = `${mark.closest(".ticket").dataset.order}|${mark.closest(".item")?.dataset.plu ?? ""}`;
      // Amended again it says something else, and is another alarm.
      if (mark.matches(".changed")) standing.set(`${place}|${mark.textContent}`, "amended");
      else standing.set(place, "cancelled");
    }
    const news = [...standing].filter(([alarm]) => !this.known.has(alarm)).map(([, sound]) => sound);
    this.known = standing;
    if (news.length) this.sound(loudest(news));
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
