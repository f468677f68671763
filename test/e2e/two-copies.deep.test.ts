import { Injectable, Logger, UseInterceptors, Controller, Get } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type * as Bulwark from 'nestjs-bulwark';
import { ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { compileLib } from '../support/compiled-lib.js';

type Package = typeof Bulwark;

const folders: string[] = [];

/** Another copy of the package, as a monorepo whose parts have node_modules of their own brings it into the process. */
async function anotherCopy(): Promise<{ path: string; bulwark: Package }> {
  const path = await mkdtemp(join(tmpdir(), 'bulwark-copy-'));
  folders.push(path);
  await compileLib(path);
  return { path, bulwark: (await import(/* @vite-ignore */ pathToFileURL(join(path, 'index.js')).href)) as Package };
}

/** The warnings of a start in which classes of `metadata` are guarded by another copy than the app's. */
async function warningsOf(
  metadata: Parameters<typeof Test.createTestingModule>[0],
  use?: (service: ResilienceService) => void,
) {
  const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  const module = await Test.createTestingModule({ ...metadata, imports: [ResilienceModule.forRoot()] }).compile();
  await module.init();
  onTestFinished(async () => {
    warn.mockRestore();
    await module.close();
  });
  use?.(module.get(ResilienceService));
  return warn.mock.calls.map(([text]) => String(text)).filter((text) => text.includes('another copy'));
}

describe('a second copy of the package in the process', () => {
  let copies: { path: string; bulwark: Package }[] = [];
  beforeAll(async () => void (copies = [await anotherCopy(), await anotherCopy(), await anotherCopy()]), 60_000);
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  it('is named with the path of both, once, when its decorators meet the module of the other', async () => {
    const [{ path, bulwark }] = copies as [{ path: string; bulwark: Package }];
    @Injectable()
    class Client {
      @bulwark.Timeout(50)
      async one(): Promise<void> {}
    }
    @Injectable()
    class Other extends Client {}

    const warnings = await warningsOf({ providers: [Client, Other] });

    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('Client');
    expect(warnings[0]).toContain(path);
    expect(warnings[0]).toMatch(/ and \S*\/lib\/?\. Expected one copy/);
  });

  it('is named, when its interceptors meet the module of the other', async () => {
    const { bulwark } = copies[1] as { bulwark: Package };
    @Controller()
    @UseInterceptors(bulwark.TimeoutInterceptor.with(50))
    class Api {
      @Get()
      get(): string {
        return 'value';
      }
    }

    expect(await warningsOf({ controllers: [Api] })).toEqual([expect.stringContaining('TimeoutInterceptor')]);
  });

  it('is named, when an object of it is bound by hand or stands in a value', async () => {
    const { bulwark } = copies[2] as { bulwark: Package };
    class Client {
      @bulwark.Timeout(50)
      async one(): Promise<void> {}
    }

    const warnings = await warningsOf({ providers: [{ provide: 'client', useValue: new Client() }] }, (service) => {
      service.bind(new Client());
    });

    expect(warnings).toEqual([expect.stringContaining('Client')]);
  });
});
