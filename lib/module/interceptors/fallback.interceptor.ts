import { Injectable, type NestInterceptor, type Type } from '@nestjs/common';
import type { FallbackSetting } from '../../policies/fallback/fallback.options.js';
import { nothingDeclared } from '../../guarded/guarded-method.js';
import { derive, onePolicy, PolicyInterceptor } from './policy.interceptor.js';

/**
 * Answers in place of a handler that failed or was refused: `policies.default.fallback`, or the one given by `with()`.
 *
 * @example
 * @UseInterceptors(FallbackInterceptor.with({ value: { items: [], stale: true } }))
 *
 * @publicApi
 */
@Injectable()
export class FallbackInterceptor extends PolicyInterceptor {
  static override readonly declared = onePolicy('fallback', 'FallbackInterceptor');

  /** The class of an interceptor with another fallback: a handler, `{ use }`, `{ value }` or a list of those. */
  static with(setting: FallbackSetting<unknown, never>): Type<NestInterceptor> {
    const policy = { key: 'fallback', label: 'FallbackInterceptor.with', setting } as const;
    return derive(FallbackInterceptor, { ...nothingDeclared(), policies: [policy] });
  }
}
