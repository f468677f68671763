import { describe, expect, it } from 'vitest';
import { CallThrottledException } from '../../../../lib/errors/call-throttled.exception.js';
import type { AdaptiveThrottleGuard } from '../../../../lib/policies/adaptive-throttle/adaptive-throttle.guard.js';
import { Loss } from '../../../../lib/kernel/loss.js';
import {
  ADAPTIVE_THROTTLE,
  ADAPTIVE_THROTTLES,
} from '../../../../lib/policies/adaptive-throttle/adaptive-throttle.kind.js';
import { execute, method, newCall } from '../../../support/calls.js';
import { makingAlone } from '../../../support/making.js';
import { errorOf } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const PLACE = 'Client.load, @AdaptiveThrottle';

/** What counts under the name `search`, and a guard of a method as a plan makes it. */
function make() {
  const environment = Object.assign(new TestEnvironment(), { random: () => 0 });
  const { clock } = environment;
  const options = { ...ADAPTIVE_THROTTLE.defaults, ...ADAPTIVE_THROTTLE.parse(PLACE, { window: 10_000 }) };
  const throttle = ADAPTIVE_THROTTLES.create('search', options, environment, undefined);
  const making = makingAlone(environment, {
    state: (kind) => ((kind as unknown) === ADAPTIVE_THROTTLES ? (throttle as never) : expect.fail('another state')),
  });
  const step = { place: 'adaptiveThrottle' as const, name: 'search', options, sources: {}, ruling: undefined };
  const { guard } = ADAPTIVE_THROTTLE.make(step, making) as { guard: AdaptiveThrottleGuard };
  const lossIn = (ms: number) => ADAPTIVE_THROTTLES.lossWith(throttle, clock.now() + ms);
  return { environment, clock, throttle, guard, lossIn };
}

describe('the kind of an adaptive throttle', () => {
  it('copies the options that it is given', () => {
    const options = { factor: 1.5 };

    expect(ADAPTIVE_THROTTLE.parse(PLACE, options)).toEqual(options);
    expect(ADAPTIVE_THROTTLE.parse(PLACE, options)).not.toBe(options);
    expect(() => ADAPTIVE_THROTTLE.parse(PLACE, { factor: 0 })).toThrow(`${PLACE}: option 'factor': expected`);
  });

  it('refuses under the name of its state, by what all of that name have seen', async () => {
    const { environment, clock, throttle, guard } = make();
    for (let one = 0; one < 10; one++) throttle.ended(false, clock.now());

    const error = await errorOf(
      execute(
        guard,
        newCall(environment),
        method(() => 'value'),
      ),
    );

    expect(error).toBeInstanceOf(CallThrottledException);
    expect(error).toMatchObject({ instanceName: 'search' });
  });

  it('holds nothing of an attempt while that runs', () => {
    expect(make().guard.holds).toBe(false);
  });

  it('loses something with its state only while it refuses calls', () => {
    const { clock, throttle, lossIn } = make();
    throttle.ended(true, clock.now());
    expect(lossIn(0)).toBe(Loss.Nothing);
    for (let one = 0; one < 10; one++) throttle.ended(false, clock.now());
    expect(lossIn(0)).toBe(Loss.Memory);

    expect(lossIn(10_500)).toBe(Loss.Nothing);
  });

  it('leaves to code whose state it is', () => {
    expect(ADAPTIVE_THROTTLE.codeOnly).toEqual(['scope']);
    expect(ADAPTIVE_THROTTLE.state).toBe(ADAPTIVE_THROTTLES);
  });
});
