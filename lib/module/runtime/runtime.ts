import { Mistakes } from '../../errors/configuration.error.js';
import type { EventBus } from '../../events/event-bus.js';
import { Lifecycle } from '../../kernel/policy.js';
import { enableCallContext } from '../../pipeline/current-call.js';
import { AppPlans } from '../../planning/app-plans.js';
import type { Instances } from '../../planning/instances.js';
import type { PolicySet } from '../../policies/policy-set.js';
import type { Ingress } from '../../policies/system-protection/ingress.js';
import { ReadModel } from '../../read-model/read-model.js';
import { CarefulLogger } from '../event-log/careful-logger.js';
import { EventLog, type EventLogSetting } from '../event-log/event-log.js';
import { ofRecovered } from '../event-log/recovered.js';
import { Repeats } from '../event-log/repeats.js';
import { handlerFactsOf } from '../start-up/handler-facts-of.js';
import { PACKAGE_COPY } from '../tokens.js';
import { isPlainObject } from '../../kernel/options/check.js';
import { StartRamp, type StartRampOptions } from '../../kernel/start-ramp.js';
import { PACKAGE_PATH } from './package-copy.js';
import { Reports } from './reports.js';
import { RuntimeEnvironment } from './runtime-environment.js';
import { systemSurroundings, type Surroundings } from './surroundings.js';

/** What the module's options mean for the runtime. */
export interface RuntimeOptions {
  readonly policies?: Readonly<Record<string, PolicySet>> | undefined;
  readonly enabled?: boolean | undefined;
  readonly callContext?: boolean | undefined;
  readonly log?: EventLogSetting | undefined;
  readonly startUp?: StartRampOptions | undefined;
}

/**
 * Everything that the guarded methods of one app share: plans, events, the log. It is the provider that guarded instances
 * are given, so it depends on nothing but time and chance; options are attached to it from outside.
 */
export class Runtime {
  readonly #brand = true;
  readonly [PACKAGE_COPY] = PACKAGE_PATH;
  readonly #logger = new CarefulLogger();
  /** What is said again and again. */
  readonly #repeats: Repeats;
  readonly #eventLog: EventLog;
  #unlog: (() => void) | undefined;

  readonly environment: RuntimeEnvironment;
  readonly lifecycle = new Lifecycle();
  /** The plans of the app, and what they are made from. */
  readonly app: AppPlans;
  /** What there is to see of the policies. */
  readonly readModel: ReadModel;
  /** What is wrong with the options; it is told when the app starts, or by the first call before that. */
  readonly mistakes = new Mistakes();
  /** What decides on incoming requests, if the options want that. */
  ingress: Ingress | undefined;
  /** Whether what changes is logged. */
  logs = false;

  /** @param standalone for a class used without the module: what the module would have given is left out. */
  constructor(
    readonly standalone = false,
    surroundings: Surroundings = systemSurroundings(),
  ) {
    const { clock } = surroundings;
    this.#repeats = new Repeats(clock, this.#logger);
    this.#eventLog = new EventLog(this.#repeats, this.#logger, clock);
    const reports = new Reports(this.#logger, () => clock.now());
    this.environment = new RuntimeEnvironment(surroundings, this.lifecycle, {
      reportCallback: (place, error) => reports.callback(place, error),
      logRecovered: (place, error) => this.#repeats.say(ofRecovered(place, error)),
    });
    this.app = new AppPlans(this.environment, {
      isHttpHandler: (wrapper) => Reflect.hasMetadata('path', wrapper) && Reflect.hasMetadata('method', wrapper),
      handlerOf: handlerFactsOf,
      // Cron jobs, intervals and timeouts of @nestjs/schedule.
      isScheduled: (wrapper) => Reflect.hasMetadata('SCHEDULER_TYPE', wrapper),
      warn: (text) => this.#logger.write('warn', text),
      manyNames: (most) => reports.manyNames(most),
    });
    this.readModel = new ReadModel({
      app: this.app,
      events: this.environment.events,
      clock,
      ingress: () => this.ingress,
    });
  }

  /** Whether `value` is one: an auto-mocked provider has every property, but not this one. */
  static is(value: unknown): value is Runtime {
    return typeof value === 'object' && value !== null && #brand in value;
  }

  get events(): EventBus {
    return this.environment.events;
  }

  /** The policies of the app that keep state. */
  get instances(): Instances {
    return this.app.instances;
  }

  /** Takes the module's options. @throws ResilienceConfigurationError */
  configure({ policies, enabled, callContext, log = 'changes', startUp }: RuntimeOptions): void {
    // Calls that came before the options ran under the decorators alone; what they left behind is forgotten.
    this.app.clear();
    const { environment } = this;
    environment.lenient = this.standalone;
    if (enabled === false) environment.enabled = false;
    if (callContext === true) {
      enableCallContext();
      environment.callContext = true;
    }
    if (isPlainObject(startUp)) environment.startRamp = new StartRamp(startUp, environment.clock);
    this.#unlog?.();
    // A wrong option is told at the start.
    this.logs = log !== false;
    this.#unlog = this.logs ? this.#eventLog.listen(this.events, log === 'all' ? 'all' : 'changes') : undefined;
    if (policies !== undefined) this.app.sets.add('policies', policies);
  }

  /** Adds policy sets to those of the options. @throws ResilienceConfigurationError */
  addPolicies(place: string, policies: Readonly<Record<string, PolicySet>>): void {
    this.app.forget();
    this.app.sets.add(place, policies);
  }

  shutDown(): void {
    this.lifecycle.close();
  }

  dispose(): void {
    this.lifecycle.dispose();
    this.app.plans.forgetRecent();
    this.#unlog?.();
    this.#repeats.close();
  }
}
