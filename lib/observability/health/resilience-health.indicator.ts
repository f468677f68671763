import { Inject, Injectable, Optional, type OnModuleDestroy } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { instanceOf } from '../../errors/foreign.js';
import { show } from '../../kernel/options/check.js';
import { ResilienceService } from '../../module/resilience.service.js';
import { noRuntime } from '../../module/no-runtime.js';
import { Runtime } from '../../module/runtime/runtime.js';
import { RUNTIME } from '../../module/tokens.js';
import { healthDetails, isOut, type HealthDetails } from './health-details.js';
import { MODULE_OPTIONS_TOKEN } from './health.module-definition.js';
import { checkHealthOptions, type HealthOptions } from './health.options.js';

/** What a check finds. */
export type ResilienceHealth<K extends string = string> = HealthIndicatorResult<K, 'up' | 'down', HealthDetails>;

/**
 * Tells terminus how the policies of the app are. An open breaker is a detail of an app that works: the check is `down` only
 * while a breaker is open that was named, and while the app shuts down.
 *
 * @example
 * @Get('ready')
 * @HealthCheck()
 * ready() {
 *   return this.health.check([() => this.resilience.check('resilience', { down: ['database'] })]);
 * }
 *
 * @publicApi
 */
@Injectable()
export class ResilienceHealthIndicator implements OnModuleDestroy {
  readonly #runtime: Runtime;
  readonly #resilience: ResilienceService;
  readonly #terminus: HealthIndicatorService;
  readonly #down: readonly string[];
  /** Names that were looked up: state that nobody uses any more is forgotten, and its breaker is then closed. */
  readonly #known = new Set<string>();
  #leaving = false;

  /** @throws ResilienceConfigurationError */
  constructor(
    @Optional() @Inject(RUNTIME) runtime: unknown,
    @Optional() @Inject(ResilienceService) resilience: ResilienceService | undefined,
    @Inject(HealthIndicatorService) terminus: HealthIndicatorService,
    @Optional() @Inject(MODULE_OPTIONS_TOKEN) options: unknown = {},
  ) {
    if (!Runtime.is(runtime) || resilience === undefined)
      throw noRuntime('ResilienceHealthModule', 'whose breakers could be asked');
    checkHealthOptions('ResilienceHealthModule.forRoot', options);
    this.#runtime = runtime;
    this.#resilience = resilience;
    this.#terminus = terminus;
    this.#down = options.down ?? [];
  }

  /** The first that an app does when it closes: what waits before it goes on, to be taken out of service, comes later. */
  onModuleDestroy(): void {
    this.#leaving = true;
  }

  /**
   * Up with the details of everything that is not as usual; down while a breaker named in `down` is open or forced open, and
   * while the app shuts down. Half-open is up: a process that gets no calls could never close its breaker. A breaker with
   * keys counts as open when all of its keys are. The details hold names and figures, and never the text of an error.
   *
   * @param key under which terminus shows it.
   * @param options `down` goes before that of the module.
   * @throws (as a rejection) ResilienceConfigurationError for a name in `down` that no breaker has.
   */
  async check<const K extends string>(key: K, options: HealthOptions = {}): Promise<ResilienceHealth<K>> {
    const place = `ResilienceHealthIndicator.check('${key}')`;
    checkHealthOptions(place, options);
    const named = options.down ?? this.#down;
    for (const name of named) this.#lookUp(place, name);
    const { readModel, lifecycle } = this.#runtime;
    const states = readModel.states();
    const down = named.filter((name) => isOut(states.get(name)?.breaker));
    const draining = this.#leaving || lifecycle.draining;
    const details = healthDetails({ states, clusters: readModel.clusters(), down, draining });
    const session = this.#terminus.check(key);
    return down.length > 0 || draining ? session.down(details) : session.up(details);
  }

  /** The same as {@link check}, as terminus called it in its first years. */
  isHealthy<const K extends string>(key: K, options: HealthOptions = {}): Promise<ResilienceHealth<K>> {
    return this.check(key, options);
  }

  #lookUp(place: string, name: string): void {
    if (this.#known.has(name)) return;
    try {
      this.#resilience.circuitBreaker(name);
    } catch (error) {
      if (!instanceOf(error, ResilienceConfigurationError)) throw error;
      const known = this.#runtime.instances.breakerNames().join(', ') || 'there are none';
      throw new ResilienceConfigurationError(
        place,
        `option 'down': no circuit breaker ${show(name)}; expected one of: ${known}`,
      );
    }
    this.#known.add(name);
  }
}
