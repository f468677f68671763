import type { Attempt } from '../../kernel/attempt.js';
import { callOf } from '../../kernel/call.js';
import { keyOf } from '../../kernel/key-of.js';
import type { Inner, Junction } from '../../kernel/junction.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { ResolvedCoalesce } from './coalesce.options.js';
import { Flight } from './flight.js';

type Flights = Map<string, Flight>;

/**
 * Lets equal calls that come while one of them runs share its execution. Nothing is kept: a call that comes after the
 * end runs anew, so that no answer and no failure outlives its moment.
 *
 * @see https://pkg.go.dev/golang.org/x/sync/singleflight where the name comes from
 */
export class Coalescing implements Junction {
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

  /** Lets `attempt` take part in a run of `inner`, its own or one that goes on already. */
  run(attempt: Attempt, inner: Inner): Promise<unknown> {
    const key = keyOf(this.environment, this.#keyPlace, this.options.key, attempt.args);
    if (key === undefined) return alone(attempt, inner);
    const flights = this.#flightsOf(attempt.instance);
    const running = flights.get(key);
    if (running === undefined) {
      const flight = new Flight(attempt, inner, this.environment.lifecycle, (ended) => {
        if (flights.get(key) === ended) flights.delete(key);
      });
      flights.set(key, flight);
      try {
        return flight.start(attempt);
      } catch (fault) {
        flights.delete(key);
        throw fault;
      }
    }
    return running.contains(attempt) ? alone(attempt, inner) : running.join(attempt);
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

/** A run that nobody shares: it is a part of its own attempt. */
function alone(attempt: Attempt, inner: Inner): Promise<unknown> {
  const run = callOf(inner.part(attempt, attempt.number));
  attempt.rarely().inside = run;
  attempt.onAbort((reason) => run.abort(reason));
  return inner.start(run.current);
}
