import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FailoverDataOptions, FailoverDataService } from '../../../../lib/data/index.js';
import { FailoverScene } from '../../../support/failover-scene.js';
import { track } from '../../../support/settle.js';

Logger.overrideLogger(false);

const unhandled: unknown[] = [];
const onUnhandled = (error: unknown): void => void unhandled.push(error);
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', onUnhandled);
});
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', onUnhandled);
  expect(unhandled).toEqual([]);
});

/** What a user's function may do in place of its work. */
const misdeeds: Record<string, () => unknown> = {
  'throws': () => { throw new Error('faulty'); }, // prettier-ignore
  'throws nothing': () => { throw undefined; }, // prettier-ignore
  'gives a promise that rejects': () => Promise.reject(new Error('faulty')),
  'gives a promise of rubbish': () => Promise.resolve({ rubbish: true }),
  'gives rubbish': () => Symbol('rubbish'),
  'gives nothing': () => undefined,
  'hangs': () => new Promise(() => undefined), // prettier-ignore
};

/** Where `failoverData` takes a function; what a new option brings is added here. */
const callbacks: Record<keyof FailoverDataOptions, Record<string, (misdeed: () => never) => object>> = {
  primary: { 'useFactory of the primary': (misdeed) => ({ primary: { useFactory: misdeed } }) },
  standbys: {
    'useFactory of a replica': (misdeed) => ({ reads: 'fallback', standbys: [{ replica: { useFactory: misdeed } }] }),
    'useFactory of a mirror': (misdeed) => ({ reads: 'fallback', standbys: [{ mirror: { useFactory: misdeed } }] }),
  },
  breaker: {
    'resetTimeout of the breaker': (misdeed) => ({ breaker: { resetTimeout: misdeed } }),
    'shouldTrip() of the trip strategy': (misdeed) => ({ breaker: { trip: { name: 'own', shouldTrip: misdeed } } }),
    'track() of the trip strategy': (misdeed) => ({
      breaker: { trip: { name: 'own', shouldTrip: () => false, track: misdeed } },
    }),
    'the tracker of the trip strategy': (misdeed) => ({
      breaker: {
        trip: {
          name: 'own',
          shouldTrip: () => false,
          track: () => ({ record: misdeed, recordLost: misdeed, reset: misdeed, shouldTrip: misdeed }),
        },
      },
    }),
  },
  reads: {},
  writes: {},
  queue: {},
  timeout: {},
  tombstones: {},
};

for (const [option, places] of Object.entries(callbacks)) {
  for (const [place, optionsOf] of Object.entries(places)) {
    describe(`option ${option}: ${place}`, () => {
      it.each(Object.entries(misdeeds))('%s', async (_, misdeed) => {
        const scene = new FailoverScene();
        const opening = track(scene.openQueued(optionsOf(misdeed as () => never)));
        await scene.clock.advance(11_000);
        expect(opening.status).not.toBe('pending');
        // Either it says at the start what is wrong, or it serves.
        if (opening.status === 'rejected') return;
        const data = opening.outcome as FailoverDataService;
        const calls = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((key) => track(data.put(key, 1)));
        const reads = ['a', 'b'].map((key) => track(data.get(key)));
        await scene.clock.advance(11_000);
        const closed = track(data.close());
        await scene.clock.advance(30_000);

        expect([...calls, ...reads, closed].map(({ status }) => status)).not.toContain('pending');
        expect(calls.map(({ outcome }) => outcome)).toEqual(calls.map(() => undefined));
      });
    });
  }
}
