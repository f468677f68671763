import { afterAll, describe, expect, it, vi } from 'vitest';
import { callOf } from '../../../lib/kernel/call.js';
import { currentCall, enableCallContext, inCall } from '../../../lib/pipeline/current-call.js';
import { limit, newCall } from '../../support/calls.js';
import { countControllers } from '../../support/count-controllers.js';
import { TestEnvironment } from '../../support/test-environment.js';

const environment = new TestEnvironment();
const app = { clock: environment.clock, callContext: true };
const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
afterAll(() => warnings.mockRestore());

// One process, one order: the context can be turned on, but not off again.
describe('currentCall', () => {
  it('is undefined with one warning, as long as no app asks for it', () => {
    const seen = [currentCall(), currentCall(), inCall(newCall(app), () => currentCall())];

    expect(seen).toEqual([undefined, undefined, undefined]);
    expect(warnings.mock.calls).toHaveLength(1);
    expect(warnings.mock.calls[0]?.[0]).toContain('callContext: true');
  });

  it('is the running call, anywhere below it, and undefined outside', async () => {
    enableCallContext();
    const call = newCall(app);
    const attempt = callOf(call).nextAttempt();

    const seen = await inCall(attempt, async () => {
      await Promise.resolve();
      return currentCall();
    });

    expect(seen?.attempt).toBe(2);
    expect(seen?.signal).toBe(attempt.signal);
    expect(currentCall()).toBeUndefined();
  });

  it('is unknown in an app that has not asked for it', () => {
    expect(inCall(newCall(environment), () => currentCall())).toBeUndefined();
  });

  it('has the deadline in epoch ms, and the time left', () => {
    const call = newCall(app);
    limit(call, environment.clock.now() + 800);

    const seen = inCall(call, () => currentCall());
    environment.clock.block(300);

    expect(seen?.deadline).toBe(environment.clock.wallNow() + 500);
    expect(seen?.timeLeft()).toBe(500);
  });

  it('has no deadline, where nothing bounds the call', () => {
    const seen = inCall(newCall(app), () => currentCall());

    expect([seen?.deadline, seen?.timeLeft()]).toEqual([undefined, Infinity]);
  });

  it('makes its signal when it is asked for', () => {
    const made = countControllers();
    const seen = inCall(newCall(app), () => currentCall());
    expect(made()).toBe(0);

    expect(seen?.signal.aborted).toBe(false);

    expect(made()).toBe(1);
    vi.unstubAllGlobals();
  });
});
