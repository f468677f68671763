import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import type { AnyClass } from '../../pipeline/guarded-method.js';
import type { DeclaredFallback } from '../../policies/fallback/fallback.options.js';
import type { Resolution } from './resolver.js';

/** A method that a fallback names must exist: in production is too late to find out. @throws ResilienceConfigurationError */
export function checkFallbackMethods(place: string, { policies }: Resolution, concrete: AnyClass): void {
  const fallbacks = (policies.get('fallback')?.options.fallbacks ?? []) as readonly DeclaredFallback[];
  const recover = policies.get('recover')?.options as DeclaredFallback | undefined;
  const named: [string, unknown][] = [
    ...fallbacks.map(({ use }): [string, unknown] => ['@Fallback', use]),
    ['@Recover', recover?.use],
  ];
  for (const [label, use] of named) {
    if (typeof use !== 'string' || typeof (concrete.prototype as Record<string, unknown>)[use] === 'function') continue;
    throw new ResilienceConfigurationError(
      `${place}, ${label}`,
      `no method '${use}'; expected the name of a method of ${concrete.name}`,
    );
  }
}
