import { IsIn } from 'class-validator';
import { CURRENCIES, type Currency } from './currency.js';

export class QuoteQuery {
  @IsIn(CURRENCIES)
  readonly currency: Currency = 'EUR';
}
