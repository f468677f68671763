/** What a test needs to know of the simulation. */
export interface Scenario {
  seed: number;
  seconds: number;
  clients: number;
  callsPerSecond: number;
  timeout: { perAttempt: number; total: number };
  service: { workers: number; workMs: number; backlog: number; slowdown: number; refusalMs?: number };
  trigger: { from: number; to: number; capacity?: number; load?: number };
}

export interface Policies {
  retry?: object;
  circuitBreaker?: object;
  adaptiveThrottle?: object;
  shedding?: true;
}

export interface Result {
  series: Record<'calls' | 'goodput' | 'offered' | 'shed' | 'wasted' | 'waiting' | 'opened', number[]>;
  summary: { before: number; during: number; last: number; amplificationLast: number; recoveredAfter?: number };
}

export function simulate(library: object, scenario: Scenario, policies: Policies): Promise<Result>;
