import type { Server } from 'node:http';
import type { HttpAdapterHost } from '@nestjs/core';

/** The app's HTTP server; a standalone app and a microservice have none. */
export function httpServerOf(host: HttpAdapterHost): Server | undefined {
  const adapter = host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
  const server = adapter?.getHttpServer() as Server | undefined;
  return typeof server?.emit === 'function' ? server : undefined;
}
