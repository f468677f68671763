import type { Labels } from '../meters/meter.js';
import type { Line, Scraped } from './scraped-metric.js';

/** How labels that come again were written. */
const written = new WeakMap<Labels, string>();

/**
 * The text format of Prometheus, as prom-client writes it. Of an app with many instances it is some megabytes, and this
 * takes a small part of the time that prom-client needs: it holds up the event loop for as long.
 */
export function textOf({ name, help, type, values }: Scraped): string {
  const lines = values.map((line) => `${line.metricName ?? name}${labelsOf(line)} ${numberOf(line.value)}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}

function labelsOf({ le, labels }: Line): string {
  let shared = written.get(labels);
  if (shared === undefined) written.set(labels, (shared = write(labels)));
  if (le === undefined) return shared === '' ? '' : `{${shared}}`;
  return `{le="${le}",${shared}}`;
}

function write(labels: Labels): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}="${escape(value)}"`)
    .join(',');
}

function escape(value: string): string {
  return value.replace(/[\\\n"]/g, (one) => (one === '\n' ? '\\n' : `\\${one}`));
}

function numberOf(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
