import {
  Body,
  Controller,
  Get,
  Header,
  Post,
  Query,
  Redirect,
  UseGuards,
  type HttpRedirectResponse,
} from '@nestjs/common';
import { Resilient } from 'nestjs-bulwark';
import { OrdersService } from '../orders/orders.service.js';
import { SetModeDto } from '../upstream-control/set-mode.dto.js';
import { Upstream } from '../upstream-control/upstream.js';
import { DemoResult } from './demo-result.query.js';
import { pageOf } from './page.js';
import { SamePageGuard } from './same-page.guard.js';

/** As many as it takes for a breaker to see what is wrong. */
const ORDERS = 10;

/** Buttons for whoever has no second terminal. Starting a provider may take longer than a customer would wait. */
@Controller()
@Resilient(false)
@UseGuards(SamePageGuard)
export class DemoController {
  constructor(
    private readonly upstream: Upstream,
    private readonly orders: OrdersService,
  ) {}

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'")
  @Header('cache-control', 'no-store')
  page(@Query() result: DemoResult): string {
    return pageOf(this.upstream.status, result);
  }

  @Post('demo/mode')
  @Redirect('/', 303)
  async setMode(@Body() { mode }: SetModeDto): Promise<void> {
    await this.upstream.setMode(mode);
  }

  /** One after the other, as customers come: the first ones wait, the later ones need not. */
  @Post('demo/orders')
  @Redirect('/', 303)
  async order(): Promise<Pick<HttpRedirectResponse, 'url'>> {
    const result = { paid: 0, pending: 0, failed: 0 };
    const start = performance.now();
    for (let order = 1; order <= ORDERS; order++) result[await this.#orderOne()]++;
    const tookMs = Math.round(performance.now() - start);
    return {
      url: `/?${new URLSearchParams(Object.entries({ ...result, tookMs }).map(([key, value]) => [key, String(value)]))}`,
    };
  }

  async #orderOne(): Promise<'paid' | 'pending' | 'failed'> {
    try {
      const { payment } = await this.orders.place([{ sku: 'TEAPOT', quantity: 1 }]);
      return payment.status === 'paid' ? 'paid' : 'pending';
    } catch {
      return 'failed';
    }
  }
}
