import { BadRequestException, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';

/** Nothing that the shop takes is deeper. */
const MAX_DEPTH = 20;

/**
 * Refuses what is nested too deeply, before anything walks through it: the ValidationPipe does so by functions that call
 * themselves, and a few kilobytes of brackets are deeper than the stack. It stands first, so all routes have it.
 */
export class ShallowInputPipe implements PipeTransform {
  transform(value: unknown, { type }: ArgumentMetadata): unknown {
    if (type !== 'custom' && isDeeperThan(MAX_DEPTH, value))
      throw new BadRequestException(`the ${type} is nested too deeply: expected at most ${MAX_DEPTH} levels`);
    return value;
  }
}

/** Goes through a value level by level. */
function isDeeperThan(depth: number, value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depthSoFar = 0; level.length > 0; depthSoFar++) {
    level = level.flatMap(valuesIn);
    if (depthSoFar >= depth && level.length > 0) return true;
  }
  return false;
}

function valuesIn(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}
