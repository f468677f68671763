import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import type { CircuitState } from '../events/resilience-event.js';
import { aBoolean, checkOptions, show } from '../kernel/options/check.js';
import type { CircuitBreakerHandle } from '../module/breaker-handle.js';
import type { PlanEntry } from '../planning/plan-entries.js';
import { Fault, type Meets } from './fault.js';
import { checkFault, type FaultOptions, type FaultTarget } from './fault.options.js';
import { findClass, findMethod } from './find-method.js';
import { forceState } from './force-state.js';
import { refuseProduction } from './in-production.js';
import { checkName } from './known-names.js';
import { meetsMethods } from './method-of-class.js';
import { outcomeOf, type Scripted } from './outcome.js';
import { planOfMethod } from './plan-of-method.js';
import { Script } from './script.js';
import { TestedApp, type AppUnderTest } from './tested-app.js';

/**
 * How {@link ResilienceTesting} may be used.
 *
 * @publicApi
 */
export interface ResilienceTestingOptions {
  /**
   * Lets it work where NODE_ENV is `production`, if `BULWARK_TESTING_IN_PRODUCTION=1` stands in the environment too.
   *
   * @default false
   */
  readonly inProduction?: boolean | undefined;
}

/** The names of the methods of T. */
type MethodOf<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never }[keyof T] & string;
type ClassOf<T> = abstract new (...args: never[]) => T;

/**
 * The policies of an app in the hands of a test: forced states, scripted outcomes, faults. Everything is undone by
 * {@link reset}, and by the end of the app; other apps of the process notice nothing.
 *
 * @example
 * const testing = ResilienceTesting.for(module);
 * testing.script(PaymentsService, 'charge', [new Error('down'), { id: 'r-1' }]);
 *
 * await module.get(PaymentsService).charge(order); // fails once, is tried again, gives r-1
 *
 * afterEach(() => testing.reset());
 *
 * @publicApi
 */
export class ResilienceTesting {
  readonly #app: TestedApp;
  readonly #inProduction: boolean;

  private constructor(app: TestedApp, inProduction: boolean) {
    this.#app = app;
    this.#inProduction = inProduction;
  }

  /**
   * For an app or a compiled testing module with the ResilienceModule. Before `init()` the classes of the app are not known,
   * so that names are checked by what decorators say alone.
   *
   * @throws ResilienceConfigurationError in production, unless told twice; and for what is no app with the module.
   */
  static for(moduleOrApp: AppUnderTest, options: ResilienceTestingOptions = {}): ResilienceTesting {
    const place = 'ResilienceTesting.for';
    checkOptions<ResilienceTestingOptions>(place, options, { inProduction: aBoolean });
    const inProduction = options.inProduction === true;
    refuseProduction(place, inProduction);
    return new ResilienceTesting(TestedApp.of(place, moduleOrApp), inProduction);
  }

  /**
   * Puts a circuit breaker into a state, with nothing counted: `'open'` as if it had tripped, so that it is half-open when
   * its reset time is over; `'forcedOpen'` until it is told otherwise.
   *
   * @param name its name, or `Class.method`.
   * @param key one of its keys.
   * @throws ResilienceConfigurationError for an unknown breaker or state, or where a rule holds it in another one.
   */
  force(name: string, state: CircuitState, key?: string): CircuitBreakerHandle {
    const place = this.#begin('force');
    return forceState(place, this.#app.service, name, state, key);
  }

  /**
   * Undoes all that was done here, ends what hangs, and lets all state begin anew: breakers are closed, limits and bulkheads
   * empty, budgets full. What other processes share, such as a rate limit in Redis, is not touched.
   */
  reset(): void {
    this.#app.reset();
  }

  /**
   * Says what the next attempts of a method come to, in this order; then the method itself is called again. Its policies
   * apply: a retry takes the next outcome. A script takes the place of an older one of the same method.
   *
   * @param outcomes a value is given, an Error is thrown, a function is asked; `hang()`, `after(ms, outcome)`, `real()`,
   * `returns(value)` and `throws(error)` say the rest.
   * @throws ResilienceConfigurationError for an unknown class or method, or one that nothing guards.
   */
  script<T, K extends MethodOf<T>>(type: ClassOf<T>, method: K, outcomes: readonly Scripted<T[K]>[]): Script {
    const place = this.#begin('script');
    const { app } = this.#app.runtime;
    const found = findMethod(place, app, type, method);
    if (!Array.isArray(outcomes))
      throw new ResilienceConfigurationError(place, `expected a list of outcomes, got ${show(outcomes)}`);
    const script = new Script(found, outcomes.map(outcomeOf), meetsMethods(app, found.type, found.name));
    this.#app.interventions.addScript(script);
    return script;
  }

  /**
   * The policies of a method, the outermost first, with the options in force and where each comes from.
   *
   * @throws ResilienceConfigurationError for an unknown class or method, or one that nothing guards.
   */
  plan<T>(type: ClassOf<T>, method: MethodOf<T>): PlanEntry {
    const place = this.#begin('plan');
    const { app } = this.#app.runtime;
    return planOfMethod(app, findMethod(place, app, type, method));
  }

  /** Turns all policies off, Fallback and Recover too, until {@link reset}: calls reach the methods alone. */
  off(): void {
    this.#begin('off');
    this.#app.turnPoliciesOff();
  }

  /**
   * Lets attempts take time, fail or hang, until {@link reset} or `stop()`. Faults come before scripts.
   *
   * @throws ResilienceConfigurationError in production, unless told twice; and for wrong options.
   *
   * @example
   * testing.inject({ target: 'payments', latency: [50, 500], error: new Error('down'), rate: 0.1, seed: 7 });
   */
  inject(options: FaultOptions): Fault {
    const place = this.#begin('inject');
    checkFault(place, options);
    const { interventions } = this.#app;
    const fault = new Fault(options, this.#meets(place, options.target), (one) => interventions.removeFault(one));
    interventions.addFault(fault);
    return fault;
  }

  #meets(place: string, target: FaultTarget): Meets {
    const { app } = this.#app.runtime;
    if (typeof target === 'string') {
      checkName(place, app, target);
      return ({ instanceName }, names) => instanceName === target || names.includes(target);
    }
    if (!Array.isArray(target)) return meetsMethods(app, findClass(place, app, target));
    const { type, name } = findMethod(place, app, ...(target as [unknown, unknown]));
    return meetsMethods(app, type, name);
  }

  #begin(method: string): string {
    const place = `ResilienceTesting.${method}`;
    refuseProduction(place, this.#inProduction);
    this.#app.refuseClosed(place);
    return place;
  }
}
