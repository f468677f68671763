import { Injectable } from '@nestjs/common';
import { Resilient, Signal } from 'nestjs-bulwark';
import { PaymentDeclinedException } from './payment-declined.exception.js';
import type { Bill } from './payment.js';
import { ProviderFailedException } from './provider-failed.exception.js';
import { ProviderHttp } from './provider-http.js';

/** The provider's charges. The whole client stands behind the policies named `payments`. */
@Injectable()
@Resilient('payments')
export class PaymentProviderClient {
  constructor(private readonly http: ProviderHttp) {}

  /**
   * @returns the id of the charge.
   * @throws PaymentDeclinedException
   */
  async charge({ reference, amountCents }: Bill, @Signal() signal?: AbortSignal): Promise<string> {
    const { status, body } = await this.http.request('/charges', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': reference },
      body: JSON.stringify({ amountCents }),
      signal: signal ?? null,
    });
    if (status === 402) throw new PaymentDeclinedException();
    if (!isCharge(body)) throw new ProviderFailedException(new Error(`/charges answered ${status} without a charge`));
    return body.id;
  }
}

function isCharge(body: unknown): body is { id: string } {
  return typeof body === 'object' && body !== null && 'id' in body && typeof body.id === 'string';
}
