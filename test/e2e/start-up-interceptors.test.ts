import { Controller, Get, UseInterceptors, type Type } from '@nestjs/common';
import {
  CircuitBreaker,
  CircuitBreakerInterceptor,
  RateLimit,
  ResilienceConfigurationError,
  ResilienceInterceptor,
  ResilienceModule,
  ResilienceService,
  TimeoutInterceptor,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, startUpError } from './support/harness.js';

describe('a stateful policy by decorator and by interceptor', () => {
  it.each<[string, () => Type]>([
    ['CircuitBreakerInterceptor', () => CircuitBreakerInterceptor as Type],
    ['ResilienceInterceptor', () => ResilienceInterceptor.with({ circuitBreaker: {} })],
  ])('stops the start, when %s stands on a handler with a breaker', async (name, interceptor) => {
    @Controller()
    class OrdersController {
      @Get()
      @CircuitBreaker()
      @UseInterceptors(interceptor())
      async place(): Promise<string> {
        return 'placed';
      }
    }

    const error = await startUpError({ imports: [ResilienceModule.forRoot()], controllers: [OrdersController] });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    for (const part of ['OrdersController.place', name, 'circuitBreaker']) expect(error.message).toContain(part);
  });

  it('stops the start, when a rate limit stands on a handler both ways', async () => {
    const limit = { limit: 5, per: 1_000 };
    @Controller()
    class OrdersController {
      @Get()
      @RateLimit(limit)
      @UseInterceptors(ResilienceInterceptor.with({ rateLimit: limit }))
      async place(): Promise<string> {
        return 'placed';
      }
    }

    const error = await startUpError({ imports: [ResilienceModule.forRoot()], controllers: [OrdersController] });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    for (const part of ['OrdersController.place', 'rateLimit']) expect(error.message).toContain(part);
  });

  it('starts, when they stand on two handlers of one controller', async () => {
    @Controller()
    class OrdersController {
      @Get('one')
      @CircuitBreaker()
      async one(): Promise<string> {
        return 'one';
      }
      @Get('two')
      @UseInterceptors(CircuitBreakerInterceptor, TimeoutInterceptor.with(100))
      two(): string {
        return 'two';
      }
      @Get('three')
      three(): string {
        return 'three';
      }
    }

    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], controllers: [OrdersController] });

    const names = module
      .get(ResilienceService)
      .circuitBreakers()
      .map(({ name }) => name);
    expect(names.sort()).toEqual(['OrdersController.one', 'OrdersController.two']);
  });
});
