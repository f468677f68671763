import { Matches } from 'class-validator';

export const SKU = /^[A-Z0-9-]{1,40}$/;

export class SkuParams {
  @Matches(SKU)
  readonly sku!: string;
}
