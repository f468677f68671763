import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { show } from '../kernel/options/check.js';
import { PACKAGE_PATH } from '../module/runtime/package-copy.js';
import { Runtime } from '../module/runtime/runtime.js';
import { ResilienceService } from '../module/resilience.service.js';
import { PACKAGE_COPY, RUNTIME } from '../module/tokens.js';
import { Interventions } from './interventions.js';

/**
 * A Nest app, an application context or a compiled testing module.
 *
 * @publicApi
 */
export interface AppUnderTest {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as Nest declares it
  get(token: any, options?: { strict: boolean }): any;
}

/** What tests do to one app, however often they ask for it. */
const known = new WeakMap<Runtime, Interventions>();

/** An app whose methods are ready to be stood in for. */
export class TestedApp {
  readonly interventions: Interventions;

  private constructor(
    readonly runtime: Runtime,
    readonly service: ResilienceService,
  ) {
    const { environment, app } = runtime;
    let interventions = known.get(runtime);
    if (interventions === undefined) {
      known.set(runtime, (interventions = new Interventions(environment.clock)));
      environment.standIn = interventions.standIn;
      // Plans that were made before know nothing of it.
      app.forget();
    }
    this.interventions = interventions;
  }

  /** @throws ResilienceConfigurationError for what is no app with the module. */
  static of(place: string, given: AppUnderTest): TestedApp {
    if (typeof (given as AppUnderTest | undefined)?.get !== 'function')
      throw new ResilienceConfigurationError(
        place,
        `expected a Nest app or a compiled testing module, got ${show(given)}`,
      );
    const runtime = found(given, RUNTIME);
    const service = found(given, ResilienceService);
    if (Runtime.is(runtime)) return new TestedApp(runtime, service as ResilienceService);
    const copy = (runtime as { [PACKAGE_COPY]?: unknown } | undefined)?.[PACKAGE_COPY];
    throw new ResilienceConfigurationError(
      place,
      typeof copy === 'string'
        ? `the app uses another copy of nestjs-bulwark: ${copy}, and not ${PACKAGE_PATH}; expected one copy in a process`
        : 'the app has no ResilienceModule; expected ResilienceModule.forRoot() or forRootAsync() among its imports',
    );
  }

  /** @throws ResilienceConfigurationError where the app has been closed. */
  refuseClosed(place: string): void {
    if (this.runtime.lifecycle.disposed)
      throw new ResilienceConfigurationError(place, 'the app has been closed; expected one that runs');
  }

  /** Takes everything out, turns policies on, and lets all state begin anew. */
  reset(): void {
    this.interventions.clear();
    this.runtime.environment.bypassed = false;
    this.runtime.app.reset();
  }

  turnPoliciesOff(): void {
    this.runtime.environment.bypassed = true;
    this.runtime.app.forget();
  }
}

/** undefined: the app does not have it. */
function found(app: AppUnderTest, token: unknown): unknown {
  try {
    return app.get(token, { strict: false }) as unknown;
  } catch {
    return undefined;
  }
}
