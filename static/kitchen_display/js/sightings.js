// Reports to the server which orders this screen has shown: with the next request for a board, or after some seconds
// without one in a request of its own. The server raises an alert for an order that nobody has reported for 15 s.

const GATHER = 8000;
const MOST_WITH_A_BOARD = 40; // they are part of its URL

export class Sightings {
  constructor(url, token) {
    this.url = url;
    this.token = token;
    this.done = new Set();
    this.waiting = new Set();
    this.timer = 0;
  }

  add(keys) {
    for (const key of keys) if (!this.done.has(key)) this.waiting.add(key);
    if (this.waiting.size && !this.timer) this.timer = setTimeout(() => this.report(), GATHER);
  }

  /** Some that are still to be reported, for the URL of a board. */
  batch() {
    return [...this.waiting].slice(0, MOST_WITH_A_BOARD);
  }

  /** The server has them. */
  reported(keys) {
    // A wall runs for weeks; an order reported twice does no harm.
    if (this.done.size > 5000) this.done.clear();
    for (const key of keys) {
      this.done.add(key);
      this.waiting.delete(key);
    }
  }

  async report() {
    const keys = [...this.waiting];
    this.timer = 0;
    if (!keys.length) return;
    const fields = new URLSearchParams({ csrfmiddlewaretoken: this.token() });
    for (const key of keys) fields.append("orders", key);
    try {
      const headers = { "X-Requested-With": "fetch" };
      const response = await fetch(this.url, { method: "POST", body: fields, headers, signal: AbortSignal.timeout(5000) });
      if (!response.ok) throw new Error(`answered ${response.status}`);
      this.reported(keys);
    } catch (error) {
      console.info("What this screen shows could not be reported:", error.message);
    }
    this.add(this.waiting); // what failed, and what has come since
  }
}
