import { createHash } from 'node:crypto';

/**
 * Whether a process is in the share of those that apply a set. A greater share of the same version holds all that were in
 * the smaller one, so that a set spreads by and by.
 */
export function isChosen(processName: string, version: number | string | undefined, share: number): boolean {
  const digest = createHash('sha256')
    .update(`${processName}\0${version ?? ''}`)
    .digest();
  return digest.readUInt32BE(0) / 2 ** 32 < share;
}
