import { Injectable, type NestInterceptor, type Type } from '@nestjs/common';
import type { RetryConfig } from '../../policies/retry/retry.options.js';
import { derive, onePolicy, PolicyInterceptor } from './policy.interceptor.js';

/**
 * Handles a failed request again, if its HTTP method allows it (`methods`) or the handler is `@Idempotent()`, and nothing of
 * the answer has been sent.
 *
 * @example
 * @UseInterceptors(RetryInterceptor.with({ maxAttempts: 2, backoff: exponential({ initial: 50 }) }))
 *
 * @publicApi
 */
@Injectable()
export class RetryInterceptor extends PolicyInterceptor {
  static override readonly declared = onePolicy('retry', 'RetryInterceptor');

  /** The class of an interceptor with other options; the arguments are those of `@Retry`. */
  static with(...args: [number | RetryConfig] | [name: string, options?: RetryConfig]): Type<NestInterceptor> {
    return derive(RetryInterceptor, onePolicy('retry', 'RetryInterceptor.with', args));
  }
}
