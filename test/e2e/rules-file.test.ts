import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
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
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
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

  it('share a base by a merge key, in a section that is no rule', async () => {
    await writeFile(
      file,
      'x-base: &base\n  timeout: 250\n  fallback: false\npolicies:\n  payments:\n    <<: *base\n    timeout: 200\n',
    );

    expect((await start()).limit()).toBe(200);
  });

  it('are refused where merge keys repeat one another without end', async () => {
    const levels = Array.from({ length: 25 }, (_, at) => `x-${at + 1}: &a${at + 1} { <<: [*a${at}, *a${at}] }`);
    await writeFile(file, ['x-0: &a0 { timeout: 200 }', ...levels, 'policies: { payments: *a25 }'].join('\n'));

    expect((await startUpError(metadata({ file }))).message).toContain('alias count');
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

describe('rules in a file that is reached through links', () => {
  /** Puts a link in place of another in one step, as releases do. */
  async function link(target: string, at: string): Promise<void> {
    await symlink(target, `${at}.new`);
    await rename(`${at}.new`, at);
  }

  async function release(name: string, ms: number): Promise<void> {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'rules.yaml'), yaml(ms));
  }

  it('follow a release link above the file, again and again', async () => {
    await release('r1', 300);
    await link('r1', join(folder, 'current'));
    file = join(folder, 'current', 'rules.yaml');
    const { limit } = await start();
    for (const [name, ms] of [['r2', 200] as const, ['r3', 150] as const]) {
      await release(name, ms);
      await link(name, join(folder, 'current'));
      await until(() => limit() === ms, `the rule of ${name}`);
      await rm(join(folder, name === 'r2' ? 'r1' : 'r2'), { recursive: true });
    }

    await writeFile(file, yaml(120));
    await until(() => limit() === 120, 'a change within the release');
  });

  it('follow a ConfigMap', async () => {
    await release('..2030_01', 300);
    await link('..2030_01', join(folder, '..data'));
    await symlink(join('..data', 'rules.yaml'), file);
    const { limit } = await start();
    await release('..2030_02', 200);
    await link('..2030_02', join(folder, '..data'));

    await until(() => limit() === 200, 'the rule');
  });

  it('follow what is written to the target of a link, twice within a moment and with the same length', async () => {
    await release('elsewhere', 300);
    await symlink(join('elsewhere', 'rules.yaml'), file);
    const { limit } = await start();
    for (const ms of [200, 201, 202]) {
      await writeFile(join(folder, 'elsewhere', 'rules.yaml'), yaml(ms));
      if (ms !== 201) await until(() => limit() === ms, `the rule of ${ms} ms`);
    }
  });

  it('follow a folder that is deleted and made again', async () => {
    await release('config', 300);
    file = join(folder, 'config', 'rules.yaml');
    const { limit, log } = await start();
    for (const ms of [200, 150]) {
      await rm(join(folder, 'config'), { recursive: true });
      const gone = (): number => log.ofBulwark('warn').filter((line) => line.includes('is gone')).length;
      await until(() => gone() === (ms === 200 ? 1 : 2), 'the warning');
      await release('config', ms);
      await until(() => limit() === ms, `the rule of ${ms} ms`);
    }
    await writeFile(file, yaml(120));
    await until(() => limit() === 120, 'a change within it');
  });

  it('are followed where nothing can be watched, with a warning', async () => {
    await writeFile(file, yaml(300));
    vi.spyOn(fs, 'watch').mockImplementation(() => {
      throw Object.assign(new Error('System limit for number of file watchers reached'), { code: 'ENOSPC' });
    });
    syncBuiltinESMExports();
    const { limit, log } = await start();
    vi.restoreAllMocks();
    syncBuiltinESMExports();
    expect(log.ofBulwark('warn')).toEqual([expect.stringMatching(/cannot be watched \(System limit.*twice a second/)]);

    await writeFile(file, yaml(200));

    await until(() => limit() === 200, 'the rule');
  });
});

describe('rules in what is no file of a sensible size', () => {
  const refused = async (path: string): Promise<string> => (await startUpError(metadata({ file: path }))).message;

  it('are refused at once', async () => {
    const pipe = join(folder, 'pipe.yaml');
    await promisify(execFile)('mkfifo', [pipe]);
    await mkdir(join(folder, 'folder.json'));
    await writeFile(join(folder, 'large.json'), '{}');
    await truncate(join(folder, 'large.json'), 2 ** 40);
    await writeFile(join(folder, 'latin.yaml'), Buffer.from([0xe9, 0x3a, 0x20, 0x31]));
    const server = createServer().listen(join(folder, 'socket.yaml'));
    onTestFinished(() => void server.close());

    expect(await refused(pipe)).toContain('expected a regular file, got a named pipe');
    expect(await refused('/dev/zero')).toContain('expected a regular file, got a device');
    expect(await refused(join(folder, 'folder.json'))).toContain('expected a regular file, got a directory');
    expect(await refused(join(folder, 'socket.yaml'))).toContain('expected a regular file, got a socket');
    expect(await refused(join(folder, 'large.json'))).toContain('expected at most 1048576 bytes');
    expect(await refused(join(folder, 'latin.yaml'))).toContain('expected text in UTF-8');
  });

  it('leave the rules in force when they come later', async () => {
    await writeFile(file, yaml(300));
    const { limit, log } = await start();
    await promisify(execFile)('mkfifo', [join(folder, 'pipe')]);
    await rename(join(folder, 'pipe'), file);
    const told = (): string[] => log.ofBulwark('error');
    await until(() => told().length > 0, 'the error');
    expect(told().join()).toContain('got a named pipe');
    expect(limit()).toBe(300);

    await writeFile(join(folder, 'new'), yaml(200));
    await rename(join(folder, 'new'), file);

    await until(() => limit() === 200, 'the rule');
    expect(told()).toHaveLength(1);
  });

  const laughs = ['a: &a [1,1,1,1,1,1,1,1,1,1]'];
  for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg'].map((pair) => [...pair] as [string, string]))
    laughs.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(',')}]`);

  it.each([
    ['aliases of aliases', 'yaml', laughs.join('\n')],
    ['deep lists', 'yaml', '['.repeat(40_000)],
    ['deep lists', 'json', '['.repeat(500_000) + ']'.repeat(500_000)],
    ['deep objects', 'json', '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000)],
    ['many values', 'json', JSON.stringify({ version: 1, policies: Array.from({ length: 200_000 }, () => 1) })],
    [
      'many faults',
      'json',
      JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [index, 1]))),
    ],
    ['a long name', 'json', JSON.stringify({ ['x'.repeat(1_000_000)]: 1 })],
    ['a long text', 'json', JSON.stringify({ policies: 'x'.repeat(1_000_000) })],
  ])('are refused soon and shortly: %s in %s', async (_, form, text) => {
    const path = join(folder, `large.${form}`);
    await writeFile(path, text);
    const before = performance.now();
    const message = await refused(path);

    expect(performance.now() - before).toBeLessThan(10_000);
    expect(message.length).toBeLessThan(20_000);
  });

  it('are logged in a line of bounded length', async () => {
    file = join(folder, 'rules.json');
    await writeFile(file, '{}');
    const { log } = await start();
    const faults = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`fault ${index}`, 1]));
    await writeFile(file, JSON.stringify(faults));
    await until(() => log.ofBulwark('error').length > 0, 'the error');

    expect(log.ofBulwark('error')[0]?.length).toBeLessThan(5_000);
  });
});

describe('rules that code has made', () => {
  it('may not stand for more values than anybody can read', async () => {
    const { module } = await start(undefined);
    let laughs: unknown = 1;
    for (let depth = 0; depth < 15; depth++) laughs = Array.from({ length: 10 }, () => laughs);

    const faults = module.get(ResilienceService).rules.validate({ policies: laughs as never });

    expect(faults).toMatchObject([{ message: 'expected at most 100000 values in all' }]);
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
