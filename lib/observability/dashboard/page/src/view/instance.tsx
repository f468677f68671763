import { useEffect, useRef } from 'preact/hooks';
import { duration, NONE, percent } from '../model/format.js';
import { detail, refreshDetail } from '../state/detail.js';
import { board, version } from '../state/live.js';
import { Actions } from './actions.js';
import { BreakerCard } from './breaker-card.js';
import { Charts } from './charts.js';
import { Icon } from './icon.js';
import { LimitCards } from './limit-cards.js';
import { Name } from './name.js';
import { PlanCard } from './plan-card.js';
import { RulesCard } from './rules-card.js';
import { StandingMark } from './standing.js';
import { Entries } from './timeline.js';

/** All of one instance. */
export function InstancePage({ name }: { readonly name: string }) {
  void version.value;
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), [name]);
  const instance = board.byName(name);
  const open = detail.value?.name === name ? detail.value : null;
  const data = open?.data ?? null;
  return (
    <article class="page" aria-labelledby="instance-title">
      <nav class="back-line" aria-label="Back">
        <a href="#/" class="back">
          <Icon name="back" /> All instances
        </a>
      </nav>
      <header class="instance-head">
        <div class="instance-title">
          <h1 id="instance-title" tabIndex={-1} ref={title}>
            <Name text={name} />
          </h1>
          {instance && <StandingMark standing={instance.standing} />}
        </div>
        {data?.breaker && <Actions instance={name} state={instance?.numbers.state ?? data.breaker.state} />}
      </header>
      {open?.fault && (
        <p class="banner tone-bad" role="alert">
          {data === null ? open.fault : `Nothing newer: ${open.fault}`}{' '}
          <button type="button" class="link" onClick={refreshDetail}>
            Ask again
          </button>
        </p>
      )}
      {instance && <Figures name={name} />}
      {data === null ? (
        !open?.fault && <p class="empty">Waiting for the app…</p>
      ) : (
        <>
          <Charts history={data.history} />
          <div class="cards">
            <div class="stack">
              {data.breaker && <BreakerCard instance={name} breaker={data.breaker} />}
              <LimitCards detail={data} />
              <RulesCard rules={data.rules} />
            </div>
            <div class="stack">
              <section class="card" aria-labelledby="own-timeline">
                <h2 id="own-timeline">Decisions</h2>
                <Entries
                  of={name}
                  entries={board.timeline.filter((entry) => board.ownerOf(entry.name)?.name === name)}
                />
              </section>
              {data.lastErrors && <Errors errors={data.lastErrors} />}
            </div>
          </div>
          <PlanCard plans={data.plans} />
        </>
      )}
    </article>
  );
}

/** What the row of the list says. */
function Figures({ name }: { readonly name: string }) {
  const numbers = board.byName(name)?.numbers;
  if (numbers === undefined) return null;
  const figures = [
    ['Calls/s', String(numbers.calls)],
    ['Failed', numbers.calls > 0 ? percent(numbers.failures / numbers.calls) : NONE],
    ['Refused/s', String(numbers.refused)],
    ['Substituted/s', String(numbers.substituted)],
    ['p50', duration(numbers.p50)],
    ['p95', duration(numbers.p95)],
    ['p99', duration(numbers.p99)],
    ['In flight', String(numbers.inFlight)],
    ['Waiting', String(numbers.waiting)],
  ] as const;
  return (
    <dl class="figures">
      {figures.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Errors({ errors }: { readonly errors: readonly { readonly at: number; readonly text: string }[] }) {
  return (
    <section class="card" aria-labelledby="errors-title">
      <h2 id="errors-title">Last errors</h2>
      {errors.length === 0 ? (
        <p class="quiet">None since the app started.</p>
      ) : (
        <ol class="entries">
          {[...errors].reverse().map(({ at, text }, index) => (
            <li class="entry" key={`${at} ${index}`}>
              <time dateTime={new Date(at).toISOString()}>{new Date(at).toLocaleTimeString('en-GB')}</time>
              <Icon name="warn" />
              <p class="entry-text code">{text}</p>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
