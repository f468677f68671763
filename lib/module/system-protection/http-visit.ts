import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../kernel/clock.js';
import { Deadline, type DeadlineQueue } from '../../kernel/deadline-queue.js';
import type { Ingress } from '../../policies/system-protection/ingress.js';
import { awaitsBody, awaitsDrain, isEventStream, isStalled } from './client-line.js';

/** How long an answer is sent for at most, ms, before it tells more of the client's line than of our work. */
const LONG_ANSWER_MS = 1_000;

/** Methods as they are taken from an object, to be called on it by others in their place. */
type Methods<K extends string> = Readonly<Record<K, (...args: unknown[]) => unknown>>;

/** Where a visit is at home: its connection, or all streams of HTTP/2. */
export interface VisitHome {
  readonly visits: Set<HttpVisit>;
  /** Whether Node is about to destroy what belongs to a connection that has just closed. */
  isClosing: boolean;
}

/** What the visits of a server share. */
export interface VisitSurroundings {
  readonly ingress: Ingress;
  readonly clock: Clock;
  /** After each of these times a visit is looked at. */
  readonly looks: DeadlineQueue;
  /** How long a handler may work on for a client that has gone. */
  readonly desertions: DeadlineQueue;
  /** The same, where the answer has begun: most such handlers stop, and none of them need say so. */
  readonly breakOffs: DeadlineQueue;
  /** Answers in the app's place; the connection ends with the answer. */
  refuse(request: IncomingMessage, response: ServerResponse): void;
}

/**
 * A request that was let in. It has a place as long as we work on it:
 *
 * - The client's line is not our work. While the app waits for the rest of a body, or for the client to take what was
 *   written, the place is given back. When the body is there a place is asked for anew; a handler that is under way
 *   already takes it up again unasked.
 * - The place is given back when the app ends its answer, whether anybody hears it or not.
 * - A client that goes leaves a handler behind that works on. So the place stays taken until the handler answers, or for
 *   a last limit; but no longer where no handler has begun, where it waits to write more, or what was sent came from another
 *   stream.
 * - A stream of events goes on for as long as its client likes and is idle nearly all the time, so the visit is over when
 *   its headers go out.
 */
export class HttpVisit extends Deadline {
  #state: 'inside' | 'paused' | 'over' = 'inside';
  #gone = false;
  #pausedAt = 0;
  /** The queue that it waits in. */
  #queue: DeadlineQueue;
  /** Whether another stream is written to the response: it stops when the client goes, and does not end the response. */
  #piped = false;
  #holdsEnd = false;
  #hearsDrain = false;
  #headersAt: number | undefined;

  /**
   * @param enteredAt when a place was taken.
   */
  constructor(
    private readonly surroundings: VisitSurroundings,
    private readonly home: VisitHome,
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly priority: number,
    private enteredAt: number,
  ) {
    super();
    home.visits.add(this);
    this.#queue = surroundings.looks;
    this.#queue.add(this, enteredAt);
    this.#watch();
  }

