import type { Attempt } from '../../kernel/attempt.js';
import { Guard, refused, type Admission } from '../../kernel/guard.js';
import type { NamedBreakers } from './named-breakers.js';

/**
 * Stands for a breaker that others share and that a rule has taken off one method: its attempts are neither counted nor
 * judged there. Only what was forced open by somebody who goes before the rules refuses them.
 */
export class ForcedOnlyGuard extends Guard {
  constructor(private readonly breakers: NamedBreakers) {
    super();
  }

  isClosedFor(attempt: Attempt): boolean {
    return this.breakers.forcedFor(attempt) === undefined;
  }

  override get holds(): boolean {
    return false;
  }

  admit(attempt: Attempt): Admission {
    const core = this.breakers.forcedFor(attempt);
    return core === undefined ? undefined : refused(core.refusal(attempt.since));
  }
}
