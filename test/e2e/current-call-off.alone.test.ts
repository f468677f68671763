import { Injectable } from '@nestjs/common';
import { currentCall, ResilienceModule, Signal, Timeout } from 'nestjs-bulwark';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { initialise } from './support/harness.js';

@Injectable()
class Reader {
  @Timeout(1_000)
  async read(): Promise<unknown> {
    await new Promise((resolve) => setImmediate(resolve));
    return currentCall();
  }

  @Timeout(1_000)
  async outer(): Promise<boolean> {
    return this.inner();
  }

  @Timeout(60_000)
  async inner(@Signal() signal?: AbortSignal): Promise<boolean> {
    return signal instanceof AbortSignal;
  }
}

describe('currentCall() without callContext', () => {
  it('is undefined and warns once, when it is asked in guarded calls', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    onTestFinished(() => warn.mockRestore());
    const { module, log } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Reader] });
    const reader = module.get(Reader);

    const answers = [await reader.read(), await reader.read(), currentCall()];

    expect(answers).toEqual([undefined, undefined, undefined]);
    const warnings = [...warn.mock.calls.map(([text]) => String(text)), ...log.ofBulwark('warn')];
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('callContext');
  });

  it('leaves guarded calls as they are, when one runs in another', async () => {
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Reader] });

    expect(await module.get(Reader).outer()).toBe(true);
  });
});
