import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

/** The files of `lib` whose code a file of the bundle holds, such as `kernel/call.js`: the bundler names each above its code. */
export function sourcesOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^\/\/ .*?\bdist\/lib\/(\S+\.js)$/gm)].map(([, source = '']) => source);
}

/** All files of `dist/lib` that one of them loads at once, itself included, from that folder. */
export function reachableFrom(entry: string, folder: string): Set<string> {
  const reached = new Set<string>();
  const follow = (file: string): void => {
    const name = relative(folder, file);
    if (reached.has(name)) return;
    reached.add(name);
    const text = readFileSync(file, 'utf8');
    for (const [, specifier = ''] of text.matchAll(/^(?:import|export)\s[^;]*?['"](\.[^'"]+)['"];/gm))
      follow(resolve(dirname(file), specifier));
  };
  follow(resolve(folder, entry));
  return reached;
}
