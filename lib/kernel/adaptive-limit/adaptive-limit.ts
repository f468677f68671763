import type { ResolvedAdaptive } from './adaptive.options.js';
import { isNews, LatencyWindow, noiseOf, updated, type Estimate } from './latency-window.js';
import { below, Probe } from './probe.js';

/** A mean of fewer samples says nothing. */
const MIN_SAMPLES = 20;
/** A window is precise enough when its mean is this close, as a fraction ... */
const PRECISE = 0.05;
/** ... or when it has lasted this long, ms, or this many mean latencies. */
const LONG_MS = 1_000;
const LONG_LATENCIES = 4;
/** The shortest window, ms, and in mean latencies: what a change does must be seen before the next one. */
const SHORT_MS = 200;
const SHORT_LATENCIES = 2;
/** After a probe that has learnt something new the next one comes sooner, down to this, ms; after others later. */
const PROBE_SOON_MS = 1_000;
/** A probe lasts some mean latencies, so there are this many between two. */
const PROBE_LATENCIES = 10;
/** A steep slope asks for one so many times sooner. */
const SOONER = 4;
/** One window makes the limit at most this much smaller ... */
const STEEPEST = 0.5;
/** ... and this steep a slope may mean that the work itself has become slower: a probe tells. */
const SUSPICIOUS = 0.6;
/** Latency is raised below this. */
const LEVEL = 0.95;
/** This share of a standard error is taken for chance: else work of varying length would wear the limit down. */
const CHANCE = 0.25;
/** Room for growth, in square roots of the limit, and in calls: two make up for the steepest fall from 4. */
const HEADROOM = 0.75;
const LEAST_HEADROOM = 2;
/** A window that nothing was added to for so long, ms, or for so many mean latencies, tells of another time. */
const STALE_MS = 30_000;
/** A mean in which more than this share was cut is no latency: the work takes longer, nobody knows how long. */
const MUCH_CUT = 0.1;

/**
 * How a call ended: `failed` before it was done, which tells how long it takes only if that was long; `cut` by its time,
 * so it takes at least that.
 */
export type Ending = 'done' | 'failed' | 'cut';

/** The latency at the full limit. */
interface Loaded extends Estimate {
  readonly limit: number;
  readonly isRaised: boolean;
}

/**
 * A limit of calls in flight that follows latency.
 *
 * By Little's law the calls in flight are throughput times mean latency, so what exceeds `unloaded / mean` of the limit
 * is waiting behind other calls. Each window moves the limit to what would not wait, and some room for growth:
 * `limit * unloaded / mean + 0.75 * sqrt(limit)`. It rests a little above the knee of the service, and not below 4. The
 * unloaded latency comes from short probes at a lower limit, made only while latency is raised.
 *
 * Work of varying length makes each mean uncertain. So means are pooled as long as they tell the same, the latency at
 * the full limit too, which at a service that is full grows with the limit; and what differs by more than chance is
 * believed at once. The calls that ran under another limit are left out.
 *
 * Where a good part of the calls is cut, means come near the time limit, loaded or not. So nothing is learnt from them but
 * that the limit has to fall, as fast as it may: a service that hangs looks like one that never queues.
 *
 * Only times of use count: the limit never moves while the calls in flight stay under it.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/adaptive_concurrency_filter gradient,
 * square-root headroom and the recalculation of the unloaded latency
 * @see https://github.com/Netflix/concurrency-limits Gradient2Limit: no growth while the limit is not in use
 * @see https://pkg.go.dev/github.com/failsafe-go/failsafe-go/adaptivelimiter windows that follow latency
 */
export class AdaptiveLimit {
  #limit: number;
  #probe: Probe | undefined;
  #unloaded: Estimate | undefined;
  #loaded: Loaded | undefined;
  /** Grows by half until latency rises for the first time. */
  #slowStart = true;
  #probedAt = -Infinity;
  #probeGapMs = PROBE_SOON_MS;
  /** The most calls in flight in this window. */
  #peak = 0;
  #sampledAt: number;
  readonly #window: LatencyWindow;

  constructor(
    private options: ResolvedAdaptive,
    now: number,
    private readonly onChange: (limit: number, before: number) => void = () => undefined,
  ) {
    this.#limit = options.initial;
    this.#sampledAt = now;
    this.#window = new LatencyWindow(now, options.initial);
  }

  /** Takes on other bounds, and keeps what it has found as far as they let it. */
  reconfigure(options: ResolvedAdaptive): void {
    this.options = options;
    const before = this.settled;
    this.#limit = Math.min(options.max, Math.max(options.min, this.#limit));
    this.#probe = undefined;
    if (this.settled !== before) this.onChange(this.settled, before);
  }

  /** How many may be in flight now; less than {@link settled} during a probe. */
  get current(): number {
    return this.#probe?.limit ?? this.settled;
  }

