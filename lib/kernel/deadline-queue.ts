import type { Clock, Timer } from './clock.js';
import type { Lifecycle } from './lifecycle.js';

/** Something that ends when its time is over. A queue links it, so joining and leaving allocate nothing. */
export interface Linked {
  /** @internal */ previous: Linked | undefined;
  /** @internal */ next: Linked | undefined;
  /** @internal */ queued: boolean;
  /** When it is over, on the monotonic clock. */
  due: number;
  expire(): void;
  /** The app has shut down: what ends with it leaves its queue. */
  retire?(): void;
}

/** The links of most of what ends by time. */
export abstract class Deadline implements Linked {
  /** @internal */ previous: Linked | undefined = undefined;
  /** @internal */ next: Linked | undefined = undefined;
  /** @internal */ queued = false;
  due = 0;

  abstract expire(): void;
}

/** A timer later than this was held up by a blocked event loop. */
const LATE_MS = 5;

/**
 * Deadlines that all lie the same time ahead when they begin, so that nearly all end in the order in which they came:
 * one timer serves them all and a call costs no timer of its own. The timer keeps the process alive only while a deadline
 * is pending.
 *
 * When the app has shut down, what is still pending is told so; what would not have kept the process alive is let go of.
 *
 * When the timer comes late, answers may be waiting in their sockets behind whatever held the loop up. So the loop
 * polls twice before anything is judged, and an answer that came meanwhile has won.
 */
export class DeadlineQueue {
  private head: Linked | undefined;
  private tail: Linked | undefined;
  private timer: Timer | undefined;
  private polling = false;
  /** When the timer was to come. */
  private timerDue = 0;

  constructor(
    readonly ms: number,
    private readonly clock: Clock,
    private readonly lifecycle: Lifecycle,
    /** Whether a pending deadline keeps the process alive. */
    private readonly keepsAlive = true,
  ) {}

  /** Whether no deadline is pending. */
  get idle(): boolean {
    return this.head === undefined;
  }

  /** @param since when its time began to run. */
  add(deadline: Linked, since: number): void {
    // What goes on without an audience is of no interest to an app that is gone.
    if (!this.keepsAlive && this.lifecycle.disposed) return;
    const due = since + this.ms;
    const { tail, timer } = this;
    deadline.due = due;
    deadline.queued = true;
    if (tail === undefined) this.head = this.tail = deadline;
    else if (tail.due <= due) {
      deadline.previous = tail;
      this.tail = tail.next = deadline;
    } else this.insertBefore(tail, deadline);
    if (timer === undefined || due < this.timerDue) this.armFor(deadline);
    else if (tail === undefined && this.keepsAlive) timer.ref();
  }

  private armFor(deadline: Linked): void {
    if (this.timer !== undefined) this.clock.clearTimeout(this.timer);
    else if (this.polling) return;
    this.arm(deadline.due - this.clock.now());
  }

  /** What has waited elsewhere before it came is due before some that came earlier. */
  private insertBefore(tail: Linked, deadline: Linked): void {
    let previous: Linked | undefined = tail;
    while (previous !== undefined && previous.due > deadline.due) previous = previous.previous;
    const next = previous === undefined ? this.head : previous.next;
    deadline.previous = previous;
    deadline.next = next;
    if (previous === undefined) this.head = deadline;
    else previous.next = deadline;
    if (next === undefined) this.tail = deadline;
    else next.previous = deadline;
  }

  remove(deadline: Linked): void {
    if (!deadline.queued) return;
    const { previous, next } = deadline;
    if (previous === undefined) this.head = next;
    else previous.next = next;
    if (next === undefined) this.tail = previous;
    else next.previous = previous;
    deadline.previous = deadline.next = undefined;
    deadline.queued = false;
    if (this.head === undefined) {
      if (this.lifecycle.disposed) this.dropTimer();
      else this.timer?.unref();
    }
  }

  private arm(ms: number): void {
    this.timerDue = this.clock.now() + ms;
    this.timer = this.clock.setTimeout(() => this.onTimer(), Math.max(1, Math.ceil(ms)));
    if (!this.keepsAlive) this.timer.unref();
    // The app knows of the queue only as long as there is something to give back.
    if (!this.lifecycle.disposed) this.lifecycle.onDispose(this.end);
  }

  private onTimer(): void {
    this.timer = undefined;
    if (this.head === undefined) return this.lifecycle.offDispose(this.end);
    const now = this.clock.now();
    if (now - Math.min(this.timerDue, this.head.due) > LATE_MS) this.poll(now);
    else this.sweep(now);
  }

  /** Lets the event loop poll; then only what was over by `judged` is judged, since the loop may be blocked again. */
  private poll(judged: number): void {
    this.polling = true;
    this.clock.setImmediate(() =>
      this.clock.setImmediate(() => {
        this.polling = false;
        this.sweep(judged);
      }),
    );
  }

  private sweep(judged: number): void {
    for (let head = this.head; head !== undefined && head.due <= judged; head = this.head) {
      this.remove(head);
      head.expire();
    }
    // Expiring may have added a deadline, and with it a timer.
    if (this.timer !== undefined) return;
    if (this.head === undefined) return this.lifecycle.offDispose(this.end);
    const now = this.clock.now();
    if (now - this.head.due > LATE_MS) this.poll(now);
    else this.arm(this.head.due - now);
  }

  /** Gives its timer back, if nothing waits for it. */
  dropIdleTimer(): void {
    if (this.head !== undefined || this.timer === undefined) return;
    this.dropTimer();
    this.lifecycle.offDispose(this.end);
  }

  private dropTimer(): void {
    if (this.timer !== undefined) this.clock.clearTimeout(this.timer);
    this.timer = undefined;
  }

  private readonly end = (): void => {
    // One that is cut may take others along.
    const pending: Linked[] = [];
    for (let one = this.head; one !== undefined; one = one.next) pending.push(one);
    for (const one of pending) {
      if (this.keepsAlive) one.retire?.();
      else this.remove(one);
    }
    if (this.head === undefined) this.dropTimer();
  };
}
