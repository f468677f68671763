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

/** The strategies that one is put together from. */
function partsOf(name: string): string[] {
  const inside = /^anyOf\((.*)\)$/.exec(name)?.[1];
  return inside === undefined ? [name] : inside.split(/, (?=[a-zA-Z])/).flatMap(partsOf);
}
