import { Breaker, ResilienceService } from 'nestjs-bulwark';
import type OpossumBreaker from 'opossum';
import { expect, it, onTestFinished, vi } from 'vitest';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { plainOpossum } from '../support/plain-opossum.js';
import { startQuietApp } from '../support/quiet-app.js';
import { clientOf, pageOf } from './pages.js';
import { tell, type Step } from './story.js';

const OUTAGE: readonly Step[] = [
  { upstream: 'up' },
  { upstream: 'down' },
  { upstream: 'hanging' },
  { upstream: 'down' },
  { upstream: 'up' },
  { upstream: 'hanging', after: 5_000 },
  { upstream: 'up' },
  { upstream: 'up', after: 5_000 },
  { upstream: 'up' },
];

const STORY = [
  'up: 1.08, asked 1, closed',
  'down: 1, asked 1, closed',
  'hanging: 1, asked 1, closed',
  'down: 1, asked 1, open',
  'up: 1, asked 0, open',
  'hanging: 1, asked 1, open',
  'up: 1, asked 0, open',
  'up: 1.08, asked 1, closed',
  'up: 1.08, asked 1, closed',
];

it('tells the same story of an outage before and after', async () => {
  const Before = await clientOf('from-opossum', 'before.ts');
  const After = await clientOf('from-opossum', 'after.ts');
  const before = new Before() as InstanceType<typeof Before> & { breaker: OpossumBreaker; onModuleDestroy(): void };
  onTestFinished(() => before.onModuleDestroy());
  const app = await startQuietApp([After]);
  const after = app.get(ResilienceService).circuitBreaker('rates');
  const { breaker } = before;
  const warn = vi.spyOn(console, 'warn').mockReturnValue();
  onTestFinished(() => warn.mockRestore());

  const told = await tell(before, () => (breaker.closed ? 'closed' : breaker.opened ? 'open' : 'halfOpen'), OUTAGE);

  expect(told).toEqual(STORY);
  expect(await tell(app.get(After), () => after.state, OUTAGE)).toEqual(told);
  expect(warn.mock.calls).toEqual([['rates are away'], ['rates are away']]);
});

it('says the defaults of both sides', async () => {
  const [, table = ''] = /^\| option .*\n\|[ -|]+\n((?:\|.*\n)+)/m.exec(await pageOf('from-opossum')) ?? [];
  const rows = table
    .trim()
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')));
  const numbers = (column: number): Record<string, string> =>
    Object.fromEntries(
      rows
        .filter((row) => /^(?:[\d_]+|true|false)$/.test(row[column] ?? ''))
        .map((row) => [row[1] ?? '', (row[column] ?? '').replaceAll('_', '')]),
    );
  const theirs = plainOpossum();
  // Its constructor keeps these where they were: it reads an absent one as what the page says.
  const unsaid = {
    volumeThreshold: theirs.volumeThreshold,
    allowWarmUp: theirs.warmUp,
    enabled: theirs.enabled,
    cache: false,
  };

  expect(numbers(3)).toEqual(textOf({ ...(theirs as unknown as { options: object }).options, ...unsaid }, numbers(3)));
  expect(numbers(4)).toEqual(textOf({ ...CIRCUIT_BREAKER_DEFAULTS }, numbers(4)));
  expect(Object.keys(numbers(4))).toHaveLength(9);
});

const textOf = (options: Record<string, unknown>, keys: object): Record<string, string> =>
  Object.fromEntries(Object.keys(keys).map((key) => [key, String(options[key])]));

it('knows its own errors by the codes of the page', async () => {
  const rows = [...(await pageOf('from-opossum')).matchAll(/^\| `E\w+` +\| `(\w+)` +\| `(\w+)` +\| (\d+) +\|$/gm)];
  const library = (await import('nestjs-bulwark')) as unknown as Record<
    string,
    new (init: object) => { code: string; getStatus(): number }
  >;

  const made = rows.map(([, , name = '']) => {
    const error = new (library[name] as (typeof library)[string])({ policy: 'circuitBreaker', message: 'no' });
    return [error.code, name, String(error.getStatus()), Breaker.isOurError(error)];
  });

  expect(rows).toHaveLength(4);
  expect(made).toEqual(rows.map(([, code, name, status]) => [code, name, status, true]));
});
