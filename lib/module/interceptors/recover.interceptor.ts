import { Injectable, type NestInterceptor, type Type } from '@nestjs/common';
import type { Handler } from '../../kernel/answer.js';
import type { RecoverOptions } from '../../policies/recover/recover.options.js';
import { derive, onePolicy, PolicyInterceptor } from './policy.interceptor.js';

/**
 * Lets nothing escape a handler but an `HttpException` below 500: the error is logged, and the answer is empty, or
 * what the handler given by `with()` says.
 *
 * @publicApi
 */
@Injectable()
export class RecoverInterceptor extends PolicyInterceptor {
  static override readonly declared = onePolicy('recover', 'RecoverInterceptor', [true]);

  /** The class of an interceptor with a handler or other options; the argument is that of `@Recover`. */
  static with(setting: Handler | RecoverOptions<unknown, never>): Type<NestInterceptor> {
    return derive(RecoverInterceptor, onePolicy('recover', 'RecoverInterceptor.with', [setting]));
  }
}
