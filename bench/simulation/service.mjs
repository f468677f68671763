import { exponential } from '../support/random.mjs';

/**
 * A server with a pool of workers and a queue before it, first come first served. Each request that waits makes all work
 * slower (memory, context switches). It does not notice that a client has given up, as most servers do not: the work is
 * done, for nobody.
 */
export class Service {
  /** The share of the workers that can work. */
  capacity = 1;
  /** Requests that came. */
  received = 0;
  /** Those that were shed. */
  shed = 0;
  /** Pieces of work that were done for a client that had gone. */
  wasted = 0;
  /** Work of refusals that somebody has to do yet, ms. */
  #owed = 0;
  #busy = 0;
  #queue = [];
  #next = 0;

  constructor(model, clock, random, ingress) {
    this.model = model;
    this.clock = clock;
    this.random = random;
    this.ingress = ingress;
  }

  get waiting() {
    return this.#queue.length - this.#next;
  }

  /**
   * A request comes; `answer(error?)` is called once, unless the client leaves before.
   *
   * @returns a function by which the client leaves.
   */
  receive(answer) {
    this.received++;
    const now = this.clock.now();
    if (this.ingress?.enter(now, 0) !== undefined) {
      this.shed++;
      answer(unavailable({ 'retry-after': '1' }));
      return () => undefined;
    }
    const request = { gone: false, answer };
    const close = (whole) => {
      if (request.gone) return;
      request.gone = true;
      this.ingress?.leave(now, whole);
    };
    if (this.waiting >= this.model.backlog) {
      close(false);
      this.#owed += this.model.refusalMs ?? 0;
      answer(unavailable({}));
      return () => undefined;
    }
    request.close = close;
    this.#queue.push(request);
    this.work();
    return () => close(false);
  }

  /** Lets idle workers begin. */
  work() {
    const { workers, workMs, slowdown, backlog } = this.model;
    while (this.#busy < Math.round(workers * this.capacity) && this.waiting > 0) {
      const request = this.#take();
      const mean = workMs * (1 + (slowdown * this.waiting) / backlog);
      const before = this.#owed;
      this.#owed = 0;
      this.#busy++;
      this.clock.after(before + mean / 2 + exponential(this.random, mean / 2), () => {
        this.#busy--;
        if (request.gone) this.wasted++;
        else {
          request.close(true);
          request.answer();
        }
        this.work();
      });
    }
  }

  #take() {
    const request = this.#queue[this.#next++];
    if (this.#next >= 1_024) {
      this.#queue = this.#queue.slice(this.#next);
      this.#next = 0;
    }
    return request;
  }
}

/** As an HTTP client throws it. */
function unavailable(headers) {
  return Object.assign(new Error('Service Unavailable'), { response: { status: 503, headers } });
}
