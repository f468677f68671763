import type { Payment } from '../payments/payment.js';

export interface OrderLine {
  readonly sku: string;
  readonly quantity: number;
  readonly priceCents: number;
}

export interface Order {
  readonly id: string;
  readonly placedAt: string;
  readonly lines: readonly OrderLine[];
  readonly totalCents: number;
  readonly payment: Payment;
}
