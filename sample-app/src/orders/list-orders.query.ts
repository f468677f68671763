import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';

export class ListOrdersQuery {
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  readonly limit: number = 20;
}
