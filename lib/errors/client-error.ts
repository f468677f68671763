import { HttpException } from '@nestjs/common';

/** Whether `error` is an HTTP answer that blames the client: an app throws these on purpose. */
export function isClientError(error: unknown): boolean {
  return error instanceof HttpException && error.getStatus() < 500;
}
