import type { InstanceDetail } from '../../../protocol.js';
import { count, duration } from '../model/format.js';

/** The limits that go by the name of an instance, those that there are. */
export function LimitCards({ detail }: { readonly detail: InstanceDetail }) {
  const { bulkhead, rateLimit, budget } = detail;
  if (bulkhead === null && rateLimit === null && budget === null) return null;
  return (
    <section class="card" aria-labelledby="limits-title">
      <h2 id="limits-title">Limits</h2>
      <dl class="facts">
        {bulkhead && (
          <>
            <dt>Bulkhead</dt>
            <dd>
              <b>{count(bulkhead.active)}</b>
              {bulkhead.keys === null
                ? ` of ${count(bulkhead.limit)} running, `
                : ` running in ${count(bulkhead.keys)} keys, at most ${count(bulkhead.limit)} each, `}
              <Waiting number={bulkhead.waiting} />
            </dd>
          </>
        )}
        {rateLimit && (
          <>
            <dt>Rate limit</dt>
            <dd>
              {rateLimit.available !== null && (
                <>
                  <b>{count(rateLimit.available)}</b> free of{' '}
                </>
              )}
              {count(rateLimit.limit)} per {duration(rateLimit.per)}, <Waiting number={rateLimit.waiting} />
            </dd>
          </>
        )}
        {budget && (
          <>
            <dt>Retry budget</dt>
            <dd>
              <b>{count(budget.tokens)}</b> tokens left
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}

function Waiting({ number }: { readonly number: number }) {
  return <span class={number > 0 ? 'bad' : 'quiet'}>{count(number)} waiting</span>;
}
