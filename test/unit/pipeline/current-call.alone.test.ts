import { afterAll, describe, expect, it, vi } from 'vitest';
import { currentCall, enableCallContext, inCall } from '../../../lib/pipeline/current-call.js';
import { newCall } from '../../support/calls.js';
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

  it('makes its signal when it is asked for', () => {
    enableCallContext();
    const made = countControllers();
    const seen = inCall(newCall(app), () => currentCall());
    expect(made()).toBe(0);

    expect(seen?.signal.aborted).toBe(false);

    expect(made()).toBe(1);
    vi.unstubAllGlobals();
  });
});
