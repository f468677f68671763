import { Logger } from '@nestjs/common';
import { config, firstValueFrom, map, type Observable } from 'rxjs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { FailoverDataService, FailoverEvent } from '../../../../lib/data/index.js';
import { FailoverScene } from '../../../support/failover-scene.js';
import { DOWN } from '../../../support/memory-data.service.js';

const lines: string[] = [];
const unhandled: unknown[] = [];
const onUnhandled = (error: unknown): void => void unhandled.push(error);

beforeEach(() => {
  lines.length = unhandled.length = 0;
  vi.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void lines.push(String(line)));
  // What rxjs would throw on a timer, which ends a process.
  config.onUnhandledError = onUnhandled;
  process.on('unhandledRejection', onUnhandled);
});
afterEach(() => {
  vi.restoreAllMocks();
  config.onUnhandledError = null;
  process.off('unhandledRejection', onUnhandled);
});

type Subscribe = (events: Observable<FailoverEvent>, data: FailoverDataService) => unknown;

/** What a compiler would warn of. */
const listener = (callback: () => unknown): (() => void) => callback;

const hostile = { toString: () => { throw new Error('no text'); } }; // prettier-ignore
const faulty: Record<string, Subscribe> = {
  'throws': (events) => events.subscribe(() => { throw new Error('faulty'); }), // prettier-ignore
  'throws what has no text': (events) => events.subscribe(() => { throw hostile; }), // prettier-ignore
  'gives a promise that rejects': (events) => events.subscribe(listener(() => Promise.reject(new Error('faulty')))),
  'gives a thenable whose then throws': (events) =>
    events.subscribe(listener(() => ({ then: () => { throw new Error('faulty'); } }))), // prettier-ignore
  'is an observer whose next throws': (events) => events.subscribe({ next: () => { throw new Error('faulty'); } }), // prettier-ignore
  'throws at the end': (events) => events.subscribe({ complete: () => { throw new Error('faulty'); } }), // prettier-ignore
};

for (const [what, subscribe] of Object.entries(faulty)) {
  it(`a subscriber that ${what} hurts nobody, and is logged`, async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    subscribe(data.events$, data);
    const heard: string[] = [];
    data.events$.subscribe(({ type }) => heard.push(type));
    scene.primary.fault = DOWN;
    await data.put('a', 1);
    await data.put('b', 2);
    await scene.close(data);
    await new Promise((resolve) => setImmediate(resolve));

    expect(heard.filter((type) => type === 'queued')).toEqual(['queued', 'queued']);
    expect(await data.get('a').catch((error: Error) => error.constructor.name)).toBe('DataClosedException');
    expect(unhandled).toEqual([]);
    expect(lines.filter((line) => line.startsWith('a subscriber of events$ failed')).length).toBe(1);
  });
}

it('a subscriber that goes on failing is logged once a minute, with a count', async () => {
  const scene = new FailoverScene();
  const data = await scene.openQueued();
  data.events$.subscribe(() => {
    throw new Error('faulty');
  });
  scene.primary.fault = DOWN;
  for (const key of 'abcde') await data.put(key, 1);
  expect(lines).toEqual(['a subscriber of events$ failed: faulty']);
  await scene.clock.advance(61_000);
  await data.put('f', 1);

  expect(lines[1]).toMatch(/^a subscriber of events\$ failed: faulty \(and \d+ times before\)$/);
  expect(lines.length).toBe(2);
});

it('a subscriber may write, subscribe and unsubscribe in its callback', async () => {
  const scene = new FailoverScene();
  const data = await scene.openQueued();
  const heard: string[] = [];
  const written: Promise<void>[] = [];
  const first = data.events$.subscribe((event) => {
    if (event.type !== 'queued') return;
    first.unsubscribe();
    data.events$.subscribe((later) => 'key' in later && heard.push(`inner ${later.key}`));
    written.push(data.put('from the callback', 1));
  });
  data.events$.subscribe((event) => event.type === 'queued' && heard.push(event.key));
  scene.primary.fault = DOWN;
  await data.put('a', 1);
  await Promise.all(written);

  expect(heard).toEqual(['a', 'from the callback', 'inner from the callback']);
});

it('a subscriber that hangs holds up neither writes nor the close', async () => {
  const scene = new FailoverScene();
  const data = await scene.openQueued();
  data.events$.subscribe(listener(() => new Promise(() => undefined)));
  scene.primary.fault = DOWN;
  await data.put('a', 1);
  await scene.close(data);

  expect(lines).toEqual([]);
});

it('operators and firstValueFrom work as on any Observable', async () => {
  const scene = new FailoverScene();
  const data = await scene.openQueued();
  const first = firstValueFrom(data.events$.pipe(map(({ type }) => type)));
  scene.primary.fault = DOWN;
  await data.put('a', 1);

  expect(await first).toBe('queued');
});

it('an error without a text is told in the log', async () => {
  const warnings: string[] = [];
  vi.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => void warnings.push(String(line)));
  const scene = new FailoverScene();
  const data = await scene.openQueued();
  scene.primary.fault = { error: Object.create(null) as Error };
  await data.put('a', 1);

  expect(warnings.some((line) => line.startsWith('writes are queued'))).toBe(true);
  expect(unhandled).toEqual([]);
});
