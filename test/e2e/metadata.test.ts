import {
  Body,
  Controller,
  createParamDecorator,
  ForbiddenException,
  Get,
  Header,
  HttpCode,
  Injectable,
  Param,
  ParseIntPipe,
  Post,
  Query,
  SetMetadata,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { CircuitBreaker, Fallback, fixed, ResilienceModule, ResilienceService, Retry, Timeout } from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, PLATFORMS, start } from './support/harness.js';

const Roles = (...roles: string[]) => SetMetadata('roles', roles);
const Audit = (label: string) => SetMetadata('audit', label);
const Agent = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-agent'],
);

@Injectable()
class RolesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const roles = this.reflector.get<string[] | undefined>('roles', context.getHandler());
    const audit = this.reflector.get<string | undefined>('audit', context.getHandler());
    if (roles?.includes('nobody') === true) throw new ForbiddenException(`audited as ${audit}`);
    return true;
  }
}

@Controller('items')
@UseGuards(RolesGuard)
class ItemsController {
  failures = 2;

  @Roles('reader')
  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @Get(':id')
  @Timeout(5_000)
  async find(@Param('id', ParseIntPipe) id: number, @Query('q') q: string, @Agent() agent: string) {
    if (this.failures-- > 0) throw new Error('not yet');
    return { id, q, agent };
  }

  @CircuitBreaker()
  @Roles('nobody')
  @Get('secret/all')
  @Audit('below')
  @Timeout(5_000)
  async secret(): Promise<string> {
    return 'secret';
  }

  @Timeout(5_000)
  @Post()
  @HttpCode(202)
  @Header('X-Made-By', 'items')
  async create(@Body() body: { name: string }): Promise<{ name: string }> {
    return body;
  }
}

describe.each(PLATFORMS)('what a decorated handler had on $platform', ({ adapter }) => {
  const metadata = { imports: [ResilienceModule.forRoot()], controllers: [ItemsController] };

  it('still reaches parameter decorators and pipes, when decorators stand above and below @Get()', async () => {
    const { url } = await start(metadata, { adapter });

    const response = await fetch(`${url}/items/7?q=blue`, { headers: { 'x-agent': 'test' } });

    expect(await response.json()).toEqual({ id: 7, q: 'blue', agent: 'test' });
  });

  it('still validates by a pipe before the guarded method, when the parameter is wrong', async () => {
    const { url, app } = await start(metadata, { adapter });

    const response = await fetch(`${url}/items/seven`);

    expect(response.status).toBe(400);
    expect(app.get(ItemsController).failures).toBe(2);
  });

  it('still reaches guards through the Reflector, when SetMetadata stands above and below ours', async () => {
    const { url } = await start(metadata, { adapter });

    const response = await fetch(`${url}/items/secret/all`);

    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ message: 'audited as below' });
  });

  it('still sets status and headers, when ours stand above theirs', async () => {
    const { url } = await start(metadata, { adapter });

    const response = await fetch(`${url}/items`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"lamp"}',
    });

    expect(response.status).toBe(202);
    expect(response.headers.get('x-made-by')).toBe('items');
    expect(await response.json()).toEqual({ name: 'lamp' });
  });
});

describe('the wrapper of a method', () => {
  it('carries over name, length and metadata, when several decorators of ours stand on it', () => {
    class Reports {
      @Timeout(100)
      @Audit('middle')
      @Retry(2)
      async render(_id: string, _pages: number): Promise<void> {}
    }
    const { render } = Reports.prototype;

    expect(render.name).toBe('render');
    expect(render.length).toBe(2);
    expect(Reflect.getMetadata('audit', render)).toBe('middle');
    expect(Reflect.getMetadata('design:paramtypes', Reports.prototype, 'render')).toEqual([String, Number]);
  });

  it('carries over own properties of the function, when another library put them there', () => {
    const Tagged: MethodDecorator = (_, __, descriptor) => {
      (descriptor.value as { tag?: string }).tag = 'tagged';
    };
    class Reports {
      @Timeout(100)
      @Tagged
      async render(): Promise<void> {}
    }

    expect((Reports.prototype.render as { tag?: string }).tag).toBe('tagged');
  });

  it('lets another decorator that stands above see the same key, when it reads the descriptor', () => {
    const seen: unknown[] = [];
    const Watch: MethodDecorator = (_, key, descriptor) => {
      seen.push([key, typeof descriptor.value, descriptor.configurable, descriptor.enumerable, descriptor.writable]);
    };
    class Reports {
      @Watch
      @Timeout(100)
      async render(): Promise<void> {}
    }

    expect(new Reports().render).toBeTypeOf('function');
    expect(seen).toEqual([['render', 'function', true, false, true]]);
  });
});

describe('a wrapping decorator of another library between two of ours', () => {
  const order: string[] = [];

  /** Calls the method by a function of its own, as caches and tracers do. */
  const Traced: MethodDecorator = (_, __, descriptor) => {
    const original = descriptor.value as unknown as (...args: unknown[]) => Promise<unknown>;
    descriptor.value = async function (this: unknown, ...args: unknown[]) {
      order.push('trace');
      return original.apply(this, args);
    } as never;
  };

  @Injectable()
  class Reports {
    attempts = 0;

    @CircuitBreaker('reports', {})
    @Traced
    @Retry({ maxAttempts: 3, backoff: fixed(0) })
    @Fallback('empty')
    async render(id: string): Promise<string> {
      this.attempts++;
      throw new Error(`no report ${id}`);
    }

    empty(id: string): string {
      return `empty ${id}`;
    }
  }

  it('is run by the outermost of ours, which runs the plan once', async () => {
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Reports] });
    const service = module.get(ResilienceService);
    order.length = 0;

    const answer = await module.get(Reports).render('r1');

    expect(answer).toBe('empty r1');
    expect(module.get(Reports).attempts).toBe(3);
    expect(order).toEqual(['trace', 'trace', 'trace']);
    expect(service.circuitBreaker('reports').stats).toMatchObject({ fires: 3, failures: 3 });
    expect(service.plan()).toHaveLength(1);
  });
});