  /** The limit found so far. */
  get settled(): number {
    return Math.floor(this.#limit);
  }

  /** A call began; `inFlight` includes it. */
  began(now: number, inFlight: number): void {
    if (now - this.#sampledAt > STALE_MS && this.#isStale(now)) this.#restart(now, inFlight);
    if (inFlight > this.#peak) this.#peak = inFlight;
  }

  /** A call found no room, although the limit is higher: some of it is kept for more important ones. */
  wanted(): void {
    if (this.#peak < this.settled) this.#peak = this.settled;
  }

  /** A call ended, or goes on without its caller; `inFlight` includes it. */
  ended(now: number, latencyMs: number, inFlight: number, ending: Ending = 'done'): void {
    const usualMs = this.#unloaded?.mean ?? (ending === 'cut' ? 0 : this.#window.mean || Infinity);
    if (ending !== 'done' && latencyMs < usualMs) return;
    // What takes so long to fail has most likely run into a time limit of its own.
    const cut = ending === 'cut' || (ending === 'failed' && latencyMs * STEEPEST >= usualMs);
    if (this.#probe === undefined) return this.#sample(now, latencyMs, inFlight, cut);
    this.#sampledAt = now;
    const found = this.#probe.ended(now, latencyMs, inFlight, cut);
    if (found !== undefined) this.#endProbe(this.#probe, found, now, inFlight);
  }

  #isStale(now: number): boolean {
    const mean = this.#probe?.full.mean ?? this.#unloaded?.mean ?? this.#window.mean;
    return now - this.#sampledAt > LONG_LATENCIES * mean;
  }

  #sample(now: number, latencyMs: number, inFlight: number, cut: boolean): void {
    if (inFlight * 2 < this.settled) return;
    this.#window.add(now, latencyMs, cut);
    this.#sampledAt = now;
    const { count, from } = this.#window;
    const lasted = now - from;
    if (count < MIN_SAMPLES || lasted < SHORT_MS) return;
    const full = this.#window.estimate();
    const precise = full.error <= PRECISE && lasted >= SHORT_LATENCIES * full.mean;
    if (!precise && lasted < Math.max(LONG_MS, LONG_LATENCIES * full.mean)) return;
    const peak = this.#peak;
    const muchCut = this.#window.cutShare > MUCH_CUT;
    this.#restart(now, inFlight);
    if (muchCut) this.#flee();
    else this.#judge(now, full, peak);
  }

  #judge(now: number, full: Estimate, peak: number): void {
    const { settled } = this;
    const { min, probeEvery } = this.options;
    const reached = peak >= settled;
    const mayProbe = reached && below(settled, min) < settled;
    if (this.#unloaded === undefined && mayProbe) return this.#beginProbe(now, full);
    // Where the limit is not reached, or as low as probes go, the window is as good as a probe.
    if (this.#unloaded === undefined || (reached && !mayProbe)) this.#unloaded = full;
    else if (full.mean < this.#unloaded.mean && isNews(full, this.#unloaded)) this.#unloaded = full;
    const slope = this.#slope(full, this.#unloaded);
    if (mayProbe && slope < LEVEL) {
      const gap = Math.max(Math.min(this.#probeGapMs, probeEvery), PROBE_LATENCIES * this.#unloaded.mean);
      if (now - this.#probedAt >= gap / (slope < SUSPICIOUS ? SOONER : 1)) return this.#beginProbe(now, full);
    }
    this.#follow(full, this.#unloaded, reached);
  }

  /** Moves to what would not wait. */
  #follow(full: Estimate, unloaded: Estimate, mayGrow: boolean): void {
    const limit = this.settled;
    const before = this.#loaded;
    const scale = before?.isRaised === true ? limit / before.limit : 1;
    const loaded = updated(full, before && { mean: before.mean * scale, error: before.error });
    const slope = this.#slope(loaded, unloaded);
    this.#loaded = { ...loaded, limit, isRaised: slope < LEVEL };
    this.#move(slope, mayGrow);
  }

  /** Falls as fast as it may. */
  #flee(): void {
    this.#loaded = undefined;
    this.#move(STEEPEST, false);
  }

  /** The share of the limit that does not wait. */
  #slope(full: Estimate, unloaded: Estimate): number {
    const expected = unloaded.mean * this.options.tolerance * (1 + CHANCE * noiseOf(full, unloaded));
    return full.mean <= expected ? 1 : Math.max(STEEPEST, expected / full.mean);
  }

  #move(slope: number, mayGrow: boolean): void {
    const before = this.#limit;
    if (slope < LEVEL) this.#slowStart = false;
    const headroom = Math.max(LEAST_HEADROOM, HEADROOM * Math.sqrt(before), this.#slowStart ? before / 2 : 0);
    const next = before * slope + headroom;
    if (next > before && !mayGrow) return;
    this.#limit = Math.min(this.options.max, Math.max(this.options.min, next));
    if (this.settled !== Math.floor(before)) this.onChange(this.settled, Math.floor(before));
  }

  #beginProbe(now: number, full: Estimate): void {
    this.#probe = new Probe(full, this.settled, this.#unloaded, this.options.min, now);
  }

  #endProbe({ full, cutShare }: Probe, found: Estimate, now: number, inFlight: number): void {
    this.#probedAt = now;
    this.#restart(now, inFlight);
    if (cutShare > MUCH_CUT) return this.#flee();
    const gap = isNews(found, this.#unloaded) ? Math.max(PROBE_SOON_MS, this.#probeGapMs / 2) : this.#probeGapMs * 2;
    this.#probeGapMs = Math.min(this.options.probeEvery, gap);
    this.#unloaded = updated(found, this.#unloaded);
    this.#follow(full, this.#unloaded, true);
  }

  /** The calls in flight, and those that still fill it up, tell nothing of the limit to come. */
  #restart(now: number, inFlight: number): void {
    this.#probe = undefined;
    this.#sampledAt = now;
    this.#window.restart(now, Math.max(inFlight, this.settled));
    this.#peak = inFlight;
  }
}
