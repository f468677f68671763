import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ResilienceModule, TimeoutException } from 'nestjs-bulwark';
import { UpstreamHttpError } from 'nestjs-bulwark/http';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { documentationSnippets } from '../support/documentation-snippets.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const FETCHES = /\b(?:f|resilientF)etch\(/;
/** Whoever fetches says what a status means: to `fetch` a 500 is a result, and to `resilientFetch` a 404. */
const LOOKS = /\bok\b|\bstatus\b/;
/** They give the response itself to whoever calls them. */
const HANDS_ON = /Promise<Response>/;

const fetching = [...documentationSnippets()].filter(([, code]) => FETCHES.test(code));

describe('an example that fetches', () => {
  it('is shown often enough to say anything', () => {
    expect(fetching.length).toBeGreaterThan(25);
  });

  it.each(fetching)('does not take a bad answer for a value: %s', (_name, code) => {
    expect(code).toMatch(HANDS_ON.test(code) ? /resilientFetch|status/ : LOOKS);
  });
});

interface Rates {
  today(currency: string): Promise<number>;
}

/** How the dependency answers, and how often it was asked. */
let answer: number | 'hang';
let asked: number;

beforeEach(() => {
  answer = 200;
  asked = 0;
});

/** The class at the head of the README, as it stands there, with a dependency of this process. */
async function readmeClass(): Promise<Rates> {
  const upstream = createServer((_request, response) => {
    asked += 1;
    if (answer !== 'hang') response.writeHead(answer).end(answer === 200 ? '1.08' : 'no rate');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const [, code = ''] = fetching.find(([name]) => name.startsWith('README-md/')) ?? [];
  const folder = join(ROOT, 'test-results', `readme-${process.pid}-${(upstream.address() as AddressInfo).port}`);
  await mkdir(folder, { recursive: true });
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'rates.service.ts');
  const { port } = upstream.address() as AddressInfo;
  await writeFile(file, code.replace('https://rates.example.com', `http://127.0.0.1:${port}`));
  const { RatesService } = (await import(/* @vite-ignore */ file)) as { RatesService: Type<Rates> };

  const app = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ callContext: true, log: false })],
    providers: [RatesService],
  }).compile();
  await app.init();
  onTestFinished(() => app.close());
  return app.get(RatesService);
}

describe('the class of the README', () => {
  it.each([500, 429, 404, 'hang'] as const)('answers with the last good rate, or fails, at %s', async (bad) => {
    const rates = await readmeClass();
    await expect(rates.today('EUR')).resolves.toBe(1.08);

    answer = bad;

    // A 404 says that there is no such rate, which no old one stands in for.
    if (bad === 404) await expect(rates.today('EUR')).rejects.toMatchObject({ status: 404 });
    else await expect(rates.today('EUR')).resolves.toBe(1.08);
    await expect(rates.today('USD')).rejects.toBeInstanceOf(bad === 'hang' ? TimeoutException : UpstreamHttpError);
  });

  it('has an open breaker after an outage by 500, and its last good rate is a number', async () => {
    const rates = await readmeClass();
    await rates.today('EUR');
    answer = 500;

    const answers = [];
    for (let call = 0; call < 15; call++) answers.push(await rates.today('EUR'));

    expect(answers).toEqual(Array.from({ length: 15 }, () => 1.08));
    expect(asked).toBeLessThan(15);
  });
});
