import { describe, expect, it } from 'vitest';
import { Instances } from '../../../lib/planning/instances.js';
import { CIRCUIT_BREAKERS } from '../../../lib/policies/circuit-breaker/circuit-breaker.kind.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { TestEnvironment } from '../../support/test-environment.js';

describe('who watches the breakers of an app', () => {
  it('hears of those that are there, that come and that go, until it leaves', () => {
    const instances = new Instances(new TestEnvironment());
    const make = (name: string): void => void instances.state(CIRCUIT_BREAKERS, name, { ...CIRCUIT_BREAKER_DEFAULTS });
    const heard: string[] = [];
    make('before');

    const leave = instances.watchBreakers({
      added: ({ name }) => heard.push(`+${name}`),
      removed: ({ name }) => heard.push(`-${name}`),
    });
    make('after');
    make('after');
    instances.release('before');
    instances.clear();
    leave();
    make('unheard');

    expect(heard).toEqual(['+before', '+after', '-before', '-after']);
  });
});
