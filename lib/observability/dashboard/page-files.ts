import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OWN_FILE } from '../../module/runtime/own-file.js';
import type { Answer } from './http/exchange.js';

/** Where the build puts the page. */
export const PAGE_FOLDER = new URL('../../observability/dashboard/page/dist/', OWN_FILE);

const INDEX = 'index.html';
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};
/** Kept by the browser that may see it, and asked for again each time: who may see it can change. */
const ASKED_AGAIN = 'private, no-cache, no-transform';

/**
 * The files of the page, read once and kept in memory. What is asked for is looked up among them, so that no path leads
 * anywhere else.
 */
export class PageFiles {
  #files: Promise<ReadonlyMap<string, Buffer>> | undefined;

  constructor(private readonly folder: URL = PAGE_FOLDER) {}

  /**
   * The page itself.
   *
   * @param path at which it was asked for: its links stand below that, whatever a proxy has put before it.
   */
  async page(path: string): Promise<Answer | undefined> {
    const html = (await this.#read()).get(INDEX);
    if (html === undefined) return undefined;
    const base = `<base href="${escaped(baseOf(path))}" />`;
    return answerOf(INDEX, Buffer.from(html.toString('utf8').replace(/<head>/, `<head>\n    ${base}`)));
  }

  /** A file beside the page, such as `assets/index.js`. */
  async file(name: string): Promise<Answer | undefined> {
    const body = name === INDEX ? undefined : (await this.#read()).get(name);
    return body === undefined ? undefined : answerOf(name, body);
  }

  #read(): Promise<ReadonlyMap<string, Buffer>> {
    return (this.#files ??= readFolder(fileURLToPath(this.folder)));
  }
}

async function readFolder(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = files.map(async (file): Promise<[string, Buffer]> => {
    return [relative(folder, file).split(sep).join('/'), await readFile(file)];
  });
  return new Map(await Promise.all(read));
}

function answerOf(name: string, body: Buffer): Answer {
  return {
    status: 200,
    contentType: CONTENT_TYPES[extname(name)] ?? 'application/octet-stream',
    cacheControl: ASKED_AGAIN,
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`,
    body,
  };
}

/** From `/x/resilience` the links of the page lead below `resilience/`, from `/x/resilience/` below itself. */
function baseOf(path: string): string {
  const last = path.slice(path.lastIndexOf('/') + 1);
  return last === '' ? './' : `./${last}/`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
