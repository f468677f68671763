import { Injectable } from '@nestjs/common';
import { currentCall } from 'nestjs-bulwark';
import { CatalogueService } from './catalogue.service.js';
import type { Currency } from './currency.js';
import { ExchangeRatesClient, type ExchangeRate } from './exchange-rates.client.js';

export interface Quote extends ExchangeRate {
  readonly sku: string;
  readonly currency: Currency;
  readonly price: number;
  /** Whether the rate is the last one known, since no newer one could be had. */
  readonly stale: boolean;
}

/** Prices in other currencies; they change with the rates. */
@Injectable()
export class QuotesService {
  constructor(
    private readonly catalogue: CatalogueService,
    private readonly rates: ExchangeRatesClient,
  ) {}

  async quote(sku: string, currency: Currency): Promise<Quote> {
    const { priceCents } = await this.catalogue.get(sku);
    const exchange = await this.rates.current(currency);
    const price = Number(((priceCents * exchange.rate) / 100).toFixed(2));
    return { sku, currency, price, ...exchange, stale: currentCall()?.staleMs !== undefined };
  }
}
