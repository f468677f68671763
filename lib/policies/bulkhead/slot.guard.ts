import type { Attempt } from '../../kernel/attempt.js';
import { Guard } from '../../kernel/guard.js';
import type { Failure } from '../../kernel/outcome/failure.js';
import type { Slot } from './slot.js';

/** Tells the slot of an attempt what becomes of it, whichever bulkhead has given it. */
export abstract class SlotGuard extends Guard {
  override settled(attempt: Attempt, _value: unknown, failure: Failure | undefined): void {
    slotOf(attempt)?.settled(failure);
  }

  override released(attempt: Attempt, failure: Failure | undefined): void {
    slotOf(attempt)?.released(failure);
  }

  override wanted(attempt: Attempt): void {
    slotOf(attempt)?.resume();
  }

  override parked(attempt: Attempt): void {
    slotOf(attempt)?.park();
  }
}

export function slotOf({ slot }: Attempt): Slot | undefined {
  return slot as Slot | undefined;
}
