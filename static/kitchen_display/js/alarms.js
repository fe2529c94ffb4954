// Cancellations sound until somebody acknowledges them.

const AGAIN = 8000;

export class Alarms {
  constructor(sounds) {
    this.sounds = sounds;
    this.known = new Set();
    this.timer = 0;
  }

  /** Looks which alarms stand on the wall now. */
  look() {
    const standing = new Set();
    for (const mark of document.querySelectorAll(".ticket[data-alarm], .item[data-alarm]")) {
      const order = mark.closest(".ticket").dataset.order;
      standing.add(`${order}|${mark.dataset.plu ?? ""}`);
    }
    const isNew = [...standing].some((alarm) => !this.known.has(alarm));
    this.known = standing;
    if (isNew) this.sound();
    else if (!standing.size) clearTimeout(this.timer);
  }

  sound() {
    clearTimeout(this.timer);
    if (!this.known.size) return;
    this.sounds.play("cancelled");
    this.timer = setTimeout(() => this.sound(), AGAIN);
  }
}
