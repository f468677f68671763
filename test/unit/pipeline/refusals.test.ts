import { describe, expect, it, vi } from 'vitest';
import { BulkheadFullException } from '../../../lib/errors/bulkhead-full.exception.js';
import type { Call } from '../../../lib/kernel/call.js';
import { callOf } from '../../../lib/kernel/call.js';
import { PASS, type Decision } from '../../../lib/kernel/decision.js';
import { Failure } from '../../../lib/kernel/outcome/failure.js';
import { REFUSAL_DECISION } from '../../../lib/pipeline/refusal.decision.js';
import { SKIP_DECISION } from '../../../lib/pipeline/skip.decision.js';
import { newCall, type Given } from '../../support/calls.js';
import { TestEnvironment } from '../../support/test-environment.js';

const full = new BulkheadFullException({ policy: 'bulkhead', instanceName: 'jobs', message: 'full' });

/** What a decision makes of the error of a call, and what is told of it to those who observe the call. */
function decide(decision: Decision, error: unknown, given: Given = {}, begun = false) {
  const attempt = newCall(new TestEnvironment(), given);
  const call: Call = callOf(attempt);
  const substituted = vi.fn();
  call.observation = { substituted };
  call.begun = begun;
  return { call, substituted, verdict: decision.failed(call, new Failure(error), false) };
}

describe('a call that answers its own refusals', () => {
  it('gives what it says to a refusal, which is told', () => {
    const onRefused = vi.fn().mockReturnValue('later');

    const { verdict, substituted, call } = decide(REFUSAL_DECISION, full, { onRefused });

    expect(verdict).toBe('later');
    expect(onRefused).toHaveBeenCalledWith(full, expect.anything());
    // The handler sees what goes on in place of the call.
    const [, info] = onRefused.mock.calls[0] as [unknown, { className: string }];
    expect(info).not.toBe(call);
    expect(info.className).toBe('Client');
    expect(substituted).toHaveBeenCalledTimes(1);
  });

  it('lets other errors pass, and those of calls that say nothing', () => {
    const onRefused = vi.fn();

    const other = decide(REFUSAL_DECISION, new Error('no'), { onRefused });
    const silent = decide(REFUSAL_DECISION, full);

    expect([other.verdict, silent.verdict]).toEqual([PASS, PASS]);
    expect(onRefused).not.toHaveBeenCalled();
    expect(other.substituted).not.toHaveBeenCalled();
  });
});

describe('a scheduled job', () => {
  it('is skipped where its bulkhead is full, and no error', () => {
    const { verdict, substituted } = decide(SKIP_DECISION, full);

    expect(verdict).toBeUndefined();
    expect(substituted).toHaveBeenCalledWith('refused');
  });

  it('fails by a bulkhead that its work meets, and by any other error', () => {
    expect(decide(SKIP_DECISION, full, {}, true).verdict).toBe(PASS);
    const other = decide(SKIP_DECISION, new Error('no'));

    expect(other.verdict).toBe(PASS);
    expect(other.substituted).not.toHaveBeenCalled();
  });

  it('is skipped also where nobody observes it', () => {
    const call = callOf(newCall(new TestEnvironment()));

    expect(SKIP_DECISION.failed(call, new Failure(full), false)).toBeUndefined();
  });
});
