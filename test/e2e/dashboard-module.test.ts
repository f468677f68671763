import {
  Inject,
  Injectable,
  Module,
  Scope,
  SetMetadata,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { ResilienceModule } from 'nestjs-bulwark';
import { ResilienceDashboardModule, type DashboardModuleExtras } from 'nestjs-bulwark/dashboard';
import { of } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { act, action, OPERATOR, startDashboard } from './support/dashboard-app.js';
import { PLATFORMS, start, startUpError } from './support/harness.js';
import { thrownBy } from '../support/settle.js';

afterEach(() => vi.unstubAllEnvs());

describe('the start', () => {
  it('with NODE_ENV=production demands that somebody says who may see the page', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    const withGuards = (extras: DashboardModuleExtras) => ({
      imports: [ResilienceModule.forRoot(), ResilienceDashboardModule.forRoot(extras)],
    });

    expect((await startUpError(withGuards({}))).message).toBe(
      "ResilienceDashboardModule.forRoot: option 'guards': with NODE_ENV=production expected a list of guards, got undefined; [] says that everybody may see the page",
    );
    await expect(startUpError(withGuards({ guards: [] }))).rejects.toThrow('expected a start-up error');
  });

  it('fails without the module whose policies are to be shown', async () => {
    const { message } = await startUpError({ imports: [ResilienceDashboardModule.forRoot({})] });

    expect(message).toContain('there is no ResilienceModule whose policies could be shown');
  });

  it.each([
    ['path', 7, "a path such as '/resilience'"],
    ['guards', [class NoGuard {}], 'a list of guards'],
    ['actionGuards', 'all', 'a list of guards'],
    ['decorators', ['Public'], 'a list of class decorators'],
  ])('fails for a wrong %s', (option, value, expected) => {
    const { name, message } = thrownBy(() => ResilienceDashboardModule.forRoot({ [option]: value }));

    expect(name).toBe('ResilienceConfigurationError');
    expect(message).toContain(`ResilienceDashboardModule.forRoot: option '${option}': expected ${expected}`);
  });

  it.each([
    [{ allowedOrigins: ['https://a.example/x'] }, 'a list of origins'],
    [{ colour: 'red' }, "unknown option 'colour'"],
    [{ path: '/x' }, 'it belongs beside the factory'],
  ])('fails for options that a factory gives: %j', async (given, expected) => {
    const { message } = await startUpError({
      imports: [
        ResilienceModule.forRoot(),
        ResilienceDashboardModule.forRootAsync({ useFactory: () => given as never }),
      ],
    });

    expect(message).toContain(expected);
  });
});

@Injectable()
class Roles {
  readonly known = new Set(['ann']);
}

@Module({ providers: [Roles], exports: [Roles] })
class RolesModule {}

@Injectable()
class RoleGuard implements CanActivate {
  constructor(@Inject(Roles) private readonly roles: Roles) {}

  canActivate(context: ExecutionContext) {
    return of(this.roles.known.has(context.switchToHttp().getRequest().headers['x-user']));
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestGuard extends RoleGuard {
  override canActivate(context: ExecutionContext) {
    return super.canActivate(context);
  }
}

class Throwing implements CanActivate {
  async canActivate(): Promise<boolean> {
    throw new Error('no session');
  }
}

/** A guard of the whole app that lets in what is public. */
@Injectable()
class GlobalGuard implements CanActivate {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    return this.reflector.getAllAndOverride('public', [context.getHandler(), context.getClass()]) === true;
  }
}

describe.each(PLATFORMS)('guards on $platform', ({ adapter }) => {
  it.each([
    ['with what they need from modules', RoleGuard],
    ['made for each request', RequestGuard],
  ])('are classes %s', async (_, guard) => {
    const { page, state } = await startDashboard(
      { guards: [guard], actionGuards: [guard], imports: [RolesModule] },
      { adapter },
    );

    for (const path of ['', '/api/state', '/api/stream', '/api/instances/payments', '/assets/x.js', '/x.svg'])
      expect((await fetch(page + path)).status).toBe(403);
    const seen = await state(OPERATOR);
    expect(seen.canAct).toBe(true);
    expect((await act(page, action(seen))).status).toBe(200);
  });

  it('that throw let nobody act, and hide nothing', async () => {
    const { state } = await startDashboard({ actionGuards: [new Throwing()] }, { adapter });

    expect((await state()).canAct).toBe(false);
  });

  it('of the whole app are asked too, and heed decorators', async () => {
    const providers = [{ provide: APP_GUARD, useClass: GlobalGuard }];
    const closed = await startDashboard({}, { adapter, providers });
    const open = await startDashboard({ decorators: [SetMetadata('public', true)] }, { adapter, providers });

    expect((await fetch(`${closed.page}/api/state`)).status).toBe(403);
    expect((await fetch(`${open.page}/api/state`)).status).toBe(200);
  });
});

it('takes options from a factory, and what makes up the routes beside it', async () => {
  const { url } = await start({
    imports: [
      ResilienceModule.forRoot(),
      ResilienceDashboardModule.forRootAsync({
        path: 'ops',
        guards: [RoleGuard],
        imports: [RolesModule],
        inject: [Roles],
        useFactory: ({ known }: Roles) => ({ allowedOrigins: known.size > 0 ? ['https://admin.example.com'] : [] }),
      }),
    ],
  });

  expect((await fetch(`${url}/ops/api/state`)).status).toBe(403);
  expect((await fetch(`${url}/ops/api/state`, { headers: OPERATOR })).status).toBe(200);
});
