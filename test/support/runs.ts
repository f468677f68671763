/**
 * How many histories a test tries: few in `npm test`, many in `npm run test:deep`. `PROPERTY_RUNS` overrides both.
 *
 * @example { numRuns: runs(500, 10_000) }
 */
export function runs(fast: number, deep: number): number {
  return Number(process.env['PROPERTY_RUNS'] ?? (process.env['TEST_DEPTH'] === 'deep' ? deep : fast));
}
