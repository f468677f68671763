import { IsUUID } from 'class-validator';

export class OrderParams {
  @IsUUID()
  readonly id!: string;
}
