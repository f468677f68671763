import { expect } from 'vitest';
import type { Making } from '../../lib/kernel/making.js';
import type { PolicyEnvironment } from '../../lib/kernel/policy.js';

type Given = Partial<Omit<Making, 'environment' | 'target'>> & { readonly target?: Partial<Making['target']> };

/** What a kind makes its policy of, alone in its plan: it may take no state and no budget, unless they are given. */
export function makingAlone(environment: PolicyEnvironment, { target, ...given }: Given = {}): Making {
  return {
    environment,
    target: { instanceName: 'Client.load', kind: undefined, parameterCount: 0, http: false, ...target },
    attemptLimit: undefined,
    judge: undefined,
    witness: undefined,
    state: () => expect.fail('it keeps no state'),
    budget: () => expect.fail('it makes no attempts'),
    ...given,
  };
}
