import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import {
  Resilient,
  ResilienceModule,
  ResilienceService,
  RuleSetError,
  type ResilienceModuleOptions,
  type ResilienceEvent,
  type RuleSource,
} from 'nestjs-bulwark';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { initialise, startUpError, until, type Compiled } from './support/harness.js';

@Injectable()
class Payments {
  @Resilient('payments')
  async charge(): Promise<string> {
    return 'charged';
  }
}

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rules-'));
  file = join(folder, 'rules.yaml');
  return () => rm(folder, { recursive: true, force: true });
});

const metadata = (rules: ResilienceModuleOptions['rules']) => ({
  imports: [ResilienceModule.forRoot({ policies: { payments: { timeout: 1_000 } }, ...(rules && { rules }) })],
  providers: [Payments],
});

interface Started extends Compiled {
  limit(): unknown;
  changes: ResilienceEvent[];
}

async function start(rules: ResilienceModuleOptions['rules'] = { file }): Promise<Started> {
  const compiled = await initialise(metadata(rules));
  const resilience = compiled.module.get(ResilienceService);
  const changes: ResilienceEvent[] = [];
  const subscription = resilience.events$.subscribe((event) => changes.push(event));
  onTestFinished(() => subscription.unsubscribe());
  return { ...compiled, changes, limit: () => resilience.plan()[0]?.policies[0]?.options.perAttempt };
}

const yaml = (ms: number | string): string => `policies:\n  payments:\n    timeout: ${ms}\n`;

describe('rules in a file', () => {
  it('are in force from the start, and when the file is written', async () => {
    await writeFile(file, yaml(300));
    const { limit, changes } = await start();
    expect(limit()).toBe(300);

    await writeFile(file, `version: 2\n${yaml(200)}`);

    await until(() => limit() === 200, 'the rule');
    expect(changes).toMatchObject([
      {
        type: 'ruleChange',
        path: 'policies.payments.timeout.perAttempt',
        from: 300,
        to: 200,
        source: file,
        version: 2,
      },
    ]);
  });

  it('are read when another file takes the place of this one', async () => {
    await writeFile(file, yaml(300));
    const { limit } = await start();
    for (const ms of [200, 100]) {
      await writeFile(join(folder, 'new'), yaml(ms));
      await rename(join(folder, 'new'), file);
      await until(() => limit() === ms, `the rule of ${ms} ms`);
    }
  });

  it('stay when the file is gone, and follow it when it is back', async () => {
    await writeFile(file, yaml(300));
    const { limit, log } = await start();
    await rm(file);
    await until(() => log.ofBulwark('warn').some((line) => line.includes('is gone')), 'the warning');
    expect(limit()).toBe(300);

    await writeFile(file, yaml(250));

    await until(() => limit() === 250, 'the rule');
  });

  it('stay when the file is broken, and the log names each fault', async () => {
    await writeFile(file, yaml(300));
    const { limit, log, changes } = await start();
    await writeFile(file, 'policies:\n  payments:\n    timeout: -1\n    retry: none\n');
    const told = (text: string) => (): boolean => log.ofBulwark('error').some((line) => line.includes(text));
    await until(told('policies.payments.timeout'), 'the first fault');
    expect(told('policies.payments.retry')()).toBe(true);

    await writeFile(file, 'policies: [');
    await until(told('rules in '), 'the fault of the syntax');

    expect(limit()).toBe(300);
    expect(changes).toEqual([]);
    await writeFile(file, yaml(200));
    await until(() => limit() === 200, 'the rule');
  });

  it('can be JSON; an empty document takes them back', async () => {
    file = join(folder, 'rules.json');
    await writeFile(file, JSON.stringify({ policies: { payments: { timeout: 300 } } }));
    const { limit } = await start();
    expect(limit()).toBe(300);

    await writeFile(file, '{}');

    await until(() => limit() === 1_000, 'the own limit');
  });

  it('may come later than the app', async () => {
    const { limit, log } = await start();
    expect(log.ofBulwark('warn').join()).toContain('is not there yet');
    expect(limit()).toBe(1_000);

    await writeFile(file, yaml(300));

    await until(() => limit() === 300, 'the rule');
  });

  it('fail the start when they are wrong', async () => {
    await writeFile(file, yaml(-1));
    const error = await startUpError(metadata({ file }));

    expect(error).toBeInstanceOf(RuleSetError);
    expect(error.message).toContain('policies.payments.timeout');
  });

  it('fail the start when they are no YAML, or their folder is not there', async () => {
    await writeFile(file, 'policies: [');
    await expect(startUpError(metadata({ file }))).resolves.toMatchObject({ code: 'INVALID_CONFIGURATION' });
    const error = await startUpError(metadata({ file: join(folder, 'no', 'rules.yaml') }));
    expect(error.message).toContain('cannot be watched');
  });

  it('are not followed once the app is closed', async () => {
    await writeFile(file, yaml(300));
    const { module, limit } = await start();
    await module.close();
    await writeFile(file, yaml(200));
    await new Promise((resolve) => setTimeout(resolve, 300));

    expect(limit()).toBe(300);
  });
});

describe('rules from a source of the app', () => {
  it('are applied at start and whenever it tells of a change', async () => {
    let document: unknown = { policies: { payments: { timeout: 300 } } };
    let change = (): void => undefined;
    let closed = 0;
    const source: RuleSource = {
      name: 'table of rules',
      read: async () => document,
      watch: (changed) => void (change = changed),
      close: () => void closed++,
    };
    const { limit, module, changes } = await start({ source });
    expect(limit()).toBe(300);

    document = { policies: { payments: { timeout: 200 } } };
    change();
    await until(() => limit() === 200, 'the rule');
    expect(changes).toMatchObject([{ by: 'table of rules' }]);

    await module.close();
    expect(closed).toBe(1);
  });

  it.each([{}, { file: '' }, { source: {} }, { file: 'a', source: {} }])('refuses %j', async (rules) => {
    const error = await startUpError(metadata(rules as never));

    expect(error.message).toContain("option 'rules'");
  });
});
