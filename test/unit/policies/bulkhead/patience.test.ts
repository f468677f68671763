import { describe, expect, it } from 'vitest';
import { Patiences } from '../../../../lib/policies/bulkhead/patience.js';
import { limit, newCall } from '../../../support/calls.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const environment = new TestEnvironment();
const patiences = (maxWait?: number): Patiences => new Patiences(maxWait, environment);

describe('how long a call waits for a slot', () => {
  it('is maxWait, whatever else bounds it', () => {
    const waits = patiences(200);
    const bounded = newCall(environment);
    limit(bounded, environment.clock.now() + 10);

    expect(waits.of(newCall(environment))).toMatchObject({ queue: { ms: 200 }, untilStalled: false });
    expect(waits.of(bounded)).toBe(waits.of(newCall(environment)));
  });

  it('is as long as it takes, where Infinity was said', () => {
    expect(patiences(Infinity).of(newCall(environment))).toBeUndefined();
  });

  it('is until slots do not come back, where nothing bounds it', () => {
    const waits = patiences();
    const patience = waits.of(newCall(environment));

    expect(patience).toMatchObject({ queue: { ms: 30_000 }, untilStalled: true });
    expect(waits.of(newCall(environment))).toBe(patience);
  });

  it('is what its own limits and its signal allow', () => {
    const bounded = newCall(environment);
    limit(bounded, environment.clock.now() + 10);
    const signalled = newCall(environment, { signal: new AbortController().signal });

    expect([patiences().of(bounded), patiences().of(signalled)]).toEqual([undefined, undefined]);
  });

  it('changes for those who come later, and only where it is another', () => {
    const waits = patiences(200);
    const before = waits.of(newCall(environment));
    waits.reconfigure(200);
    expect(waits.of(newCall(environment))).toBe(before);

    waits.reconfigure(300);
    expect(waits.of(newCall(environment))).toMatchObject({ queue: { ms: 300 } });
    waits.reconfigure(undefined);

    expect(waits.of(newCall(environment))).toMatchObject({ untilStalled: true });
  });
});
