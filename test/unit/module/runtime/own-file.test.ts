import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { packageVersion } from '../../../../lib/module/runtime/package-version.js';
import manifest from '../../../../package.json' with { type: 'json' };

const ownFile = async (): Promise<URL> => {
  vi.resetModules();
  return (await import('../../../../lib/module/runtime/own-file.js')).OWN_FILE;
};

const { prepareStackTrace, stackTraceLimit } = Object.fromEntries(
  Object.entries(Object.getOwnPropertyDescriptors(Error)).map(([name, { value }]) => [name, value as unknown]),
);

afterEach(() => {
  Object.assign(Error, { prepareStackTrace, stackTraceLimit });
});

describe('the place of the package', () => {
  it('is where its files are', async () => {
    expect(fileURLToPath(await ownFile())).toBe(
      fileURLToPath(new URL('../../../../lib/module/runtime/own-file.ts', import.meta.url)),
    );
    expect(packageVersion()).toBe(manifest.version);
  });

  it('is found without stack traces, which stay as they were', async () => {
    const ours = (): string => 'ours';
    Object.assign(Error, { prepareStackTrace: ours, stackTraceLimit: 0 });

    const url = await ownFile();

    expect(url.pathname).toMatch(/own-file\.ts$/);
    expect([Error.prepareStackTrace, Error.stackTraceLimit]).toEqual([ours, 0]);
  });
});
