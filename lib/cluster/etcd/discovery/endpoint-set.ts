import { CircuitOpenException } from '../../../errors/circuit-open.exception.js';
import { instanceOf, promiseOf } from '../../../errors/foreign.js';
import { Attempt } from '../../../kernel/attempt.js';
import type { CallInfo } from '../../../kernel/call-info.js';
import { followSignal, hasAborted, reasonOf } from '../../../kernel/caller-signal.js';
import { Pipeline } from '../../../kernel/pipeline.js';
import type { PolicyEnvironment } from '../../../kernel/policy.js';
import { outerCall } from '../../../pipeline/current-call.js';
import type { Breaker } from '../../../policies/circuit-breaker/breaker.js';
import { CircuitBreakerGuard } from '../../../policies/circuit-breaker/circuit-breaker.guard.js';
import { NamedBreakers } from '../../../policies/circuit-breaker/named-breakers.js';
import { DnsEndpoints } from './dns-endpoints.js';
import { breakersOf, sharedEnvironment, type EndpointOptions } from './endpoint-options.js';
import { FixedEndpoints, type EndpointSource } from './endpoint-source.js';
import { NoEndpointError } from './no-endpoint.error.js';

/** What work at an endpoint learns of the call. */
export type EndpointCall = Pick<CallInfo, 'attempt' | 'signal'>;

/**
 * The endpoints of a service, called in turn, each behind a breaker of its own. Those whose breaker is open are passed over,
 * and the attempts of one guarded call, its retries and hedges, go to different ones as long as there are others.
 *
 * @example
 * const rates = EndpointSet.of(['http://10.0.0.1:80', 'http://10.0.0.2:80']);
 * await resilience.execute('rates', (call) => rates.run((endpoint, { signal }) => fetch(endpoint, { signal }), call));
 *
 * @publicApi
 */
export class EndpointSet {
  readonly #source: EndpointSource;
  readonly #environment: PolicyEnvironment;
  readonly #breakers: NamedBreakers;
  readonly #pipeline: Pipeline;
  /** What the attempts of a call have tried, by what the call was made with, which all of them share. */
  readonly #tried = new WeakMap<readonly unknown[], Set<string>>();
  #turn = 0;

  /** @internal */
  constructor(
    readonly name: string,
    source: EndpointSource,
    options: EndpointOptions = {},
    environment: PolicyEnvironment = sharedEnvironment(),
  ) {
    const { clock, lifecycle } = environment;
    this.#source = source;
    this.#environment = environment;
    this.#breakers = new NamedBreakers(name, breakersOf(`endpoints of ${name}`, options), environment);
    this.#pipeline = new Pipeline({
      target: { className: '', methodName: name, callName: name, retries: false, clock, lifecycle, callContext: false },
      guards: [new CircuitBreakerGuard(this.#breakers)],
      work: (attempt) => run(() => attempt.origin?.body?.(attempt)),
    });
  }

  /** Those of a list. @throws ResilienceConfigurationError for a wrong option. */
  static of(endpoints: readonly string[], options: EndpointOptions = {}): EndpointSet {
    return new EndpointSet(endpoints.join(', '), new FixedEndpoints(endpoints), options);
  }

  /** All addresses that DNS has for a host, as `address:port`, looked up again every 5 s of use. */
  static dns(host: string, port: number, options: EndpointOptions = {}): EndpointSet {
    return new EndpointSet(`${host}:${port}`, new DnsEndpoints(host, port, sharedEnvironment().clock), options);
  }

  /** Those that are known now. */
  get endpoints(): readonly string[] {
    return this.#source.addresses();
  }

  /** Resolves when endpoints are known, or will not be soon. */
  ready(): Promise<void> {
    return this.#source.ready();
  }

  /** Whose turn it is: the next one whose breaker is not open, or the next one. @throws NoEndpointError */
  next(): string {
    const [first] = this.#inTurn();
    if (first === undefined) throw new NoEndpointError(this.name);
    return first;
  }

