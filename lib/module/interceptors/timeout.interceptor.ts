import { Injectable, type NestInterceptor, type Type } from '@nestjs/common';
import type { TimeoutOptions } from '../../policies/timeout/timeout.options.js';
import { derive, onePolicy, PolicyInterceptor } from './policy.interceptor.js';

/**
 * A time limit for handlers: `policies.default.timeout`, or the one given by `with()`.
 *
 * @example
 * @UseInterceptors(TimeoutInterceptor.with(500))
 *
 * @publicApi
 */
@Injectable()
export class TimeoutInterceptor extends PolicyInterceptor {
  static override readonly declared = onePolicy('timeout', 'TimeoutInterceptor');

  /** The class of an interceptor with other limits; the argument is that of `@Timeout`. */
  static with(setting: number | TimeoutOptions | string): Type<NestInterceptor> {
    return derive(TimeoutInterceptor, onePolicy('timeout', 'TimeoutInterceptor.with', [setting]));
  }
}
