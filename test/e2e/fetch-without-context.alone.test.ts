import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable } from '@nestjs/common';
import { ResilienceModule, Signal, Timeout } from 'nestjs-bulwark';
import { resilientFetch } from 'nestjs-bulwark/http';
import { expect, it, onTestFinished, vi } from 'vitest';
import { initialise } from './support/harness.js';

it('says once that no timeout ends the requests of resilientFetch(), and not where it was given a signal', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const upstream = createServer((_request, response) => response.end('fine'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    warn.mockRestore();
    upstream.close();
  });
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;

  @Injectable()
  class Client {
    @Timeout(1_000)
    async cut(@Signal() signal?: AbortSignal): Promise<string> {
      return (await resilientFetch(url, { signal: signal ?? null })).text();
    }

    @Timeout(1_000)
    async uncut(): Promise<string> {
      return (await resilientFetch(url)).text();
    }
  }
  await (await resilientFetch(url)).text();
  const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Client] });
  const client = module.get(Client);

  await client.cut();
  expect(warn).not.toHaveBeenCalled();
  for (let call = 0; call < 3; call++) expect(await client.uncut()).toBe('fine');

  expect(warn).toHaveBeenCalledOnce();
  expect(warn.mock.lastCall?.[0]).toMatch(/^resilientFetch\(\) knows no call, .*forRoot\(\{ callContext: true \}\)/);
});
