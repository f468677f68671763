import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNewer, VersionClock } from '../../../../lib/data/port/version-clock.js';

describe('VersionClock', () => {
  it('gives out versions that sort as they were given out, whatever the wall clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 42 }), { minLength: 2 }), (times) => {
        let now = 0;
        const clock = new VersionClock(() => now);
        const given = times.map((time) => {
          now = time;
          return clock.next();
        });

        expect(given.toSorted()).toEqual(given);
        expect(new Set(given).size).toBe(given.length);
      }),
    );
  });

  it('goes on above a version that it has seen', () => {
    const ahead = new VersionClock(() => 5_000);
    const behind = new VersionClock(() => 1_000);
    const seen = ahead.next();

    behind.observe(seen);

    expect(isNewer(behind.next(), seen)).toBe(true);
  });

  it('never gives out the same version as another clock', () => {
    expect(new VersionClock(() => 1).next()).not.toBe(new VersionClock(() => 1).next());
  });

  it('goes on when the counter of one moment is used up', () => {
    const clock = new VersionClock(() => 1_000);
    let last = clock.next();

    for (let i = 0; i < 70_000; i++) {
      const next = clock.next();
      if (!isNewer(next, last)) expect.unreachable(`${next} came after ${last}`);
      last = next;
    }
  });

  it('passes over what is no version', () => {
    const clock = new VersionClock(() => 1_000);

    clock.observe('ffff');

    expect(clock.next()).toMatch(/^0000000003e80000/);
  });
});
