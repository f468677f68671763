export { seededRandom } from '../../lib/testing/seeded-random.js';

/** A whole number from 0 to `below` - 1. */
export function pick(random: () => number, below: number): number {
  return Math.floor(random() * below);
}
