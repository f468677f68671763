import { createRequire } from 'node:module';
import { OWN_FILE } from '../module/runtime/own-file.js';

const ofOurs = createRequire(OWN_FILE);
let ofNest: NodeJS.Require | undefined;

/**
 * A package that Nest's client works with, the very copy of Nest: it is Nest's to find. It is loaded when a client of its
 * transport is there.
 *
 * @throws where Nest has none of these.
 */
export function peerOfNest<T>(...names: readonly [string, ...string[]]): T {
  ofNest ??= createRequire(ofOurs.resolve('@nestjs/microservices'));
  let missing: unknown;
  for (const name of names) {
    try {
      return ofNest(name) as T;
    } catch (error) {
      missing ??= error;
    }
  }
  throw missing;
}
