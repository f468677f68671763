import { packageVersion } from '../../module/runtime/package-version.js';
import type { IngressReport } from '../../read-model/instance-report.js';
import { counter, gauge, type Across, type Meter } from './meter.js';
import { snakeCase } from './snake-case.js';

const SECOND_MS = 1_000;

const ingress = (
  name: string,
  unit: string,
  help: string,
  across: Across,
  pick: (of: IngressReport) => number,
): Meter =>
  gauge(name, unit, help, across, (reading) =>
    reading.ingress === undefined ? [] : [{ labels: {}, value: pick(reading.ingress) }],
  );

/** What this process lets in, and which version runs in it. */
export const PROCESS_METERS: readonly Meter[] = [
  counter('bulwark.shed', '{request}', 'HTTP requests that were turned away, by the limit that they met.', (reading) =>
    Object.entries(reading.ingress?.shed ?? {}).map(([reason, value]) => ({
      labels: { reason: snakeCase(reason) },
      value,
    })),
  ),
  ingress('bulwark.requests.active', '{request}', 'HTTP requests that are worked on.', 'sum', ({ active }) => active),
  ingress(
    'bulwark.requests.limit',
    '{request}',
    'How many HTTP requests may be worked on at once.',
    'sum',
    ({ limit }) => limit,
  ),
  ingress(
    'bulwark.event_loop.delay.seconds',
    's',
    'How long the event loop was held up of late, on average.',
    'max',
    ({ loopDelayMs }) => loopDelayMs / SECOND_MS,
  ),
  gauge('bulwark.build_info', '', 'Always 1; the version of nestjs-bulwark that runs.', 'first', () => [
    { labels: { version: packageVersion() }, value: 1 },
  ]),
];
