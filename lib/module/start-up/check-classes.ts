import { Logger } from '@nestjs/common';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { guardedLineage } from '../../pipeline/guarded-classes.js';
import type { AnyClass } from '../../pipeline/guarded-method.js';
import { nameOf } from '../runtime/class-names.js';
import { guardedMethodOf, type Runtime } from '../runtime/runtime.js';

/** Finds what decorators said wrong, before the first call does. @throws ResilienceConfigurationError */
export function checkClasses(runtime: Runtime): void {
  for (const { type } of runtime.classes) {
    for (const [declaring, { methods, signals, declared }] of guardedLineage(type)) {
      const [fault] = declared.faults;
      if (fault !== undefined) throw new ResilienceConfigurationError(nameOf(declaring), fault);
      for (const methodName of signals.keys()) {
        if (!methods.has(methodName)) throw idleSignal(declaring, methodName);
      }
      for (const method of methods.values()) {
        const inForce = guardedMethodOf(type, method.methodName);
        if (inForce === method) runtime.plan(method, type);
        else if (inForce === undefined) warnOfDroppedDecorators(type, declaring, method.methodName);
      }
    }
  }
}

function idleSignal(type: AnyClass, methodName: string): ResilienceConfigurationError {
  return new ResilienceConfigurationError(
    `${nameOf(type)}.${methodName}, @Signal`,
    'no policy guards the method, so there is no signal; expected a decorator such as @Timeout on it',
  );
}

function warnOfDroppedDecorators(type: AnyClass, base: AnyClass, methodName: string): void {
  new Logger('Bulwark').warn(
    `${nameOf(type)}.${methodName} overrides ${nameOf(base)}.${methodName} without its decorators: calls of it are not guarded`,
  );
}
