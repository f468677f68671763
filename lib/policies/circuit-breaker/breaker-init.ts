import type { LatencyHistogram } from '../../kernel/latency-histogram.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { ResolvedCircuitBreaker } from './circuit-breaker.options.js';
import type { Control } from './control.js';

/** What a breaker needs to know of itself. */
export interface BreakerInit {
  name: string;
  /** Which of the breakers of the name it is. Those of keys share the latencies of the name. @default it has no other */
  key?: string;
  options: ResolvedCircuitBreaker;
  latencies?: LatencyHistogram | undefined;
  /** Told of each change of state. */
  onChange?: (() => void) | undefined;
  /** What is said of it. @default nothing yet */
  control?: Control;
  /** Told when somebody has said something of it. */
  onSaid?: (() => void) | undefined;
  environment: PolicyEnvironment;
}
