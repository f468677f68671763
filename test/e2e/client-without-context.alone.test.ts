import { Injectable } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import { ResilienceModule, Timeout } from 'nestjs-bulwark';
import { resilientClient } from 'nestjs-bulwark/microservices';
import { firstValueFrom } from 'rxjs';
import { expect, it, onTestFinished, vi } from 'vitest';
import { initialise } from './support/harness.js';

class Loopback extends ClientProxy {
  override async connect(): Promise<void> {}
  override close(): void {}
  override unwrap<T>(): T {
    return undefined as T;
  }
  protected override publish(_packet: unknown, callback: (packet: { response: string; isDisposed: boolean }) => void) {
    callback({ response: 'fine', isDisposed: true });
    return () => undefined;
  }
  protected override async dispatchEvent<T>(): Promise<T> {
    return undefined as T;
  }
}

it('says once that no timeout ends what a client has sent', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  onTestFinished(() => warn.mockRestore());
  const rates = resilientClient(new Loopback());

  @Injectable()
  class Rates {
    @Timeout(1_000)
    async load(): Promise<string> {
      return firstValueFrom(rates.send<string>('rates', 'EUR'));
    }
  }
  expect(await firstValueFrom(rates.send<string>('rates', 'EUR'))).toBe('fine');
  const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Rates] });
  expect(warn).not.toHaveBeenCalled();

  for (let call = 0; call < 3; call++) expect(await module.get(Rates).load()).toBe('fine');

  expect(warn).toHaveBeenCalledOnce();
  expect(warn.mock.lastCall?.[0]).toMatch(/^resilientClient\(\) knows no call, .*forRoot\(\{ callContext: true \}\)/);
});
