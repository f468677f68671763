import type { InstanceRow, Sample } from '../../../protocol.js';
import { NOTHING, numbersOf, type Numbers } from './sample.js';
import { standingOf, STANDING_LABELS, STANDINGS, type Standing } from './standing.js';
import { Trend } from './trend.js';

/** So many seconds decide whether an instance is failing. */
const RECENT_SECONDS = 10;
/** An instance that has recovered keeps its place among those in trouble for so many seconds: a list must not jump. */
const CALM_AFTER_SECONDS = 5;

/** One row of the list, as it is now. */
export class Instance {
  readonly name: string;
  readonly guards: readonly string[];
  readonly policies: InstanceRow['policies'];
  readonly trend: Trend;
  numbers: Numbers = NOTHING;
  standing: Standing = 'idle';
  /** Where it sorts: that of its standing, which it leaves only after some calm seconds. */
  rank: number = STANDINGS.length;
  /** Calls a second by which it sorts within a rank; see {@link weigh}. */
  weight = 0;
  /** The app has made another one of the same name. */
  replaced = false;
  #calm = 0;
  readonly #searched: string;

  /** @param trend of the same instance, as it was before the connection broke. */
  constructor({ name, guards, policies }: InstanceRow, trend = new Trend()) {
    this.name = name;
    this.guards = guards;
    this.policies = policies;
    this.trend = trend;
    this.#searched = [name, ...guards, ...policies].join('\n').toLowerCase();
  }

  /** It had a breaker, and has none any more: the app has dropped it. Without a breaker it goes idle, and stays. */
  get gone(): boolean {
    return this.replaced || (this.numbers.state === null && this.policies.includes('circuitBreaker'));
  }

  take(sample: Sample): void {
    this.numbers = numbersOf(sample);
  }

  /** @param seconds how many have passed; @param held whether its place must not get better now. */
  pass(seconds: number, held = false): void {
    for (let second = 0; second < seconds; second++) this.trend.push(this.numbers);
    this.standing = standingOf(this.numbers, this.trend.recent(RECENT_SECONDS));
    const rank = rankOf(this.standing);
    if (rank <= this.rank) this.#calm = 0;
    else this.#calm += seconds;
    if (rank < this.rank || (this.#calm >= CALM_AFTER_SECONDS && !held)) {
      this.rank = rank;
      this.#calm = 0;
    }
  }

  weigh(): void {
    const { calls } = this.trend.recent(RECENT_SECONDS);
    this.weight = calls / Math.max(1, Math.min(RECENT_SECONDS, this.trend.size));
  }

  /** @param term in lower case. */
  matches(term: string): boolean {
    return this.#searched.includes(term) || STANDING_LABELS[this.standing].toLowerCase().includes(term);
  }
}

/** Those in no trouble are one rank, where traffic alone decides. */
function rankOf(standing: Standing): number {
  return Math.min(STANDINGS.indexOf(standing), STANDINGS.indexOf('closed'));
}
