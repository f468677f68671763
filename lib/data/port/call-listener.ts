/**
 * Tells a user's listener something, so that it hurts nobody.
 *
 * @param report told what it throws, or what a promise that it gives rejects with; must not throw.
 */
export function callListener(listener: () => unknown, report: (error: unknown) => void): void {
  try {
    const result = listener();
    if (isThenable(result)) result.then(undefined, report);
  } catch (error) {
    report(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