  /** The app has heard of the request. */
  begun(): void {
    if (this.#state === 'inside' && awaitsBody(this.request)) this.#pause();
  }

  /** The client has gone. */
  leave(): void {
    if (this.#state === 'over') return;
    const wasGone = this.#gone;
    this.#gone = true;
    if (this.#state === 'paused' || awaitsBody(this.request) || awaitsDrain(this.response) || this.#piped)
      return this.drop();
    if (wasGone) return;
    const { breakOffs, desertions, clock } = this.surroundings;
    this.#queue.remove(this);
    this.#queue = this.#headersAt === undefined ? desertions : breakOffs;
    this.#queue.add(this, clock.now());
  }

  /** It is over, and the time that it took tells nothing. */
  drop(): void {
    const wasInside = this.#state === 'inside';
    if (this.#end() && wasInside) this.surroundings.ingress.leaveUnmeasured();
  }

  /** @internal A look is due; or the handler has not answered, and may never do so, since it knows that nobody listens. */
  expire(): void {
    if (this.#state === 'over') return;
    if (this.#gone) return this.drop();
    const idle = awaitsBody(this.request) || isStalled(this.response);
    if (idle && this.#state === 'inside') this.#pause();
    else if (!idle && this.#state === 'paused') this.#resume();
    this.#queue.add(this, this.surroundings.clock.now());
  }

  #watch(): void {
    const { response } = this;
    const { writeHead, end, destroy } = response as unknown as Methods<'writeHead' | 'end' | 'destroy'>;
    response.once('pipe', () => (this.#piped = true));
    // Node calls it too for headers that nobody wrote by name.
    response.writeHead = (...head: unknown[]): ServerResponse => {
      const written = Reflect.apply(writeHead, response, head);
      this.#answers(head);
      return written as ServerResponse;
    };
    response.end = (...body: unknown[]): ServerResponse => {
      const ended = Reflect.apply(end, response, body);
      this.#answered();
      return ended as ServerResponse;
    };
    response.destroy = (...error: unknown[]): ServerResponse => {
      // Node 26 destroys the responses that wait behind another on a closed connection: their handlers know nothing of it.
      if (!this.home.isClosing) this.drop();
      return Reflect.apply(destroy, response, error) as ServerResponse;
    };
  }

  #answers(head: readonly unknown[]): void {
    if (this.#state === 'over') return;
    this.#headersAt ??= this.surroundings.clock.now();
    if (isEventStream(this.response, head)) this.drop();
  }

  #answered(): void {
    const wasInside = this.#state === 'inside';
    if (!this.#end() || !wasInside) return;
    const { ingress, clock } = this.surroundings;
    const sentForMs = this.#headersAt === undefined ? 0 : clock.now() - this.#headersAt;
    if (sentForMs > LONG_ANSWER_MS) ingress.leaveUnmeasured();
    else ingress.leave(this.enteredAt, !this.#gone && this.response.statusCode < 500);
  }

  #pause(): void {
    this.#state = 'paused';
    this.#pausedAt = this.surroundings.clock.now();
    this.surroundings.ingress.leaveUnmeasured();
    if (isStalled(this.response)) this.#hearDrain();
    else this.#holdEnd();
  }

  #hearDrain(): void {
    if (this.#hearsDrain) return;
    this.#hearsDrain = true;
    this.response.on('drain', () => {
      if (this.#state === 'paused') this.#resume();
    });
  }

  /** The end of a body starts a handler, so there must be room for it. */
  #holdEnd(): void {
    if (this.#holdsEnd) return;
    this.#holdsEnd = true;
    const { request } = this;
    const { push } = request as unknown as Methods<'push'>;
    request.push = (...chunk: unknown[]): boolean => {
      if (chunk[0] === null && this.#state === 'paused' && !this.#returns()) return false;
      return Reflect.apply(push, request, chunk) as boolean;
    };
  }

  /** The body is there; false: there is no room, and the app is not to know of the body's end. */
  #returns(): boolean {
    const { ingress, clock } = this.surroundings;
    if (this.response.headersSent || isStalled(this.response)) {
      this.#resume();
      return true;
    }
    if (ingress.reenter(clock.now(), this.priority) === undefined) {
      this.#goOn();
      return true;
    }
    this.#end();
    this.surroundings.refuse(this.request, this.response);
    return false;
  }

  #resume(): void {
    this.surroundings.ingress.resume(this.surroundings.clock.now());
    this.#goOn();
  }

  #goOn(): void {
    this.#state = 'inside';
    const pausedMs = this.surroundings.clock.now() - this.#pausedAt;
    this.enteredAt += pausedMs;
    if (this.#headersAt !== undefined) this.#headersAt += pausedMs;
  }

  /** @returns whether it was still under way. */
  #end(): boolean {
    if (this.#state === 'over') return false;
    this.#state = 'over';
    this.home.visits.delete(this);
    this.#queue.remove(this);
    return true;
  }
}
