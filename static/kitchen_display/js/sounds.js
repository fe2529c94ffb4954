// Four sounds that can't be confused, synthesized here: no files, no network. New rises softly, cancelled falls hard,
// amended goes up and down, late knocks twice.

const TUNES = {
  new: [[659, 0, 0.16, "sine"], [880, 0.17, 0.3, "sine"]],
  cancelled: [[740, 0, 0.18, "square"], [494, 0.2, 0.18, "square"], [330, 0.4, 0.4, "square"]],
  amended: [[587, 0, 0.14, "square"], [880, 0.16, 0.14, "square"], [587, 0.32, 0.14, "square"], [880, 0.48, 0.24, "square"]],
  late: [[392, 0, 0.1, "triangle"], [392, 0.16, 0.1, "triangle"], [392, 0.5, 0.1, "triangle"], [392, 0.66, 0.1, "triangle"]],
};

export class Sounds {
  /** `enabled`: which sounds are on; `button` is shown while the browser blocks sound. */
  constructor({ enabled, button, flash }) {
    this.enabled = enabled;
    this.button = button;
    this.flash = flash;
    this.context = null;
    button?.addEventListener("click", () => this.unlock().then(() => this.play("new")));
    // Any touch of the wall turns the sound on; nobody has to look for the button.
    document.addEventListener("pointerdown", () => this.unlock(), { passive: true });
    document.addEventListener("keydown", () => this.unlock(), { passive: true });
    this.probe();
  }

  get on() {
    return Object.values(this.enabled).some(Boolean);
  }

  probe() {
    if (!this.on) return this.setBlocked(false);
    try {
      this.context ??= new AudioContext();
      this.context.onstatechange = () => this.setBlocked(this.context.state !== "running");
      this.setBlocked(this.context.state !== "running");
    } catch (error) {
      console.info("No sound on this device:", error.message);
      this.setBlocked(false);
    }
  }

  async unlock() {
    if (this.context && this.context.state !== "running") await this.context.resume();
  }

  setBlocked(blocked) {
    this.blocked = blocked;
    if (this.button) this.button.hidden = !blocked;
  }

  /** Plays one sound, or shows a flash where the browser blocks it. */
  play(name) {
    if (!this.enabled[name]) return;
    document.dispatchEvent(new CustomEvent("huuva:sound", { detail: { name, blocked: this.blocked } }));
    if (!this.context || this.context.state !== "running") {
      this.flash(name);
      return;
    }
    const start = this.context.currentTime + 0.02;
    for (const [pitch, at, length, shape] of TUNES[name]) {
      const tone = this.context.createOscillator();
      const volume = this.context.createGain();
      tone.type = shape;
      tone.frequency.value = pitch;
      const peak = shape === "square" ? 0.25 : 0.6;
      volume.gain.setValueAtTime(0.0001, start + at);
      volume.gain.exponentialRampToValueAtTime(peak, start + at + 0.015);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + at + length);
      tone.connect(volume).connect(this.context.destination);
      tone.start(start + at);
      tone.stop(start + at + length + 0.02);
    }
  }
}
