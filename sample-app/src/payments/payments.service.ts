import { Injectable } from '@nestjs/common';
import { Fallback } from 'nestjs-bulwark';
import { PaymentDeclinedException } from './payment-declined.exception.js';
import { PaymentProviderClient } from './payment-provider.client.js';
import type { Bill, Payment } from './payment.js';

@Injectable()
export class PaymentsService {
  constructor(private readonly provider: PaymentProviderClient) {}

  /** Pays now, or, when the provider is away, later. */
  @Fallback('defer')
  async payOrDefer(bill: Bill): Promise<Payment> {
    return this.pay(bill);
  }

  /** @throws ResilienceException, ProviderFailedException when the provider is away. */
  async pay(bill: Bill): Promise<Payment> {
    try {
      return { status: 'paid', chargeId: await this.provider.charge(bill) };
    } catch (error) {
      if (error instanceof PaymentDeclinedException) return { status: 'declined' };
      throw error;
    }
  }

  defer(_bill: Bill, _error: unknown): Payment {
    return { status: 'pending' };
  }
}
