import type { LatencyHistogram } from '../../kernel/latency-histogram.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { ResolvedCircuitBreaker } from './circuit-breaker.options.js';
import type { Control } from './control.js';

/** What a breaker needs to know of itself. */
export interface BreakerInit {
  name: string;
  options: ResolvedCircuitBreaker;
  /** How reports name it. @default name */
  place?: string;
  latencies?: LatencyHistogram | undefined;
  /** Keyed breakers keep counts only, and share the histogram of their name. */
  sharesLatencies?: boolean;
  /** Told of each change of state. */
  onChange?: (() => void) | undefined;
  /** What is said of it. @default nothing yet */
  control?: Control;
  /** Told when somebody has said something of it. */
  onSaid?: (() => void) | undefined;
  environment: PolicyEnvironment;
}
