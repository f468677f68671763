import type { DashboardState } from '../../observability/dashboard/protocol.js';
import { formatNumber } from '../shell/format.js';
import { safeText } from '../shell/safe-text.js';
import { instancesOf, isNotClosed, type InstanceView } from './instance-view.js';
import { fit } from './text-width.js';

/** How a table is written. */
export interface TableStyle {
  /** Characters a line. */
  readonly width: number;
  /** Lines in all; Infinity where there is no end. */
  readonly height: number;
  readonly colours: boolean;
}

/** Narrower than this, names cannot be told apart. */
export const LEAST_WIDTH = 60;
const MOST_DECISIONS = 5;

const COLUMNS: readonly {
  readonly title: string;
  readonly width: number;
  readonly of: (one: InstanceView) => string;
}[] = [
  { title: 'STATE', width: 10, of: stateOf },
  { title: 'CALLS', width: 6, of: ({ calls }) => short(calls) },
  { title: 'FAIL', width: 5, of: ({ failures }) => short(failures) },
  { title: 'REFUSE', width: 6, of: ({ refused }) => short(refused) },
  { title: 'P95', width: 6, of: ({ p95 }) => duration(p95) },
  { title: 'RUN', width: 5, of: ({ inFlight }) => short(inFlight) },
  { title: 'WAIT', width: 5, of: ({ waiting }) => short(waiting) },
];
const RIGHT = COLUMNS.reduce((sum, { width }) => sum + 1 + width, 0);

/** The state of an app as lines: who speaks, its instances, its last decisions. */
export function tableOf(state: DashboardState, style: TableStyle): string[] {
  const instances = instancesOf(state);
  const decisions = decisionsOf(state, style);
  const head = [...headOf(state, instances).map((line) => fit(line, style.width).trimEnd()), ''];
  const room = Math.max(1, style.height - head.length - 2 - decisions.length);
  const shown = instances.slice(0, room);
  const left = instances.length - shown.length;
  return [
    ...head,
    titles(style),
    ...shown.map((one) => rowOf(one, style)),
    ...(left > 0 ? [`... and ${formatNumber(left, 'instance', 'instances')} more`] : []),
    ...decisions,
  ];
}

export function titles({ width }: Pick<TableStyle, 'width'>): string {
  return row(
    'INSTANCE',
    COLUMNS.map(({ title }) => title),
    width,
  ).trimEnd();
}

/** One instance in a line. */
export function rowOf(one: InstanceView, { width, colours }: Pick<TableStyle, 'width' | 'colours'>): string {
  const line = row(
    safeText(one.name),
    COLUMNS.map(({ of }) => of(one)),
    width,
  );
  const colour = colours ? colourOf(one) : undefined;
  return colour === undefined ? line : `\x1b[${colour}m${line}\x1b[0m`;
}

function row(name: string, cells: readonly string[], width: number): string {
  const [state = '', ...figures] = cells;
  const rest = figures.map((cell, index) => cell.padStart(COLUMNS[index + 1]?.width ?? 0)).join(' ');
  return `${fit(name, width - RIGHT)} ${state.padEnd(COLUMNS[0]?.width ?? 0)} ${rest}`;
}

function headOf(
  { process, now, draining, ingress, fleet }: DashboardState,
  instances: readonly InstanceView[],
): string[] {
  const notClosed = instances.filter(isNotClosed).length;
  const what = [
    `${safeText(process.host)} pid ${process.pid}`,
    `nestjs-bulwark ${safeText(String(process.version))}`,
    `up ${age(now - process.startedAt)}`,
    formatNumber(instances.length, 'instance', 'instances'),
    `${notClosed} not closed`,
    ...(fleet ? ['in a fleet'] : []),
    ...(draining ? ['DRAINING'] : []),
  ];
  const { active, limit, loopDelayMs, shed } = ingress ?? { active: 0, limit: null, loopDelayMs: 0, shed: 0 };
  const gate = `requests: ${active} worked on, limit ${limit ?? 'none'}, ${shed} turned away, event loop held up ${Math.round(loopDelayMs)} ms`;
  return [what.join(', '), ...(ingress === null ? [] : [gate])];
}

function decisionsOf({ timeline }: DashboardState, { width, height }: TableStyle): string[] {
  const most = height === Infinity ? MOST_DECISIONS : Math.min(MOST_DECISIONS, Math.floor(height / 4));
  const newest = [...timeline].sort((a, b) => a.id - b.id).slice(-most);
  if (most === 0 || newest.length === 0) return [];
  const lines = newest.map(({ at, name, text, repeats }) => {
    const again = repeats > 0 ? ` (${repeats} more)` : '';
    // A text mostly begins with the name already.
    const what = text.startsWith(name) ? text : `${name}: ${text}`;
    return fit(`${clock(at)} ${safeText(what)}${again}`, width).trimEnd();
  });
  return ['', ...lines];
}

function stateOf({ state, keysNotClosed }: InstanceView): string {
  if (keysNotClosed > 0 && (state === 'closed' || state === null)) return `${short(keysNotClosed)} keys`;
  return state ?? '-';
}

const RED = 31;
const YELLOW = 33;

function colourOf(one: InstanceView): number | undefined {
  if (one.state === 'open' || one.state === 'forcedOpen') return RED;
  return isNotClosed(one) ? YELLOW : undefined;
}

/** 12345: `12.3k`: never longer than 5 characters below a billion. */
function short(count: number): string {
  if (count < 10_000) return String(Math.round(count));
  const [value, unit] = count < 1_000_000 ? [count / 1_000, 'k'] : [count / 1_000_000, 'M'];
  return `${value < 100 ? value.toFixed(1) : Math.round(value)}${unit}`;
}

function duration(ms: number | null): string {
  if (ms === null) return '-';
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)}ms`;
  return `${ms < 100_000 ? (ms / 1_000).toFixed(1) : Math.round(ms / 1_000)}s`;
}

function age(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h${minutes % 60}m` : `${Math.floor(hours / 24)}d`;
}

/** The time of day, UTC: whoever looks may be anywhere. */
export function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}
