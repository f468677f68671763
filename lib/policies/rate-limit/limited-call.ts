import type { Attempt } from '../../kernel/attempt.js';
import type { Lifecycle } from '../../kernel/policy.js';
import { Wait } from '../../kernel/wait.js';
import type { Refusals } from './refusals.js';
import type { Wanted } from './wanted.js';

/** Where a waiting call is known. */
export interface LimitedPlaces {
  readonly refusals: Refusals;
  readonly lifecycle: Lifecycle;
}

/** A call that waits under a limit: in the line of this process, or for the cluster. */
export abstract class LimitedCall extends Wait {
  constructor(
    call: Attempt,
    readonly wanted: Wanted,
    protected readonly places: LimitedPlaces,
  ) {
    super(call, places.lifecycle);
  }

  admit(): void {
    this.grant();
  }

  expire(): void {
    // Its line looks after its time.
  }

  protected override get inside() {
    return { name: this.places.refusals.name, policy: 'rateLimit' } as const;
  }

  protected passOn(): void {
    // The turn is used up: time alone gives it back.
  }

  protected shutDownError(): Error {
    return this.places.refusals.shutDown();
  }
}
