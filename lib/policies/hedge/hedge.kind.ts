import type { Attempt } from '../../kernel/attempt.js';
import type { PolicyKind } from '../../kernel/policy-kind.js';
import { HEDGE_DEFAULTS, parseHedge, resolveHedge, type HedgeSetting, type ResolvedHedge } from './hedge.options.js';
import { Hedging } from './hedging.js';

type InSet = HedgeSetting | false;

export const HEDGE: PolicyKind<'hedge', InSet, InSet> = {
  key: 'hedge',
  places: ['hedge'],
  parse: (place, setting) => ({ ...parseHedge(place, setting) }),
  defaults: HEDGE_DEFAULTS,
  codeOnly: [],
  budget: 'takes',
  refusesStreams: 'a hedge',
  takesAnswers: true,
  isEmpty: ({ after }) => after === undefined,
  resolve: (place, options) => ({ ...resolveHedge(place, options) }),
  make: ({ name, options }, making) => {
    const { judge, environment } = making;
    const { budget, isFirst } = making.budget();
    const closed = judge === undefined ? undefined : (attempt: Attempt) => judge.isClosedFor(attempt);
    return {
      junction: new Hedging(name, options as unknown as ResolvedHedge, environment, { budget, earns: isFirst, closed }),
    };
  },
};
