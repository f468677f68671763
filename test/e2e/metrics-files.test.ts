import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ResilienceMetricsModule } from 'nestjs-bulwark/metrics';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../architecture/source-files.js';
import { parseExposition, type Exposition } from '../support/exposition.js';
import { startEventful } from './support/eventful-app.js';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const dashboard = JSON.parse(read('grafana/bulwark.json')) as Dashboard;
const { groups } = parse(read('prometheus/alerts.yaml')) as { groups: readonly { rules: readonly Alert[] }[] };
const alerts = groups.flatMap(({ rules }) => rules);
const panels = dashboard.panels.filter(({ type }) => type !== 'row');

/** What Prometheus adds to every series of a target. */
const OF_TARGET = ['job', 'namespace', 'pod', 'instance'];
/** Words of PromQL that stand where names of labels do not. */
const GROUPING = /\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g;
const SELECTOR = /(bulwark_\w+)(?:\{([^}]*)\})?/g;

/** A scrape in which everything has happened. */
let known: Promise<Exposition> | undefined;
const look = (): Promise<Exposition> => (known ??= scrapeOnce());

async function scrapeOnce(): Promise<Exposition> {
  const registry = new Registry();
  await startEventful([ResilienceMetricsModule.forRoot({ registry })]);
  return parseExposition(await registry.metrics());
}

/** What an expression asks for that no scrape has; `legend` may name labels, too. */
function strangers(scrape: Exposition, expression: string, legend = ''): string[] {
  const selectors = [...expression.matchAll(SELECTOR)].map(([, name = '', inBraces = '']) => ({
    name,
    labels: [...inBraces.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    values: [...inBraces.matchAll(/(\w+)\s*=~?\s*"([^"$]*)"/g)].flatMap(([, label = '', values = '']) =>
      values.split('|').map((value) => [label, value] as const),
    ),
  }));
  const grouped = [...expression.matchAll(GROUPING)].flatMap(([, list = '']) => list.split(/\s*,\s*/));
  const shown = [...legend.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)].map(([, label = '']) => label);
  const known = new Set([...OF_TARGET, ...selectors.flatMap(({ name }) => [...(scrape.labels.get(name) ?? [])])]);
  return [
    ...selectors.flatMap(({ name, labels, values }) => {
      const own = scrape.labels.get(name);
      if (own === undefined) return [name];
      const missing = labels.filter((label) => !own.has(label) && !OF_TARGET.includes(label));
      const unheard = values.filter(([label, value]) => own.has(label) && !VALUES[label]?.includes(value));
      return [...missing.map((label) => `${name}{${label}}`), ...unheard.map((pair) => `${name}{${pair.join('=')}}`)];
    }),
    ...[...grouped, ...shown].filter((label) => !known.has(label)),
  ];
}

/** What the labels of our own may say. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  outcome: ['success', 'failure', 'client_error', 'aborted', 'refused', 'fallback', 'recovered'],
  state: ['closed', 'open', 'half_open', 'forced_open', 'disabled'],
  to: ['closed', 'open', 'half_open', 'forced_open', 'disabled'],
  result: ['success', 'failure'],
  reason: ['budget', 'max_attempts', 'deadline'],
};

describe('the dashboard', () => {
  it('asks for what a scrape has, by name, label and value', async () => {
    const scrape = await look();
    const wrong = panels.flatMap(({ title, targets = [] }) =>
      targets.flatMap(({ expr, legendFormat }) =>
        strangers(scrape, expr, legendFormat).map((one) => `${title}: ${one}`),
      ),
    );
    const ofVariables = dashboard.templating.list.flatMap(({ definition = '' }) =>
      strangers(scrape, definition.replace(/^label_values\((.*), (\w+)\)$/, 'sum by ($2) ($1)')),
    );

    expect(wrong).toEqual([]);
    expect(ofVariables).toEqual([]);
    expect(panels.length).toBeGreaterThan(20);
  });

  it('shows every metric there is', async () => {
    const scrape = await look();
    const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n');

    const left = [...scrape.types.keys()].filter(
      (name) => !new RegExp(`\\b${name}(?:_bucket|_sum|_count)?\\b`).test(asked),
    );
    expect(left).toEqual([]);
  });

  it('can be narrowed down to a job, a namespace, a pod and a name, of the data source that is chosen', () => {
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual([
      'datasource',
      'job',
      'namespace',
      'pod',
      'name',
    ]);
    for (const { title, datasource, targets = [] } of panels) {
      expect([title, datasource?.uid]).toEqual([title, '${datasource}']);
      for (const { expr } of targets)
        for (const [, , inBraces = ''] of expr.matchAll(SELECTOR))
          expect(inBraces).toContain('job=~"$job", namespace=~"$namespace", pod=~"$pod"');
    }
  });

  it('says in words what each panel shows, and lays none over another', () => {
    for (const { title, description } of panels)
      expect([title, description]).toEqual([title, expect.stringMatching(/\w\.$/)]);
    const places = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(places).size).toBe(places.length);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});

describe('the alerts', () => {
  it('ask for what a scrape has, by name, label and value', async () => {
    const scrape = await look();
    const wrong = alerts.flatMap(({ alert, expr, annotations }) =>
      strangers(scrape, expr, Object.values(annotations).join(' ')).map((one) => `${alert}: ${one}`),
    );

    expect(wrong).toEqual([]);
  });

  it('have a runbook each, and a severity', () => {
    const page = read('docs/metrics.md');
    const headings = [...page.matchAll(/^### (Bulwark\w+)$/gm)].map(([, name]) => name);

    expect(alerts.map(({ alert }) => alert)).toEqual(headings);
    for (const { alert, labels, annotations } of alerts) {
      expect(annotations.runbook_url).toBe(
        `https://github.com/nestjs-bulwark/nestjs-bulwark/blob/main/docs/metrics.md#${alert.toLowerCase()}`,
      );
      expect(['critical', 'warning', 'info']).toContain(labels.severity);
      expect(annotations).toMatchObject({ summary: expect.any(String), description: expect.any(String) });
    }
  });
});

it('the page of the metrics names each of them', async () => {
  const scrape = await look();
  const page = read('docs/metrics.md');

  const left = [...scrape.types.keys()].filter((name) => {
    // Those of one policy stand in one line: `bulwark_bulkhead_active`, `_waiting`.
    const end = `_${name.split('_').at(-1) ?? ''}`;
    return !page.includes(`\`${name}\``) && !page.includes(`\`${end}\``);
  });
  expect(left).toEqual([]);
});
