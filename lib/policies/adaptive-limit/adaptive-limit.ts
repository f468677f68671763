import type { ResolvedAdaptive } from './adaptive.options.js';
import { LatencyWindow, noiseOf, pooled, type Estimate } from './latency-window.js';

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
/** A probe lets calls go, so it is content with less. */
const PROBE = { samples: 10, precise: 0.1, shortMs: 100, longMs: 500 } as const;
/** With this few at once hardly anything queues: probes go no lower, and at this limit none is needed. */
const PROBE_FLOOR = 4;
/** After a probe that has learnt something new the next one comes sooner, down to this, ms; after others later. */
const PROBE_SOON_MS = 1_000;
const NEWS = 0.1;
/** A steep slope asks for one so many times sooner. */
const SOONER = 4;
/** One window makes the limit at most this much smaller ... */
const STEEPEST = 0.5;
/** ... and this steep a slope may mean that the work itself has become slower: a probe tells. */
const SUSPICIOUS = 0.6;
/** Latency is raised below this. */
const LEVEL = 0.95;
/** A window that nothing was added to for so long, ms, or for so many mean latencies, tells of another time. */
const STALE_MS = 30_000;
/** A mean in which more than this share was cut is no latency: the work takes longer, nobody knows how long. */
const MUCH_CUT = 0.1;

/**
 * How a call ended: `failed` before it was done, which tells how long it takes only if that was long; `cut` by its time,
 * so it takes at least that.
 */
export type Ending = 'done' | 'failed' | 'cut';

interface Probe {
  readonly limit: number;
  /** The latency at the full limit. */
  readonly full: Estimate;
  readonly since: number;
  /** From when its samples count: once the calls of the full limit are gone. */
  countsFrom: number | undefined;
}

/**
 * A limit of calls in flight that follows latency.
 *
 * By Little's law the calls in flight are throughput times mean latency, so what exceeds `unloaded / mean` of the limit
 * is waiting behind other calls. Each window moves the limit to what would not wait, plus its square root to leave room
 * for growth: `limit * unloaded / mean + sqrt(limit)`. It rests a little above the knee of the service, and not below
 * 4. The unloaded latency comes from short probes at half the limit, made only while latency is raised. Differences
 * within the standard error of the means are taken for chance, so that latencies which vary a lot by nature do not
 * wear the limit down.
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
    this.#window = new LatencyWindow(now);
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
    if (this.#probe !== undefined) this.#probeSample(this.#probe, now, latencyMs, inFlight, cut);
    else this.#sample(now, latencyMs, inFlight, cut);
  }

  #isStale(now: number): boolean {
    const mean = this.#probe?.full.mean ?? this.#unloaded?.mean ?? this.#window.mean;
    return now - this.#sampledAt > LONG_LATENCIES * mean;
  }

  #sample(now: number, latencyMs: number, inFlight: number, cut: boolean): void {
    if (inFlight * 2 < this.settled) return;
    this.#window.add(latencyMs, cut);
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
    if (muchCut) this.#move(STEEPEST, false);
    else this.#judge(now, full, peak);
  }

  #judge(now: number, full: Estimate, peak: number): void {
    const { settled } = this;
    const reached = peak >= settled;
    const mayProbe = reached && settled > Math.max(this.options.min, PROBE_FLOOR);
    if (this.#unloaded === undefined && mayProbe) return this.#beginProbe(now, full);
    // Where the limit is not reached, or as low as probes go, the window is as good as a probe.
    if (this.#unloaded === undefined || (reached && !mayProbe)) this.#unloaded = full;
    else if (full.mean < this.#unloaded.mean * (1 - noiseOf(full, this.#unloaded))) this.#unloaded = full;
    const slope = this.#slope(full, this.#unloaded);
    if (mayProbe && slope < LEVEL) {
      const gap = Math.min(this.#probeGapMs, this.options.probeEvery) / (slope < SUSPICIOUS ? SOONER : 1);
      if (now - this.#probedAt >= gap) return this.#beginProbe(now, full);
    }
    this.#move(slope, reached);
  }

  /** The share of the limit that does not wait. */
  #slope(full: Estimate, unloaded: Estimate): number {
    const expected = unloaded.mean * this.options.tolerance * (1 + noiseOf(full, unloaded));
    return full.mean <= expected ? 1 : Math.max(STEEPEST, expected / full.mean);
  }

  #move(slope: number, mayGrow: boolean): void {
    const before = this.#limit;
    if (slope < LEVEL) this.#slowStart = false;
    const next = before * slope + Math.max(Math.sqrt(before), this.#slowStart ? before / 2 : 0);
    if (next > before && !mayGrow) return;
    this.#limit = Math.min(this.options.max, Math.max(this.options.min, next));
    if (this.settled !== Math.floor(before)) this.onChange(this.settled, Math.floor(before));
  }

  #beginProbe(now: number, full: Estimate): void {
    const limit = Math.max(this.options.min, PROBE_FLOOR, Math.floor(this.#limit / 2));
    this.#probe = { limit, full, since: now, countsFrom: undefined };
  }

  #probeSample(probe: Probe, now: number, latencyMs: number, inFlight: number, cut: boolean): void {
    const { full, limit } = probe;
    this.#sampledAt = now;
    const patience = Math.max(LONG_MS, LONG_LATENCIES * full.mean);
    if (probe.countsFrom === undefined) {
      if (inFlight <= limit || now - probe.since > patience) probe.countsFrom = now + full.mean;
      return;
    }
    if (now < probe.countsFrom) return;
    if (this.#window.from < probe.countsFrom) this.#window.restart(probe.countsFrom);
    this.#window.add(latencyMs, cut);
    const lasted = now - this.#window.from;
    if (this.#window.count < PROBE.samples || lasted < PROBE.shortMs) return;
    const found = this.#window.estimate();
    if (found.error > PROBE.precise && lasted < Math.max(PROBE.longMs, SHORT_LATENCIES * found.mean)) return;
    this.#endProbe(probe, found, now, inFlight);
  }

  #endProbe({ full }: Probe, found: Estimate, now: number, inFlight: number): void {
    this.#probedAt = now;
    if (this.#window.cutShare > MUCH_CUT) {
      this.#restart(now, inFlight);
      return this.#move(STEEPEST, false);
    }
    const before = this.#unloaded;
    const isNews = before === undefined || Math.abs(found.mean / before.mean - 1) > NEWS + noiseOf(found, before);
    this.#probeGapMs = isNews ? Math.max(PROBE_SOON_MS, this.#probeGapMs / 2) : this.#probeGapMs * 2;
    this.#probeGapMs = Math.min(this.options.probeEvery, this.#probeGapMs);
    const unloaded = before === undefined || isNews ? found : pooled(before, found);
    this.#unloaded = unloaded;
    this.#restart(now, inFlight);
    this.#move(this.#slope(full, unloaded), true);
  }

  #restart(now: number, inFlight: number): void {
    this.#probe = undefined;
    this.#sampledAt = now;
    this.#window.restart(now);
    this.#peak = inFlight;
  }
}
