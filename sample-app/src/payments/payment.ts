/** What became of paying for an order. A pending payment is asked for again until the provider has answered. */
export type Payment =
  | { readonly status: 'pending' }
  | { readonly status: 'paid'; readonly chargeId: string }
  | { readonly status: 'declined' };

/** What is to be paid. The reference names it once and for all, so that asking twice charges once. */
export interface Bill {
  readonly reference: string;
  readonly amountCents: number;
}
