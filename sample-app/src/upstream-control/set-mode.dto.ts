import { IsIn } from 'class-validator';
import { MODES, type Mode } from '../upstream/mode.js';

export class SetModeDto {
  @IsIn(MODES)
  readonly mode!: Mode;
}
