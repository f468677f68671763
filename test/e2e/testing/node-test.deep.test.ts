import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installLibrary } from '../../support/installed-lib.js';

/** Plain JavaScript, decorated by hand. */
const SCRIPT = `
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { Test } from '@nestjs/testing';
import { CircuitBreaker, fixed, RESILIENCE_CLOCK, ResilienceModule, ResilienceService, Retry, Timeout } from 'nestjs-bulwark';
import { hang, ResilienceTesting, settle, virtualClock } from 'nestjs-bulwark/testing';

class Payments {
  async charge() { return 'charged'; }
}
const descriptor = Object.getOwnPropertyDescriptor(Payments.prototype, 'charge');
for (const decorator of [
  CircuitBreaker('payments', { volumeThreshold: 2, resetTimeout: 30_000, resetJitter: 0 }),
  Timeout(1_000),
  Retry({ maxAttempts: 2, backoff: fixed(500) }),
]) decorator(Payments.prototype, 'charge', descriptor);
Object.defineProperty(Payments.prototype, 'charge', descriptor);

const codeOf = (promise) => promise.then((value) => value, (error) => error.code);

async function life(advance, clock) {
  const builder = Test.createTestingModule({ imports: [ResilienceModule.forRoot({ log: false })], providers: [Payments] });
  if (clock !== undefined) builder.overrideProvider(RESILIENCE_CLOCK).useValue(clock);
  const module = await builder.compile();
  await module.init();
  const payments = module.get(Payments);
  const breaker = module.get(ResilienceService).circuitBreaker('payments');
  const script = ResilienceTesting.for(module).script(Payments, 'charge', [hang(), hang()]);
  let outcome;
  void codeOf(payments.charge()).then((code) => (outcome = code));
  await advance(1_000);
  assert.equal(script.left, 1);
  await advance(500);
  assert.equal(script.left, 0);
  await advance(999);
  assert.equal(outcome, undefined);
  await advance(1);
  assert.equal(outcome, 'TIMEOUT');
  assert.equal(breaker.state, 'open');
  assert.equal(await codeOf(payments.charge()), 'CIRCUIT_OPEN');
  await advance(29_999);
  assert.equal(breaker.state, 'open');
  await advance(1);
  assert.equal(breaker.state, 'halfOpen');
  assert.equal(await codeOf(payments.charge()), 'charged');
  assert.equal(breaker.state, 'closed');
  await module.close();
}

describe('a breaker', () => {
  afterEach(() => mock.timers.reset());

  it('lives its whole life by the timers of node:test', async () => {
    mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    await life(async (ms) => {
      await settle();
      mock.timers.tick(ms);
      await settle();
    });
  });

  it('lives its whole life by a virtual clock', async () => {
    const clock = virtualClock();
    await life((ms) => clock.advance(ms), clock);
  });
});
`;

let folder: string;

describe('under node:test', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bulwark-node-test-'));
    await installLibrary(folder);
    await writeFile(join(folder, 'payments.test.mjs'), SCRIPT);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('a breaker lives its whole life, by its fake timers and by a virtual clock', async () => {
    // The runner of this test is not to be taken for that one.
    const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
    const child = spawn(process.execPath, ['--test', '--test-reporter=tap', 'payments.test.mjs'], { cwd: folder, env });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));

    const [code] = (await once(child, 'close')) as [number | null];

    expect(output).toMatch(/# pass 2\n/);
    expect(code, output).toBe(0);
  });
});
