import type { BreakerState, InstanceDetail } from '../../../protocol.js';
import { count, percent, secondsUntil, visible } from '../model/format.js';
import { STATE_LABELS } from '../model/standing.js';
import { clock } from '../state/live.js';
import { KeyActions } from './actions.js';
import { Name } from './name.js';

type Breaker = NonNullable<InstanceDetail['breaker']>;

/** The breaker of an instance: how it is, why, and what comes next. */
export function BreakerCard({ instance, breaker }: { readonly instance: string; readonly breaker: Breaker }) {
  const { state, reason, probesAt, calls, failureRatio, thresholdRatio, metricsOnly, keys } = breaker;
  return (
    <section class="card" aria-labelledby="breaker-title">
      <h2 id="breaker-title">Circuit breaker</h2>
      <dl class="facts">
        <dt>State</dt>
        <dd>
          <b>{STATE_LABELS[state]}</b>
          {metricsOnly && <span class="badge tone-held">only watches</span>}
        </dd>
        {reason !== '' && (
          <>
            <dt>Why</dt>
            <dd class="wrap">{visible(reason)}</dd>
          </>
        )}
        {probesAt !== null && (
          <>
            <dt>Next probe</dt>
            <dd>
              <Countdown at={probesAt} />
            </dd>
          </>
        )}
        <dt>Window</dt>
        <dd>{count(calls)} calls</dd>
        <dt id="window-share">Failed</dt>
        <dd>
          <Share value={failureRatio} threshold={thresholdRatio} />
        </dd>
      </dl>
      {keys !== null && <Keys instance={instance} keys={keys} />}
    </section>
  );
}

function Countdown({ at }: { readonly at: number }) {
  const seconds = secondsUntil(at, clock.value);
  return <span>{seconds === 0 ? 'with the next call' : `in ${seconds} s`}</span>;
}

/** The share of failures in the window beside the share from which the breaker opens. */
function Share({ value, threshold }: { readonly value: number; readonly threshold: number }) {
  return (
    <span class="share">
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="share-room" width="100" height="8" rx="2" />
        <rect
          class={value >= threshold ? 'share-over' : 'share-value'}
          width={100 * Math.min(1, value)}
          height="8"
          rx="2"
        />
        <rect class="share-mark" x={Math.min(99, 100 * threshold)} width="1" height="8" />
      </svg>
      <span>
        <b>{percent(value)}</b> <span class="quiet">opens at {percent(threshold)}</span>
      </span>
    </span>
  );
}

interface KeysProps {
  readonly instance: string;
  readonly keys: readonly { readonly key: string; readonly state: BreakerState }[];
}

function Keys({ instance, keys }: KeysProps) {
  if (keys.length === 0) return <p class="quiet">It has a breaker for each key; none was used yet.</p>;
  return (
    <div class="scroll table-scroll" tabIndex={0} role="region" aria-label="Keys, those not closed first">
      <table>
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">State</th>
            <th scope="col">
              <span class="hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map(({ key, state }) => (
            <tr key={key}>
              <th scope="row">
                <Name text={key} />
              </th>
              <td class={state === 'closed' ? 'quiet' : 'bad'}>{STATE_LABELS[state]}</td>
              <td>
                <KeyActions instance={instance} of={key} state={state} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
