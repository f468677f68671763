import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';

/** What became of the last orders; it comes from the address, so it is nothing but numbers. */
export class DemoResult {
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(1_000)
  @IsOptional()
  readonly paid?: number;

  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(1_000)
  @IsOptional()
  readonly pending?: number;

  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(1_000)
  @IsOptional()
  readonly failed?: number;

  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  @IsOptional()
  readonly tookMs?: number;
}
