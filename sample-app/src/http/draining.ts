import type { Server, ServerResponse } from 'node:http';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { SETTINGS, type Settings } from '../settings/settings.js';

/** A connection may become idle just after the last look. */
const SWEEP_EVERY_MS = 100;

/**
 * Lets the server come to its end. When it closes it takes no new connection, but waits for those that there are; and a
 * client that keeps its connection busy would keep the shop open for ever. So each answer ends its connection, what is
 * idle is closed, and after the grace whatever is left.
 */
@Injectable()
export class Draining implements OnModuleDestroy {
  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  onModuleDestroy(): void {
    const server = this.host.httpAdapter.getHttpServer() as Server;
    if (!server.listening) return;
    server.prependListener('request', (_request: unknown, response: ServerResponse) => {
      response.setHeader('Connection', 'close');
    });
    const end = performance.now() + this.settings.shutdownGraceMs;
    const sweep = setInterval(() => {
      if (performance.now() < end) server.closeIdleConnections();
      else server.closeAllConnections();
    }, SWEEP_EVERY_MS);
    server.once('close', () => clearInterval(sweep));
  }
}
