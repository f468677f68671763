import { randomUUID } from 'node:crypto';

/** Above this the customer's bank says no; cents. */
const CREDIT_LIMIT = 500_000;

export interface Charge {
  readonly id: string;
  readonly amountCents: number;
}

/** The charges that were made. The same idempotency key gives the same charge again, however often it comes. */
export class ChargeBook {
  readonly #charges = new Map<string, Charge>();

  /** @returns undefined when the charge is declined. */
  charge(idempotencyKey: string, amountCents: number): Charge | undefined {
    if (amountCents > CREDIT_LIMIT) return undefined;
    const known = this.#charges.get(idempotencyKey);
    if (known !== undefined) return known;
    const charge = { id: `ch_${randomUUID()}`, amountCents };
    this.#charges.set(idempotencyKey, charge);
    return charge;
  }
}
