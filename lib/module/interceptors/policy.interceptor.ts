import {
  Inject,
  Injectable,
  Optional,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { Attempt } from '../../kernel/attempt.js';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { idempotencyOf } from '../../guarded/guarded-classes.js';
import type { Idempotency } from '../../guarded/idempotency.js';
import { nothingDeclared, type AnyClass, type Declared } from '../../guarded/guarded-method.js';
import type { Plan } from '../../pipeline/plan.js';
import { RETRY_DEFAULTS } from '../../policies/retry/retry.options.js';
import { isStateful, type SetKey } from '../../policies/kinds.js';
import type { Resolution, ResolvedPolicy } from '../../planning/resolution.js';
import { warnOnce } from '../event-log/warn-once.js';
import { warnOfOtherCopy } from '../runtime/package-copy.js';
import { Runtime } from '../runtime/runtime.js';
import { RUNTIME } from '../tokens.js';
import { handlerNameOf } from './handler-name.js';
import { repeatable } from './repeatable.js';
import { isSpared } from './spared.js';

/**
 * Puts the handlers of controllers, resolvers and gateways under policies. Each attempt handles the request anew.
 * The handler's own decorators take the place of the same policies here.
 */
@Injectable()
export abstract class PolicyInterceptor implements NestInterceptor {
  /** What this class declares. */
  static readonly declared: Declared = nothingDeclared();
  readonly #runtime: Runtime;
  /** Whether it was made without the module's providers, and has yet to say so. */
  #alone: boolean;

  constructor(@Optional() @Inject(RUNTIME) runtime?: unknown) {
    if (!Runtime.is(runtime)) warnOfOtherCopy(this.constructor.name, runtime);
    this.#runtime = Runtime.is(runtime) ? runtime : new Runtime(true);
    this.#alone = runtime === undefined;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const plan = this.planFor(context.getClass(), handlerNameOf(context.getClass(), context.getHandler()));
    if (this.#alone) {
      this.#alone = false;
      warnOnce(withoutModule(this.constructor.name, plan), WITHOUT_MODULE);
    }
    if (plan.policies.length === 0) return next.handle();
    const methods = plan.policies.find(({ policy }) => policy === 'retry')?.options.methods ?? RETRY_DEFAULTS.methods;
    return plan.observe(undefined, context.getArgs(), {
      context,
      onStale: this.#runtime.environment.onStale,
      body: () => next.handle(),
      repeatable: () => repeatable(context, methods as readonly string[]),
    }) as Observable<unknown>;
  }

  /**
   * The plan for one handler.
   *
   * @internal
   * @throws ResilienceConfigurationError
   */
  planFor(controller: AnyClass, methodName: string): Plan {
    const interceptor = this.constructor as typeof PolicyInterceptor;
    return this.#runtime.app.plans.ofHandler(controller, interceptor, methodName, (planner) => {
      const { declared } = interceptor;
      const className = this.#runtime.app.labelOf(controller);
      const place = `${className}.${methodName}`;
      const ofHandler = planner.resolutionOf(controller, methodName);
      const target = {
        className,
        methodName,
        concrete: controller,
        interceptor: this,
        instanceName: place,
        kind: 'observable' as const,
        answersOnce: true,
        parameterCount: 0,
        signalIndex: -1,
        inner: this.#runtime.app.isIntercepted(controller, methodName, this),
        namesInside: [...(ofHandler?.policies.values() ?? [])].map(({ name }) => name ?? place),
        http: true,
        idempotency: keyless(idempotencyOf(controller, methodName)),
        body: (attempt: Attempt) => attempt.origin?.body?.(attempt),
      };
      return planner.planFor(target, [declared], (resolution) => {
        if (isSpared(controller)) return { ...resolution, policies: new Map() };
        return withoutOwn(`${place}, ${this.constructor.name}`, resolution, ofHandler);
      });
    });
  }
}

const WITHOUT_MODULE = 'an interceptor without a module';

function withoutModule(name: string, { policies }: Plan): string {
  const does = policies.length === 0 ? 'does nothing' : 'goes by its own options alone';
  return (
    `${name} knows no ResilienceModule, and ${does}, as may others. Import ResilienceModule.forRoot() in the root ` +
    'module of the app or test, and let Nest make the interceptor: name its class in @UseInterceptors() or APP_INTERCEPTOR.'
  );
}

/** A key from arguments is the handler's own: here they are those of the request, before pipes and parameters. */
function keyless(idempotency: Idempotency | undefined): Idempotency | undefined {
  return idempotency?.key === undefined ? idempotency : undefined;
}

/** Leaves to the handler's decorators what they declare. @throws ResilienceConfigurationError */
function withoutOwn(place: string, resolution: Resolution, own: Resolution | undefined): Resolution {
  if (own === undefined) return resolution;
  const policies = new Map<SetKey, ResolvedPolicy>();
  for (const [key, policy] of resolution.policies) {
    if (own.off.has(key)) continue;
    if (!own.policies.has(key)) policies.set(key, policy);
    else if (isStateful(key)) {
      throw new ResilienceConfigurationError(
        place,
        `the handler has a ${key} of its own, so that each call would count twice; expected it in one place: the decorator or the interceptor`,
      );
    }
  }
  return { ...resolution, policies, off: new Set([...resolution.off, ...own.off]) };
}

/** A class of interceptors that declares something else than `base`. */
export function derive(base: Type<NestInterceptor>, declared: Declared): Type<NestInterceptor> {
  const derived = class extends (base as unknown as Type<PolicyInterceptor>) {
    static readonly declared = declared;
  };
  Object.defineProperty(derived, 'name', { value: base.name });
  Injectable()(derived);
  return derived;
}

/** What an interceptor of one policy declares. */
export function onePolicy(key: SetKey, label: string, [first, second]: readonly unknown[] = []): Declared {
  const [name, setting] = typeof first === 'string' ? [first, second] : [undefined, first];
  return { ...nothingDeclared(), policies: [{ key, label, name, setting }] };
}
