import type { PlacedWarning } from '../../planning/lint/lint-app.js';
import type { CarefulLogger } from '../event-log/careful-logger.js';

/** So many have a line each; an app with more has one cause more often than so many. */
const MOST_LINES = 20;

/** Tells what is legal but wrong, in one block. */
export function tellLint(warnings: readonly PlacedWarning[], logger: CarefulLogger): void {
  for (const { place, code, policy, value, expected, text } of warnings.slice(0, MOST_LINES)) {
    const fields = { event: 'lint', instance: place, policy, code, value, expected };
    logger.write('warn', text, { fields });
  }
  const more = warnings.length - MOST_LINES;
  if (more > 0)
    logger.write('warn', `${more} more warnings of this kind: ResilienceService.plan() has them all`, {
      fields: { event: 'lint', more },
    });
}
