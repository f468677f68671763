import {
  BulkheadFullException,
  CircuitOpenException,
  ResilienceModule,
  ResilienceService,
  type PolicySet,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise } from './support/harness.js';

async function started(set: PolicySet): Promise<ResilienceService> {
  const { module } = await initialise({ imports: [ResilienceModule.forRoot({ policies: { rates: set } })] });
  return module.get(ResilienceService);
}

const open = async (set: PolicySet): Promise<ResilienceService> => {
  const resilience = await started({ circuitBreaker: true, ...set });
  resilience.circuitBreaker('rates').forceOpen();
  return resilience;
};

const work = (): string => 'fresh';

describe('execute() with onRefused', () => {
  it('answers a refusal, with the error and the call', async () => {
    const resilience = await open({});
    const answer = await resilience.execute('rates', work, {
      args: ['EUR'],
      onRefused: (error, call) => `${error.code} ${String(call.args[0])} ${call.signal.aborted}`,
    });

    expect(answer).toBe('CIRCUIT_OPEN EUR false');
  });

  it('goes before the fallback of the set', async () => {
    const resilience = await open({ fallback: { value: 'stale' } });

    await expect(resilience.execute('rates', work)).resolves.toBe('stale');
    await expect(resilience.execute('rates', work, { onRefused: async () => 'refused' })).resolves.toBe('refused');
  });

  it('answers nothing else: neither values nor failures', async () => {
    const resilience = await started({ fallback: { value: 'stale' }, retry: 1 });
    const onRefused = (): string => 'refused';

    await expect(resilience.execute('rates', work, { onRefused })).resolves.toBe('fresh');
    const failing = (): Promise<string> => Promise.reject(new Error('down'));
    await expect(resilience.execute('rates', failing, { onRefused })).resolves.toBe('stale');
  });

  it('lets its own error go to the caller, and to Recover alone', async () => {
    const onRefused = (): never => {
      throw new TypeError('broken');
    };
    const bare = await open({ fallback: { value: 'stale' } });
    await expect(bare.execute('rates', work, { onRefused })).rejects.toThrow(TypeError);
    const recovering = await open({ fallback: { value: 'stale' }, recover: { value: 'recovered' } });
    await expect(recovering.execute('rates', work, { onRefused })).resolves.toBe('recovered');
  });

  it('is asked for each call of its own', async () => {
    const resilience = await started({ bulkhead: 1 });
    let end = (): void => undefined;
    const first = resilience.execute('rates', () => new Promise<string>((resolve) => (end = () => resolve('first'))), {
      onRefused: () => 'never',
    });
    await expect(resilience.execute('rates', work)).rejects.toThrow(BulkheadFullException);
    await expect(resilience.execute('rates', work, { onRefused: () => 'full' })).resolves.toBe('full');
    end();
    await expect(first).resolves.toBe('first');
    resilience.bulkheads();
    await expect((await open({})).execute('rates', work)).rejects.toThrow(CircuitOpenException);
  });
});
