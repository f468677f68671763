import { Injectable } from '@nestjs/common';
import { Upstream } from '../upstream-control/upstream.js';
import { ProviderFailedException } from './provider-failed.exception.js';

export interface ProviderAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Speaks HTTP with the payment provider, and knows nothing of policies. */
@Injectable()
export class ProviderHttp {
  constructor(private readonly upstream: Upstream) {}

  /** @throws ProviderFailedException for a 5xx, a lost connection or an answer that is no JSON; or the signal's reason. */
  async request(path: string, init: RequestInit): Promise<ProviderAnswer> {
    try {
      const response = await fetch(this.upstream.url + path, init);
      const text = await response.text();
      if (response.status >= 500) throw new Error(`${path} answered ${response.status}: ${text}`);
      return { status: response.status, body: JSON.parse(text) };
    } catch (error) {
      if (init.signal?.aborted === true) throw error;
      throw new ProviderFailedException(error);
    }
  }
}
