// Tells the server which orders this screen has shown, gathered so that a rush makes few requests.

const GATHER = 6000;

export class Sightings {
  constructor(url, token) {
    this.url = url;
    this.token = token;
    this.told = new Set();
    this.waiting = new Set();
    this.timer = 0;
  }

  add(keys) {
    for (const key of keys) if (!this.told.has(key)) this.waiting.add(key);
    if (this.waiting.size && !this.timer) this.timer = setTimeout(() => this.tell(), GATHER);
  }

  async tell() {
    const keys = [...this.waiting];
    this.waiting.clear();
    this.timer = 0;
    const fields = new URLSearchParams({ csrfmiddlewaretoken: this.token() });
    for (const key of keys) fields.append("orders", key);
    try {
      const headers = { "X-Requested-With": "fetch" };
      const response = await fetch(this.url, { method: "POST", body: fields, headers, signal: AbortSignal.timeout(5000) });
      if (!response.ok) throw new Error(`answered ${response.status}`);
      for (const key of keys) this.told.add(key);
      // A wall runs for weeks; an order told twice does no harm.
      if (this.told.size > 5000) this.told = new Set(keys);
    } catch (error) {
      console.info("What this screen shows could not be told:", error.message);
      this.add(keys);
    }
  }
}
