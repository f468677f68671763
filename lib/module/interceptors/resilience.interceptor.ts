import { Injectable, type NestInterceptor, type Type } from '@nestjs/common';
import { nothingDeclared } from '../../guarded/guarded-method.js';
import type { PolicySet } from '../../policies/policy-set.js';
import { derive, PolicyInterceptor } from './policy.interceptor.js';

/**
 * A whole policy set for handlers: `policies.default`, or the one given by `with()`.
 *
 * @example
 * @UseInterceptors(ResilienceInterceptor.with({ timeout: { total: 2_000 }, retry: 2 }))
 *
 * @publicApi
 */
@Injectable()
export class ResilienceInterceptor extends PolicyInterceptor {
  static override readonly declared = {
    ...nothingDeclared(),
    resilient: { label: 'ResilienceInterceptor', set: 'default' },
  };

  /** The class of an interceptor with another set; the argument is that of `@Resilient`. */
  static with(set: string | PolicySet): Type<NestInterceptor> {
    return derive(ResilienceInterceptor, {
      ...nothingDeclared(),
      resilient: { label: 'ResilienceInterceptor.with', set },
    });
  }
}
