/**
 * The site of docs/: `node docs/.vitepress/site.mjs build [folder]`, or `dev [port]`. `npm run docs` and `npm run docs:dev`
 * install what it needs first.
 */
import { fileURLToPath } from 'node:url';
import { build, createServer } from 'vitepress';
import { writeReference } from './api.mjs';

const DOCS = fileURLToPath(new URL('..', import.meta.url));
const [command, value] = process.argv.slice(2);

await writeReference();
if (command === 'build') {
  await build(DOCS, value === undefined ? {} : { outDir: value });
} else if (command === 'dev') {
  const server = await createServer(DOCS, { port: Number(value ?? 5173) });
  await server.listen();
  server.printUrls();
} else {
  throw new Error(`expected 'build' or 'dev', got '${command}'`);
}
