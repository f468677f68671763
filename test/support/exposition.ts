/** A scrape in the text format of Prometheus, by what a test looks for. */
export interface Exposition {
  /** The value of each series, by its name and its labels in the order of their names: `up{a="1",b="2"}`. */
  readonly values: ReadonlyMap<string, number>;
  /** The type of each metric, by name. */
  readonly types: ReadonlyMap<string, string>;
  readonly helps: ReadonlyMap<string, string>;
  /** The names of the labels of each series, by the name of the series. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
}

const SERIES = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** @param leftOut names of labels that do not matter. */
export function parseExposition(text: string, leftOut: RegExp = /^$/): Exposition {
  const values = new Map<string, number>();
  const [types, helps] = [new Map<string, string>(), new Map<string, string>()];
  const labels = new Map<string, Set<string>>();
  for (const line of text.split('\n')) {
    const [, what, name = '', rest = ''] = /^# (TYPE|HELP) (\S+) (.*)$/.exec(line) ?? [];
    if (what === 'TYPE') types.set(name, rest);
    if (what === 'HELP') helps.set(name, rest);
    if (line === '' || line.startsWith('#')) continue;
    const [, series, inBraces = '', value] = SERIES.exec(line) ?? [];
    if (series === undefined) throw new Error(`not a series: ${line}`);
    const own = [...inBraces.matchAll(LABEL)].filter(([, label = '']) => !leftOut.test(label));
    const key = `${series}{${own
      .map(([pair]) => pair)
      .sort()
      .join(',')}}`;
    if (values.has(key)) throw new Error(`twice: ${line}`);
    values.set(key, value === 'NaN' || value === 'Nan' ? NaN : Number(value?.replace('Inf', 'Infinity')));
    const known = labels.get(series) ?? new Set();
    labels.set(series, known);
    for (const [, label = ''] of own) known.add(label);
  }
  return { values, types, helps, labels };
}

/** The values of one metric, by its labels as `a=1,b=2`. */
export function seriesOf({ values }: Exposition, name: string): Record<string, number> {
  return Object.fromEntries(
    [...values]
      .filter(([key]) => key.startsWith(`${name}{`))
      .map(([key, value]) => [key.slice(name.length + 1, -1).replaceAll('"', ''), value]),
  );
}
