/** What a process was granted and has not used lapses after so long, ms: others may need it. */
const LAPSE_MS = 50;
/** A grant is worth what was admitted within so long, ms. */
const SPAN_MS = 25;
/** How long the last span in which anything was admitted tells what will be wanted, ms. */
const REMEMBERED_MS = 10 * SPAN_MS;

/** The part of a shared limit that this process may use by itself, and how fast it does. */
export class Tokens {
  #left = 0;
  #lapsesAt = -Infinity;
  /** What was admitted in the span at hand, and in the last one in which anything was. */
  #spanFrom = -Infinity;
  #admitted = 0;
  #before = 0;
  #beforeUntil = -Infinity;

  /** Uses some, if enough are there. */
  take(cost: number, now: number): boolean {
    if (this.#left < cost || now >= this.#lapsesAt) return false;
    this.#left -= cost;
    this.#roll(now);
    this.#admitted += cost;
    return true;
  }

  add(granted: number, now: number): void {
    this.#left = this.left(now) + granted;
    this.#lapsesAt = now + LAPSE_MS;
  }

  left(now: number): number {
    return now < this.#lapsesAt ? this.#left : 0;
  }

  /** What is used within 25 ms, as far as was seen. A pause of the whole cluster does not make it less. */
  recent(now: number): number {
    this.#roll(now);
    const before = now - this.#beforeUntil < REMEMBERED_MS ? this.#before : 0;
    return Math.max(this.#admitted, before);
  }

  #roll(now: number): void {
    if (now < this.#spanFrom + SPAN_MS) return;
    if (this.#admitted > 0) {
      this.#before = this.#admitted;
      this.#beforeUntil = this.#spanFrom + SPAN_MS;
    }
    this.#admitted = 0;
    this.#spanFrom = now;
  }
}
