import { Controller, Get, Inject, Post, Req, Res, UseGuards, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import { spare } from '../../module/interceptors/spared.js';
import type { Guard } from '../guards.js';
import { mayAct, PermissionGuard } from './access/permission.guard.js';
import { Dashboard } from './dashboard.js';
import { Exchange } from './http/exchange.js';

/** What makes up the routes. */
export interface DashboardRoutes {
  readonly path: string;
  readonly guards: readonly Guard[];
  readonly decorators: readonly ClassDecorator[];
}

/** A controller of its own for each module: guards, path and decorators are what its options say. */
export function dashboardController({ path, guards, decorators }: DashboardRoutes): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(...guards)
  class ResilienceDashboardController {
    readonly #dashboard: Dashboard;

    constructor(@Inject(Dashboard) dashboard: Dashboard) {
      this.#dashboard = dashboard;
    }

    @Get()
    page(@Req() request: object, @Res() reply: object): Promise<void> {
      return this.#dashboard.page(new Exchange(request, reply));
    }

    @Get('api/state')
    @UseGuards(PermissionGuard)
    state(@Req() request: object, @Res() reply: object): void {
      this.#dashboard.state(new Exchange(request, reply), mayAct(request));
    }

    @Get('api/stream')
    @UseGuards(PermissionGuard)
    stream(@Req() request: object, @Res() reply: object): void {
      this.#dashboard.stream(new Exchange(request, reply), mayAct(request));
    }

    // Fastify knows no parameters of more than 100 characters.
    @Get(['api/instances', 'api/instances/:name'])
    @UseGuards(PermissionGuard)
    instance(@Req() request: object, @Res() reply: object): void {
      const exchange = new Exchange(request, reply);
      const name = exchange.param('name') ?? exchange.query('name') ?? '';
      this.#dashboard.instance(exchange, name, mayAct(request));
    }

    @Post('api/actions')
    @UseGuards(PermissionGuard)
    act(@Req() request: object, @Res() reply: object): Promise<void> {
      return this.#dashboard.act(new Exchange(request, reply), mayAct(request));
    }

    @Get('assets/:file')
    asset(@Req() request: object, @Res() reply: object): Promise<void> {
      const exchange = new Exchange(request, reply);
      return this.#dashboard.file(exchange, `assets/${exchange.param('file')}`);
    }

    @Get(':file')
    file(@Req() request: object, @Res() reply: object): Promise<void> {
      const exchange = new Exchange(request, reply);
      return this.#dashboard.file(exchange, exchange.param('file') ?? '');
    }
  }
  spare(ResilienceDashboardController);
  for (const decorate of decorators) decorate(ResilienceDashboardController);
  return ResilienceDashboardController;
}
