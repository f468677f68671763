import { Injectable } from '@nestjs/common';
import {
  consecutiveFailures,
  fixed,
  Hedge,
  ResilienceModule,
  ResilienceService,
  Retry,
  type PolicySet,
} from 'nestjs-bulwark';
import { EndpointSet, NoEndpointError } from 'nestjs-bulwark/etcd';
import { describe, expect, it } from 'vitest';
import { DnsEndpoints } from '../../../../../lib/cluster/etcd/discovery/dns-endpoints.js';
import { FixedEndpoints } from '../../../../../lib/cluster/etcd/discovery/endpoint-source.js';
import { errorOf, settle } from '../../../../support/settle.js';
import { TestEnvironment } from '../../../../support/test-environment.js';
import { initialise } from '../../../../e2e/support/harness.js';

const THREE = ['a', 'b', 'c'];
const down = (): Promise<never> => Promise.reject(new Error('down'));

/** A set in time that stands still. */
function setUp(endpoints = THREE) {
  const environment = new TestEnvironment();
  const options = { breaker: { trip: consecutiveFailures(2), resetTimeout: 1_000, resetJitter: 0 } };
  const set = new EndpointSet('stock', new FixedEndpoints(endpoints), options, environment);
  const called: string[] = [];
  const call = (...failing: string[]): Promise<string> =>
    set.run(async (endpoint) => {
      called.push(endpoint);
      if (failing.includes(endpoint)) throw new Error(`${endpoint} is down`);
      return endpoint;
    });
  return { set, environment, called, call };
}

describe('a set of endpoints', () => {
  it('is called in turn', async () => {
    const { call, called, set } = setUp();

    for (let index = 0; index < 4; index++) await call();

    expect(called).toEqual(['a', 'b', 'c', 'a']);
    expect([set.next(), set.next()]).toEqual(['b', 'c']);
  });

  it('passes over those whose breaker is open, and tries them again after their time', async () => {
    const { call, called, environment } = setUp();
    for (let index = 0; index < 6; index++) await errorOf(call('b')).catch(() => undefined);
    called.length = 0;
    for (let index = 0; index < 6; index++) await call('b');
    const whileOpen = new Set(called);
    called.length = 0;

    await environment.clock.advance(1_000);
    for (let index = 0; index < 3; index++) await call();

    expect([...whileOpen].sort()).toEqual(['a', 'c']);
    expect(called.sort()).toEqual(THREE);
  });

  it('lets one call probe an endpoint, and the others go elsewhere', async () => {
    const { call, set, environment } = setUp(['a', 'b']);
    for (let index = 0; index < 4; index++) await errorOf(call('b')).catch(() => undefined);
    await environment.clock.advance(1_000);
    let answer!: () => void;
    const probing = new Promise<void>((resolve) => (answer = resolve));
    const seen: string[] = [];
    const calls = Array.from({ length: 4 }, () =>
      set.run(async (endpoint) => {
        seen.push(endpoint);
        if (endpoint === 'b') await probing;
      }),
    );
    await settle();
    answer();
    await Promise.all(calls);

    expect(seen.filter((endpoint) => endpoint === 'b')).toHaveLength(1);
    expect(set.breaker('b')?.state).toBe('closed');
  });

  it('refuses when every breaker is open, and says that it knows nobody', async () => {
    const { call } = setUp(['a']);
    for (let index = 0; index < 2; index++) await errorOf(call('a'));
    const nobody = setUp([]);

    expect(await errorOf(call())).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(await errorOf(nobody.call())).toBeInstanceOf(NoEndpointError);
    expect(() => nobody.set.next()).toThrow(NoEndpointError);
  });

  it('takes no abort of the caller for a failure of the endpoint', async () => {
    const { set } = setUp(['a']);
    const args: unknown[] = [];
    for (let index = 0; index < 3; index++) {
      const leaving = new AbortController();
      const running = set.run(
        (_endpoint, { signal }) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
        { args, attempt: 1, signal: leaving.signal },
      );
      leaving.abort(new Error('left'));
      expect(await errorOf(running)).toMatchObject({ message: 'left' });
    }

    expect(set.breaker('a')?.state).toBe('closed');
    expect(set.breaker('a')?.stats.failures).toBe(0);
  });

  it('says what is wrong with its options', () => {
    expect(() => EndpointSet.of(THREE, { breaker: { resetTimeout: -1 } })).toThrow(/resetTimeout/);
    expect(() => EndpointSet.of(THREE, { tries: 3 } as object)).toThrow(/unknown option 'tries'/);
  });
});

