// Cancellations and amendments sound until somebody acknowledges them, cancellations before amendments.

const AGAIN = 8000;

export class Alarms {
  constructor(sounds) {
    this.sounds = sounds;
    this.known = new Map(); // alarm → its sound
    this.timer = 0;
  }

  /** Looks which alarms stand on the wall now. */
  look() {
    const standing = new Map();
    for (const mark of document.querySelectorAll(".ticket[data-alarm], .item[data-alarm], .changed")) {
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
