import { Controller, Get, Param, Query, UseInterceptors } from '@nestjs/common';
import { ResilienceInterceptor } from 'nestjs-bulwark';
import { CatalogueService } from './catalogue.service.js';
import type { Product } from './product.js';
import { QuoteQuery } from './quote.query.js';
import { QuotesService, type Quote } from './quotes.service.js';
import { SkuParams } from './sku.params.js';

@Controller('catalogue')
@UseInterceptors(ResilienceInterceptor.with('browsing'))
export class CatalogueController {
  constructor(
    private readonly catalogue: CatalogueService,
    private readonly quotes: QuotesService,
  ) {}

  @Get()
  list(): Promise<Product[]> {
    return this.catalogue.list();
  }

  @Get(':sku')
  get(@Param() { sku }: SkuParams): Promise<Product> {
    return this.catalogue.get(sku);
  }

  @Get(':sku/quote')
  quote(@Param() { sku }: SkuParams, @Query() { currency }: QuoteQuery): Promise<Quote> {
    return this.quotes.quote(sku, currency);
  }
}