@Injectable()
class Stock {
  readonly endpoints = EndpointSet.of(THREE);
  readonly called: string[] = [];

  @Retry({ maxAttempts: 3, backoff: fixed(1) })
  async count(): Promise<string> {
    return this.endpoints.run((endpoint) => {
      this.called.push(endpoint);
      return this.called.length < 3 ? down() : endpoint;
    });
  }

  @Hedge({ after: 5, maxAttempts: 3 })
  async list(): Promise<string> {
    return this.endpoints.run((endpoint, { signal }) => {
      this.called.push(endpoint);
      if (this.called.length === 3) return endpoint;
      return new Promise<never>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    });
  }
}

describe('the attempts of one guarded call', () => {
  const start = async (policies: Record<string, PolicySet> = {}) => {
    const imports = [ResilienceModule.forRoot({ callContext: true, log: false, policies })];
    const { module } = await initialise({ imports, providers: [Stock] });
    return { stock: module.get(Stock), resilience: module.get(ResilienceService) };
  };

  it.each(['count', 'list'] as const)('go to different endpoints (%s)', async (method) => {
    const { stock } = await start();

    await stock[method]();
    // Others that come between change nothing.
    await Promise.all([stock.endpoints.run(() => 1), stock.endpoints.run(() => 1)]);

    expect([...stock.called].sort()).toEqual(THREE);
  });

  it('go to different endpoints although other calls come between, where the call is handed on', async () => {
    const { resilience } = await start({ stock: { retry: { maxAttempts: 3, backoff: fixed(0) } } });
    const set = EndpointSet.of(THREE, { breaker: { trip: consecutiveFailures(1_000) } });
    const tried: string[][] = [];
    await Promise.all(
      Array.from({ length: 4 }, async (_, index) => {
        const own: string[] = (tried[index] = []);
        await resilience
          .execute('stock', (call) => set.run((endpoint) => (own.push(endpoint), down()), call))
          .catch(() => undefined);
      }),
    );

    const whole = tried.filter((own) => own.length === 3);
    expect(whole.length).toBeGreaterThan(0);
    for (const own of whole) expect([...own].sort()).toEqual(THREE);
  });

  it('begin anew on those that were tried, when there are no others', async () => {
    const { resilience } = await start({ stock: { retry: { maxAttempts: 4, backoff: fixed(0) } } });
    const set = EndpointSet.of(['a', 'b']);
    const tried: string[] = [];
    await errorOf(resilience.execute('stock', (call) => set.run((endpoint) => (tried.push(endpoint), down()), call)));

    expect(tried.slice(0, 2).sort()).toEqual(['a', 'b']);
    expect(tried).toHaveLength(4);
  });
});

describe('the endpoints of a name of DNS', () => {
  it('are all addresses with the port; they are asked for anew after a while, and the last answer stands', async () => {
    const { clock } = new TestEnvironment();
    let answer: () => Promise<string[]> = () => Promise.resolve(['10.0.0.2', '10.0.0.1', 'fd00::1']);
    let asked = 0;
    const source = new DnsEndpoints('stock.local', 80, clock, () => (asked++, answer()));
    await source.ready();
    const first = source.addresses();
    answer = () => Promise.reject(new Error('SERVFAIL'));
    await clock.advance(5_000);
    source.addresses();
    await settle();
    const afterFailure = source.addresses();
    answer = () => Promise.resolve(['10.0.0.3']);
    await clock.advance(5_000);
    source.addresses();
    await settle();

    expect(first).toEqual(['10.0.0.1:80', '10.0.0.2:80', '[fd00::1]:80']);
    expect(afterFailure).toEqual(first);
    expect(source.addresses()).toEqual(['10.0.0.3:80']);
    expect(asked).toBe(3);
  });

  it('are those that the system has for localhost', async () => {
    const set = EndpointSet.dns('localhost', 8080);

    expect(await set.run((endpoint) => endpoint)).toMatch(/^(127\.0\.0\.1|\[::1\]):8080$/);
  });
});
