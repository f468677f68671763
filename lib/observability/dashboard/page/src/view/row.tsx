import type { Instance } from '../model/instance.js';
import { count, duration, percent, visible } from '../model/format.js';
import { addressOf } from '../model/route.js';
import { toneOf } from '../model/standing.js';
import { Name } from './name.js';
import { Sparkline } from './sparkline.js';
import { StandingMark } from './standing.js';

interface RowProps {
  readonly instance: Instance;
  readonly id: string;
  /** From 0. */
  readonly place: number;
  readonly active: boolean;
}

export function Row({ instance, id, place, active }: RowProps) {
  const { name, guards, numbers, standing, trend } = instance;
  const share = numbers.calls > 0 ? numbers.failures / numbers.calls : null;
  const others = guards.filter((guard) => guard !== name);
  return (
    <div
      id={id}
      class={`row standing-${standing} tone-${toneOf(standing)}`}
      role="row"
      aria-rowindex={place + 2}
      aria-selected={active}
      data-name={name}
    >
      <span role="gridcell" class="c-state">
        <StandingMark standing={standing} />
      </span>
      <span role="gridcell" class="c-name">
        <a href={addressOf(name)} tabIndex={-1}>
          <Name text={name} />
        </a>
        {others.length > 0 && (
          <span class="guards" title={visible(others.join(', '))}>
            {visible(others.join(', '))}
          </span>
        )}
      </span>
      <span role="gridcell" class="c-spark">
        <Sparkline trend={trend} />
      </span>
      <Figure label="calls/s" value={count(numbers.calls)} zero={numbers.calls === 0} />
      <Figure label="failed" value={percent(share)} zero={!share} bad={(share ?? 0) >= 0.05} />
      <Figure label="refused/s" value={count(numbers.refused)} zero={numbers.refused === 0} bad={numbers.refused > 0} />
      <Figure label="subst./s" value={count(numbers.substituted)} zero={numbers.substituted === 0} />
      <Figure label="p50" value={duration(numbers.p50)} zero={numbers.p50 === null} />
      <Figure label="p95" value={duration(numbers.p95)} zero={numbers.p95 === null} />
      <Figure label="p99" value={duration(numbers.p99)} zero={numbers.p99 === null} />
      <Figure label="in flight" value={count(numbers.inFlight)} zero={numbers.inFlight === 0} />
      <Figure label="waiting" value={count(numbers.waiting)} zero={numbers.waiting === 0} bad={numbers.waiting > 0} />
    </div>
  );
}

interface FigureProps {
  /** Shown beside it where there is no head above. */
  readonly label: string;
  readonly value: string;
  readonly zero: boolean;
  readonly bad?: boolean;
}

function Figure({ label, value, zero, bad = false }: FigureProps) {
  return (
    <span role="gridcell" class={`figure ${zero ? 'zero' : ''} ${bad ? 'bad' : ''}`}>
      <b>{value}</b>
      <small>{label}</small>
    </span>
  );
}