  /** The breaker of an endpoint; undefined where it was never called. */
  breaker(endpoint: string): Breaker | undefined {
    return this.#breakers.breaker(endpoint);
  }

  /**
   * Calls an endpoint.
   *
   * @param call the guarded call that this is an attempt of, as `execute()` and handlers have it; then another attempt of it
   * goes to another endpoint, and what cuts it cuts the work. With `callContext: true` it is known.
   * @throws NoEndpointError; CircuitOpenException when every endpoint's breaker is open; and what the work throws.
   */
  async run<T>(
    work: (endpoint: string, call: EndpointCall) => T | PromiseLike<T>,
    call: Pick<CallInfo, 'attempt' | 'signal' | 'args'> | undefined = outerCall(),
  ): Promise<T> {
    if (this.endpoints.length === 0) await this.ready();
    const tried = this.#triedBy(call);
    let refusal: unknown = new NoEndpointError(this.name);
    for (const endpoint of this.#inTurn(tried)) {
      const first = !tried.has(endpoint);
      // Attempts beside this one are to see it at once.
      tried.add(endpoint);
      const outcome = await this.#call(endpoint, work, call);
      if ('value' in outcome) return outcome.value as T;
      if (first) tried.delete(endpoint);
      refusal = outcome.refusal;
    }
    throw refusal;
  }

  /** @internal */
  close(): void {
    this.#source.close();
    this.#breakers.retire();
  }

  /** All endpoints, those first that are wanted most; most calls need no more than one of them. */
  *#inTurn(tried: ReadonlySet<string> = NONE): Generator<string, void, undefined> {
    const known = this.endpoints;
    const at = known.length === 0 ? 0 : this.#turn++ % known.length;
    const later: { endpoint: string; rank: number }[] = [];
    for (const endpoint of [...known.slice(at), ...known.slice(0, at)]) {
      const { machine } = this.#breakers.select({ args: [endpoint] });
      const isOpen = machine.stateAt(this.#environment.clock.now()) === 'open';
      const rank = Number(isOpen) * 2 + Number(tried.has(endpoint));
      if (rank === 0) yield endpoint;
      else later.push({ endpoint, rank });
    }
    for (const { endpoint } of later.sort((one, other) => one.rank - other.rank)) yield endpoint;
  }

  #triedBy(call: Pick<CallInfo, 'attempt' | 'args'> | undefined): Set<string> {
    const key = call?.args;
    const known = key === undefined || call?.attempt === 1 ? undefined : this.#tried.get(key);
    const tried = known ?? new Set<string>();
    if (key !== undefined) this.#tried.set(key, tried);
    return tried;
  }

  async #call(
    endpoint: string,
    work: (endpoint: string, call: EndpointCall) => unknown,
    call: EndpointCall | undefined,
  ): Promise<{ readonly value: unknown } | { readonly refusal: unknown }> {
    const { attempt: number = 1 } = call ?? {};
    const signal = call?.signal;
    if (hasAborted(call?.signal)) throw reasonOf(call.signal);
    // A signal costs more than all the rest; most work looks at none.
    const body = (own: CallInfo): unknown =>
      work(endpoint, {
        attempt: number,
        get signal() {
          return own.signal;
        },
      });
    const attempt = new Attempt(this.#pipeline, undefined, [endpoint], { body });
    const letGo = signal && followSignal(signal, (reason) => attempt.abort(reason));
    try {
      return { value: await this.#pipeline.start(attempt) };
    } catch (error) {
      // Its breaker has let nothing begin.
      if (attempt.startedAt === undefined && instanceOf(error, CircuitOpenException)) return { refusal: error };
      throw error;
    } finally {
      letGo?.();
    }
  }
}

const NONE: ReadonlySet<string> = new Set();

function run(work: () => unknown): Promise<unknown> {
  try {
    return promiseOf(work());
  } catch (error) {
    return Promise.reject(error);
  }
}
