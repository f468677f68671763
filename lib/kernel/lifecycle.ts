/** Something that waits inside a policy and must end when the app does. */
export interface Waiter {
  end(): void;
}

/** Something that runs, and is cut if it still does when the app has shut down. */
export interface Running {
  shutDown(): void;
}

/** Ends waits at shutdown, and then what still runs; after it nothing may begin to wait. */
export class Lifecycle {
  #waiters = new Set<Waiter>();
  #running = new Set<Running>();
  #disposables = new Set<() => void>();
  #draining = false;
  #closing = false;
  #disposed = false;

  /** Whether the app is to go: whoever sends it work should look for another. */
  get draining(): boolean {
    return this.#draining || this.#closing;
  }

  drain(): void {
    this.#draining = true;
  }

  /** Lets nothing begin to wait any more; who waits already keeps its place. */
  refuseWaits(): void {
    this.#closing = true;
  }

  /** Whether anything waits. */
  get hasWaiters(): boolean {
    return this.#waiters.size > 0;
  }

  /** Whether the app is shutting down, and nothing new may wait. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Ends `waiter` at once where the app is shutting down already: a callback of the user's may have closed it. */
  add(waiter: Waiter): void {
    if (this.#closing) waiter.end();
    else this.#waiters.add(waiter);
  }

  remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  /** Cuts `running` when the app has shut down. What begins after that, in a hook of another provider, is left alone. */
  enlist(running: Running): void {
    if (!this.#disposed) this.#running.add(running);
  }

  /** It is over, or was cut. */
  delist(running: Running): void {
    this.#running.delete(running);
  }

  /** Runs `dispose` when the app has shut down. */
  onDispose(dispose: () => void): void {
    if (this.#disposed) dispose();
    else this.#disposables.add(dispose);
  }

  /** There is nothing left to dispose of. */
  offDispose(dispose: () => void): void {
    this.#disposables.delete(dispose);
  }

  /** Whether the app has shut down. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /** Ends every wait. */
  close(): void {
    this.refuseWaits();
    for (const waiter of [...this.#waiters]) waiter.end();
    this.#waiters.clear();
  }

  /** Cuts what still runs, and gives back timers that idle machinery keeps. */
  dispose(): void {
    this.close();
    this.#disposed = true;
    for (const running of [...this.#running]) running.shutDown();
    this.#running.clear();
    for (const dispose of [...this.#disposables]) dispose();
    this.#disposables.clear();
  }
}
