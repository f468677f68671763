import { onTestFinished, vi } from 'vitest';
import type { RatesClient } from './pages.js';

/** How the bureau is: it gives 1.08, answers 500, cannot be reached, or lets its caller hang. */
export type Upstream = 'up' | 'broken' | 'down' | 'hanging';

/** A call while the bureau is so, `after` ms of rest. */
export interface Step {
  readonly upstream: Upstream;
  readonly after?: number;
}

/** Longer than any call of a story takes, and shorter than any breaker stays open. */
const LONG_ENOUGH_MS = 1_500;

/**
 * Makes one call a step, in faked time, and tells each: the answer, how often the bureau was asked, and how the breaker
 * is then. Two clients that behave alike give the same story.
 */
export async function tell(
  client: RatesClient,
  state: () => string | Promise<string>,
  steps: readonly Step[],
): Promise<string[]> {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  let upstream: Upstream = 'up';
  const bureau = vi.fn((_url: string, init?: RequestInit) => answerOf(upstream, init?.signal ?? undefined));
  vi.stubGlobal('fetch', bureau);

  const story: string[] = [];
  for (const step of steps) {
    await vi.advanceTimersByTimeAsync(step.after ?? 0);
    upstream = step.upstream;
    bureau.mockClear();
    const answer = client.rate('EUR').catch((error: Error) => error.message);
    await vi.advanceTimersByTimeAsync(LONG_ENOUGH_MS);
    story.push(`${step.upstream}: ${await answer}, asked ${bureau.mock.calls.length}, ${await state()}`);
  }
  return story;
}

function answerOf(upstream: Upstream, signal: AbortSignal | undefined): Promise<Response> {
  if (upstream === 'up') return Promise.resolve(new Response('1.08'));
  if (upstream === 'broken') return Promise.resolve(new Response('out of order', { status: 500 }));
  if (upstream === 'down') return Promise.reject(new TypeError('fetch failed'));
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
