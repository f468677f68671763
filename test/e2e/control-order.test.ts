import { Injectable } from '@nestjs/common';
import {
  CircuitBreaker,
  ResilienceModule,
  ResilienceService,
  RuleSetError,
  type ResilienceModuleOptions,
  type RuleDocument,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise } from './support/harness.js';

@Injectable()
class Client {
  down = false;
  @CircuitBreaker('shared', { volumeThreshold: 1 })
  async call(): Promise<string> {
    if (this.down) throw new Error('down');
    return 'value';
  }
  @CircuitBreaker('shared')
  async other(): Promise<string> {
    return 'value';
  }
}

async function app(options: ResilienceModuleOptions = {}) {
  const { module } = await initialise({ imports: [ResilienceModule.forRoot(options)], providers: [Client] });
  const service = module.get(ResilienceService);
  const client = module.get(Client);
  const outcome = (method: 'call' | 'other' = 'call') =>
    client[method]().catch((error: { code?: string; message: string }) => error.code ?? error.message);
  const handle = service.circuitBreaker('shared');
  const apply = (document: RuleDocument) => service.rules.apply(document, { by: 'test' });
  return { service, client, handle, outcome, apply };
}

const OFF: RuleDocument = { policies: { shared: { circuitBreaker: false } } };

describe('what an operator has forced open', () => {
  it.each<[string, RuleDocument]>([
    ['takes the breaker away', OFF],
    ['disables it', { policies: { shared: { circuitBreaker: { enabled: false } } } }],
    ['lets it only watch', { policies: { shared: { circuitBreaker: { mode: 'metricsOnly' } } } }],
    ['takes it off the method', { methods: { 'Client.call': { circuitBreaker: false } } }],
  ])('refuses, when a rule %s', async (_, document) => {
    const { handle, outcome, apply } = await app();
    handle.forceOpen('maintenance');
    apply(document);

    expect(await outcome()).toBe('CIRCUIT_OPEN');
    expect(handle.state).toBe('forcedOpen');
    apply({});
    expect(await outcome()).toBe('CIRCUIT_OPEN');
  });

  it.each(['forceClose', 'reset', 'enable'] as const)('is taken back by %s, and the rule holds again', async (verb) => {
    const { handle, outcome, apply } = await app();
    apply(OFF);
    handle.forceOpen();
    handle[verb]();

    expect(handle.state).toBe('disabled');
    expect(await outcome()).toBe('value');
    apply({});
    expect(handle.state).toBe('closed');
  });

  it('lets calls through under the kill switch', async () => {
    const { handle, outcome } = await app({ enabled: false });
    handle.forceOpen();

    expect(await outcome()).toBe('value');
    expect(await handle.breaker.fire(async () => 'fired')).toBe('fired');
  });
});

describe('a rule that takes a breaker away', () => {
  it('says disabled, and brings back what was when it goes', async () => {
    const { client, handle, outcome, apply, service } = await app();
    const reasons: string[] = [];
    service.events$.subscribe((event) => void (event.type === 'stateChange' && reasons.push(event.reason)));
    client.down = true;
    expect([await outcome(), await outcome()]).toEqual(['down', 'CIRCUIT_OPEN']);

    apply(OFF);
    expect(handle.state).toBe('disabled');
    expect(await outcome()).toBe('down');
    apply({});

    expect(handle.state).toBe('open');
    expect(await outcome()).toBe('CIRCUIT_OPEN');
    expect(reasons.at(-1)).toContain('rule');
  });

  it('leaves the others alone, when it speaks of one method of a shared one', async () => {
    const { client, handle, outcome, apply } = await app();
    client.down = true;
    await outcome();
    apply({ methods: { 'Client.call': { circuitBreaker: false } } });

    expect([await outcome('call'), await outcome('other')]).toEqual(['down', 'CIRCUIT_OPEN']);
    expect(handle.state).toBe('open');
  });
});

describe('a rule document', () => {
  it('is refused with every fault at once, unknown names too', async () => {
    const { service } = await app();
    const document = {
      policies: { shared: { circuitBreaker: { timeout: -1, volumeThreshold: 'x' } }, nobody: { retry: 2 } },
      methods: { 'Client.gone': { retry: 2 }, 'Client.call': { circuitBreaker: { volumeThreshold: 3 } } },
      sections: {},
    } as unknown as RuleDocument;

    const paths = service.rules.validate(document).map(({ path }) => path);

    expect(paths.sort()).toEqual([
      'methods.Client.call.circuitBreaker',
      'methods.Client.gone',
      'policies.nobody',
      'policies.shared.circuitBreaker.timeout',
      'policies.shared.circuitBreaker.volumeThreshold',
      'sections',
    ]);
    expect(() => service.rules.apply(document, { by: 'test' })).toThrow(RuleSetError);
  });
});
