import { describe, expect, it } from 'vitest';
import { TimeoutException } from '../../../lib/errors/timeout.exception.js';
import { Lifecycle } from '../../../lib/kernel/lifecycle.js';
import { Incoming, overFromOutside } from '../../../lib/pipeline/incoming-call.js';
import { enableCallContext, outerCall } from '../../../lib/pipeline/current-call.js';
import { VirtualClock } from '../../support/virtual-clock.js';

function begin() {
  const clock = new VirtualClock();
  const call = new Incoming(clock, new Lifecycle()).begin();
  let reason: unknown;
  call.onAbort((cause) => (reason = cause));
  return { clock, call, reason: () => reason };
}

describe('what is called for a request', () => {
  it('has the time that it brings, from the moment at which it came', async () => {
    const { clock, call, reason } = begin();
    const came = clock.now();
    await clock.advance(60);

    call.limit(100, came);

    await clock.advance(39);
    expect(reason()).toBeUndefined();
    await clock.advance(1);
    expect(reason()).toBeInstanceOf(TimeoutException);
  });

  it('does not begin when its time was over before', async () => {
    const { clock, call, reason } = begin();
    const came = clock.now();
    await clock.advance(100);

    call.limit(100, came);

    expect(reason()).toBeInstanceOf(TimeoutException);
  });

  it('keeps its limit when nobody waits for it any more', async () => {
    const { clock, call, reason } = begin();
    call.limit(1_000);
    await clock.advance(500);

    call.desert();

    await clock.advance(499);
    expect(reason()).toBeUndefined();
    await clock.advance(1);
    expect(reason()).toBeInstanceOf(TimeoutException);
    expect(clock.pending).toBe(0);
  });

  it('is over at once when its caller leaves with hardly any time left', async () => {
    const { clock, call, reason } = begin();
    call.limit(1_000);
    await clock.advance(930);

    call.desert();

    expect(reason()).toBeInstanceOf(TimeoutException);
  });

  it('knows that its time is as good as over', async () => {
    enableCallContext();
    const { clock, call } = begin();
    call.limit(1_000);
    const attempt = call.run(() => outerCall());
    if (attempt === undefined) throw new Error('no running call');

    expect(overFromOutside(attempt)).toBeUndefined();
    await clock.advance(997);
    expect(overFromOutside(attempt)).toBeUndefined();
    await clock.advance(2);
    expect(overFromOutside(attempt)).toBeInstanceOf(TimeoutException);
    call.end();
    expect(overFromOutside(attempt)).toBeUndefined();
  });
});
