/** What of a breaker's options decides on how few failures it opens. */
export interface FewestFailures {
  readonly option: string;
  readonly count: number;
}

/**
 * How few failures in a row, from the start on, open a breaker. `plan()` shows strategies by their names, which say what
 * they were made from; of a strategy of the app's own nothing is known.
 *
 * @returns undefined where nobody knows.
 */
export function failuresThatOpen(options: Readonly<Record<string, unknown>>): FewestFailures | undefined {
  const { trip, volumeThreshold, allowWarmUp } = options;
  if (typeof trip !== 'string' || allowWarmUp === true) return undefined;
  const found: FewestFailures[] = partsOf(trip).flatMap((part): FewestFailures[] => {
    const [, kind = '', first = '', minimum] = /^(\w+)(?:\((\d+)(?:, [\d.]+ %(?:, from (\d+))?)?\))?$/.exec(part) ?? [];
    switch (kind) {
      case 'failureRate':
        return [{ option: 'volumeThreshold', count: Math.max(1, Number(volumeThreshold)) }];
      case 'consecutiveFailures':
      case 'failureCount':
        return first === '' ? [] : [{ option: kind, count: Number(first) }];
      case 'countWindow':
        if (first === '') return [];
        return [
          {
            option: minimum === undefined ? 'countWindow size' : 'countWindow minimum',
            count: Number(minimum ?? first),
          },
        ];
      default:
        return [];
    }
  });
  return found.sort((one, other) => one.count - other.count)[0];
}

/** From which time on calls are slow, where a breaker looks at nothing else, ms. */
export function slowerThanOf(options: Readonly<Record<string, unknown>>): number | undefined {
  const { trip } = options;
  const ms = typeof trip === 'string' ? /^slowCallRate\(([\d.e+]+) ms, /.exec(trip)?.[1] : undefined;
  return ms === undefined ? undefined : Number(ms);
}

/** The breaker's options that each of our strategies reads; none of them reads any other. */
const READ: Readonly<Record<string, readonly string[]>> = {
  failureRate: ['errorThresholdPercentage', 'volumeThreshold'],
  slowCallRate: ['volumeThreshold'],
  failureCount: [],
  consecutiveFailures: [],
  countWindow: [],
};

/** The options of a breaker that only trip strategies read, and its own does not; none where nobody knows. */
export function optionsUnreadBy(trip: unknown): readonly string[] {
  if (typeof trip !== 'string') return [];
  const read = partsOf(trip).map((part) => {
    const [, kind = '', given] = /^(\w+)(\(\d.*\))?$/.exec(part) ?? [];
    return (kind === 'failureRate') === (given === undefined) && Object.hasOwn(READ, kind) ? READ[kind] : undefined;
  });
  if (read.includes(undefined)) return [];
  return (READ.failureRate as readonly string[]).filter((option) => !read.flat().includes(option));
}

/** A share in percent that a strategy was made with. */
export interface TripPercentage {
  /** As people know it: `countWindow() percentage`. */
  readonly option: string;
  readonly percentage: number;
  /** How many calls it is a share of, where that is fixed. */
  readonly size: number | undefined;
}

export function percentagesOf(trip: unknown): TripPercentage[] {
  if (typeof trip !== 'string') return [];
  return partsOf(trip).flatMap((part): TripPercentage[] => {
    const [, kind, first, percentage] =
      /^(countWindow|slowCallRate)\(([\d.e+-]+)(?: ms)?, ([\d.e-]+) %(?:, from \d+)?\)$/.exec(part) ?? [];
    if (kind === undefined) return [];
    const size = kind === 'countWindow' ? Number(first) : undefined;
    return [{ option: `${kind}() percentage`, percentage: Number(percentage), size }];
  });
}

/** The strategies that one is put together from. */
function partsOf(name: string): string[] {
  const inside = /^anyOf\((.*)\)$/.exec(name)?.[1];
  return inside === undefined ? [name] : inside.split(/, (?!from )(?=[a-zA-Z])/).flatMap(partsOf);
}
