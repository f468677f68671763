import type { Call, Next } from '../../kernel/call.js';
import { keyOf } from '../../kernel/key-of.js';
import type { Policy, PolicyEnvironment } from '../../kernel/policy.js';
import { rejected } from '../../kernel/rejection.js';
import type { ResolvedCoalesce } from './coalesce.options.js';
import { Flight } from './flight.js';

type Flights = Map<string, Flight>;

/**
 * Lets equal calls that come while one of them runs share its execution. Nothing is kept: a call that comes after the
 * end runs anew, so that no answer and no failure outlives its moment.
 *
 * @see https://pkg.go.dev/golang.org/x/sync/singleflight where the name comes from
 */
export class CoalescePolicy implements Policy {
  readonly #ofAll: Flights = new Map();
  readonly #ofInstances = new WeakMap<object, Flights>();
  readonly #keyPlace: string;

  constructor(
    name: string,
    private readonly options: ResolvedCoalesce,
    private readonly environment: PolicyEnvironment,
  ) {
    this.#keyPlace = `${name}, key`;
  }

  execute(call: Call, next: Next): Promise<unknown> {
    if (call.aborted) return rejected(call.reason);
    const key = keyOf(this.environment, this.#keyPlace, this.options.key, call.args);
    if (key === undefined) return next(call);
    const flights = this.#flightsOf(call.instance);
    const running = flights.get(key);
    if (running === undefined) {
      const flight = new Flight(call, this.environment.lifecycle, (ended) => {
        if (flights.get(key) === ended) flights.delete(key);
      });
      flights.set(key, flight);
      return flight.start(call, next);
    }
    return running.contains(call) ? next(call) : running.join(call);
  }

  #flightsOf(instance: unknown): Flights {
    if (this.options.scope === 'class' || typeof instance !== 'object' || instance === null) return this.#ofAll;
    const known = this.#ofInstances.get(instance);
    if (known !== undefined) return known;
    const flights: Flights = new Map();
    this.#ofInstances.set(instance, flights);
    return flights;
  }
}
