/** Where virtual time begins: not 0, as no process's clock does. */
const START = 1_000_000;
/** 2030-01-01T00:00:00Z. */
const WALL_START = 1_893_456_000_000;
/** The longest delay that Node's timers hold; a longer one fires after 1 ms. */
const NODE_MAX_DELAY = 2 ** 31 - 1;

const { nextTick } = process;

/** Lets every promise that can settle now do so: a tick comes when no microtask is left, and costs no turn of the loop. */
const settle = () => new Promise((resolve) => nextTick(resolve));

/** Time that passes from event to event; what an event sets going settles before the next one. */
export class VirtualClock {
  #now = START;
  #made = 0;
  /** A binary heap, the next one first; equal moments in the order in which they were set. */
  #events = [];
  #immediates = [];

  now() {
    return this.#now;
  }

  wallNow() {
    return WALL_START + this.#now - START;
  }

  /** As Node's: whole milliseconds, 1 at least. */
  setTimeout(callback, ms) {
    return this.after(ms >= 1 && ms <= NODE_MAX_DELAY ? Math.trunc(ms) : 1, callback);
  }

  clearTimeout(timer) {
    timer.callback = undefined;
  }

  setImmediate(callback) {
    this.#immediates.push(callback);
  }

  /** Runs `callback` in exactly `ms`. */
  after(ms, callback) {
    const event = { at: this.#now + ms, order: this.#made++, callback, ref: () => event, unref: () => event };
    this.#push(event);
    return event;
  }

  /** Lets `ms` pass. */
  async advance(ms) {
    const end = this.#now + ms;
    await this.#turn();
    while (this.#events.length > 0 && this.#events[0].at <= end) {
      const event = this.#pop();
      const { callback } = event;
      if (callback === undefined) continue;
      event.callback = undefined;
      this.#now = event.at;
      callback();
      await this.#turn();
    }
    this.#now = end;
  }

  /** The rest of a turn of the event loop: promises, then immediates, until nothing is left. */
  async #turn() {
    await settle();
    while (this.#immediates.length > 0) {
      for (const immediate of this.#immediates.splice(0)) immediate();
      await settle();
    }
  }

  #push(event) {
    const heap = this.#events;
    let place = heap.length;
    heap.push(event);
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (!isBefore(event, heap[above])) break;
      heap[place] = heap[above];
      place = above;
    }
    heap[place] = event;
  }

  #pop() {
    const heap = this.#events;
    const [first] = heap;
    const last = heap.pop();
    if (heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1], heap[below])) below++;
      if (!isBefore(heap[below], last)) break;
      heap[place] = heap[below];
      place = below;
    }
    heap[place] = last;
    return first;
  }
}

function isBefore(one, other) {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
