import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { finalize, Observable, tap } from 'rxjs';
import { ClientGoneError, Incoming, type IncomingCall } from '../../pipeline/incoming-call.js';
import { httpServerOf } from '../http-server.js';
import { EXTRAS_TOKEN, type ResilienceModuleExtras } from '../resilience.module-definition.js';
import type { Runtime } from '../runtime/runtime.js';
import { RUNTIME } from '../tokens.js';
import { Arrivals } from './arrivals.js';
import { resolveIncoming, type ResolvedIncoming } from './incoming.options.js';
import { sourceOf, type RequestSource } from './request-source.js';

/**
 * Stands before every handler of an app that accepts time limits of callers, or cuts what is done for clients that have gone:
 * all guarded calls of the handler inherit both. It is there only where the options ask for that.
 *
 * @internal
 */
@Injectable()
export class IncomingInterceptor implements NestInterceptor, OnModuleInit {
  readonly #incoming: Incoming;
  readonly #options: ResolvedIncoming;
  readonly #runtime: Runtime;
  readonly #host: HttpAdapterHost;
  readonly #arrivals: Arrivals;
  /** Several handlers, such as resolvers, may be called for one request. */
  readonly #known = new WeakMap<object, IncomingCall>();

  constructor(
    @Inject(RUNTIME) runtime: unknown,
    @Inject(EXTRAS_TOKEN) extras: ResilienceModuleExtras,
    @Inject(HttpAdapterHost) host: HttpAdapterHost,
  ) {
    const { environment } = (this.#runtime = runtime as Runtime);
    this.#host = host;
    this.#incoming = new Incoming(environment.clock, environment.lifecycle);
    this.#arrivals = new Arrivals(environment.clock);
    this.#options = resolveIncoming('ResilienceModule.forRoot', extras);
  }

  onModuleInit(): void {
    const server = this.#options.accept ? httpServerOf(this.#host) : undefined;
    if (server !== undefined) this.#runtime.lifecycle.onDispose(this.#arrivals.watch(server));
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const source = sourceOf(context);
    if (source === undefined) return next.handle();
    const { key } = source;
    const known = key === undefined ? undefined : this.#known.get(key);
    const call = known ?? this.#begin(context, source);
    if (key !== undefined) this.#known.set(key, call);
    const answer = new Observable<unknown>((subscriber) => {
      const cut = (reason: unknown): void => subscriber.error(reason);
      call.onAbort(cut);
      subscriber.add(() => call.offAbort(cut));
      // Its time was over before it came here: nobody waits for what the handler would do.
      if (subscriber.closed) return;
      subscriber.add(call.run(() => next.handle().subscribe(subscriber)));
    });
    return key === undefined ? this.#ending(call, source, answer) : answer;
  }

  /**
   * What has no response of its own that tells its end is over with its answer. Nest lets go of an answer for whose client
   * there is no connection any more, maybe before the connection tells us.
   */
  #ending(call: IncomingCall, source: RequestSource, answer: Observable<unknown>): Observable<unknown> {
    let isOver = false;
    const end = (): void => {
      isOver = true;
      call.end();
    };
    return answer.pipe(
      tap({ error: end, complete: end }),
      finalize(() => {
        if (!isOver) this.#gone(call, source);
      }),
    );
  }

  /** What goes on for nobody, because it is not to be cut, keeps its limit. */
  #gone(call: IncomingCall, { isSafe }: RequestSource): void {
    const { abortOnDisconnect } = this.#options;
    if (abortOnDisconnect !== true && !(abortOnDisconnect === 'safe' && isSafe)) return call.desert();
    call.abort(new ClientGoneError());
    call.end();
  }

  #begin(context: ExecutionContext, source: RequestSource): IncomingCall {
    const { accept, maxMs } = this.#options;
    const call = this.#incoming.begin(context, this.#runtime.environment.onStale);
    const { timeLeft = Infinity, due = Infinity } = source;
    const ms = Math.min(timeLeft, due - this.#incoming.clock.wallNow());
    if (accept && ms !== Infinity) call.limit(Math.min(ms, maxMs), this.#arrivals.of(source.key));
    if (accept && source.isRetried) call.leaveRetriesToCaller();
    const leave = source.watch(
      () => call.end(),
      () => this.#gone(call, source),
    );
    call.whenOver(leave);
    return call;
  }
}
