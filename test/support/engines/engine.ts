import type * as Library from 'nestjs-bulwark';
import { pathToFileURL } from 'node:url';

/** A build of the library, by its public face. */
export interface Engine {
  readonly name: string;
  readonly library: typeof Library;
}

/** @param path the built entry of another version, `dist/lib/index.js`. */
export async function loadEngine(name: string, path: string): Promise<Engine> {
  const library = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as Engine['library'];
  return { name, library };
}
