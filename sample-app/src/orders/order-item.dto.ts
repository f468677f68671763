import { IsInt, Matches, Max, Min } from 'class-validator';
import { SKU } from '../catalogue/sku.params.js';

export class OrderItemDto {
  @Matches(SKU)
  readonly sku!: string;

  @IsInt()
  @Min(1)
  @Max(99)
  readonly quantity!: number;
}
