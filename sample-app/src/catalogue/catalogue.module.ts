import { Module } from '@nestjs/common';
import { ResilienceModule } from 'nestjs-bulwark';
import { PaymentsModule } from '../payments/payments.module.js';
import { CatalogueController } from './catalogue.controller.js';
import { CatalogueService } from './catalogue.service.js';
import { ExchangeRatesClient } from './exchange-rates.client.js';
import { QuotesService } from './quotes.service.js';

@Module({
  imports: [
    PaymentsModule,
    ResilienceModule.forFeature({
      policies: {
        /** Visitors that look around must not crowd out those who buy. */
        browsing: { timeout: { total: 1_000 }, bulkhead: { maxConcurrent: 50, maxQueue: 100 } },
        exchange: { circuitBreaker: { volumeThreshold: 5, resetTimeout: 3_000 } },
      },
    }),
  ],
  controllers: [CatalogueController],
  providers: [CatalogueService, ExchangeRatesClient, QuotesService],
  exports: [CatalogueService],
})
export class CatalogueModule {}
