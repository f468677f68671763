import { CircuitState, type CircuitBreakerPolicy } from 'cockatiel';
import { ResilienceService } from 'nestjs-bulwark';
import { expect, it } from 'vitest';
import { startQuietApp } from '../support/quiet-app.js';
import { clientOf, moduleOf, type RatesClient } from './pages.js';
import { tell, type Step } from './story.js';

const OUTAGE: readonly Step[] = [
  { upstream: 'up' },
  { upstream: 'hanging' },
  { upstream: 'down' },
  { upstream: 'up' },
  { upstream: 'down', after: 5_000 },
  { upstream: 'up' },
  { upstream: 'up', after: 5_000 },
  { upstream: 'hanging' },
  { upstream: 'broken' },
];

const STORY = [
  'up: 1.08, asked 1, closed',
  'hanging: 1, asked 3, closed',
  'down: 1, asked 2, open',
  'up: 1, asked 0, open',
  'down: 1, asked 1, open',
  'up: 1, asked 0, open',
  'up: 1.08, asked 1, closed',
  'hanging: 1, asked 3, closed',
  'broken: 1, asked 2, open',
];

const NAMES: Readonly<Record<CircuitState, string>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'halfOpen',
  [CircuitState.Isolated]: 'forcedOpen',
};

it('tells the same story of an outage before and after', async () => {
  const before = await moduleOf('from-cockatiel', 'before.ts');
  const Before = before['RatesClient'] as new () => RatesClient;
  const breaker = before['breaker'] as CircuitBreakerPolicy;
  const After = await clientOf('from-cockatiel', 'after.ts');
  const app = await startQuietApp([After]);
  const after = app.get(ResilienceService).circuitBreaker('rates');

  const told = await tell(new Before(), () => NAMES[breaker.state], OUTAGE);

  expect(told).toEqual(STORY);
  expect(await tell(app.get(After), () => after.state, OUTAGE)).toEqual(told);
});
