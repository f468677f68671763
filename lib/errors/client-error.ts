import { HttpException } from '@nestjs/common';
import { instanceOf, invoke } from './foreign.js';

/** Whether `error` is an HTTP answer that blames the client: an app throws these on purpose. */
export function isClientError(error: unknown): boolean {
  if (!instanceOf(error, HttpException)) return false;
  const status = invoke(error, 'getStatus');
  return typeof status === 'number' && status < 500;
}
