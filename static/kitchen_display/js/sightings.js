// Tells the server which orders this screen has shown: with the next board that is asked for, and where none is for some
// seconds, by itself. A wall that nobody changes must say so within 15 s, too.

const GATHER = 8000;
const MOST_WITH_A_BOARD = 40; // they stand in its address

export class Sightings {
  constructor(url, token) {
    this.url = url;
    this.token = token;
    this.known = new Set();
    this.waiting = new Set();
    this.timer = 0;
  }

  add(keys) {
    for (const key of keys) if (!this.known.has(key)) this.waiting.add(key);
    if (this.waiting.size && !this.timer) this.timer = setTimeout(() => this.tell(), GATHER);
  }

  /** Some that are still to be told, for the address of a board. */
  take() {
    return [...this.waiting].slice(0, MOST_WITH_A_BOARD);
  }

  /** The server has them. */
  told(keys) {
    // A wall runs for weeks; an order told twice does no harm.
    if (this.known.size > 5000) this.known.clear();
    for (const key of keys) {
      this.known.add(key);
      this.waiting.delete(key);
    }
  }

  async tell() {
    const keys = [...this.waiting];
    this.timer = 0;
    if (!keys.length) return;
    const fields = new URLSearchParams({ csrfmiddlewaretoken: this.token() });
    for (const key of keys) fields.append("orders", key);
    try {
      const headers = { "X-Requested-With": "fetch" };
      const response = await fetch(this.url, { method: "POST", body: fields, headers, signal: AbortSignal.timeout(5000) });
      if (!response.ok) throw new Error(`answered ${response.status}`);
      this.told(keys);
    } catch (error) {
      console.info("What this screen shows could not be told:", error.message);
    }
    this.add(this.waiting); // what failed, and what has come since
  }
}
