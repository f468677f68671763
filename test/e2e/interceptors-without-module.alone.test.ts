import { Controller, Get, Logger, UseInterceptors } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { ResilienceInterceptor, ResilienceModule, Timeout, TimeoutInterceptor } from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { RecordingLogger, start } from './support/harness.js';

@Controller()
class Rates {
  @Get('rate')
  @UseInterceptors(TimeoutInterceptor)
  async rate(): Promise<string> {
    return 'rate';
  }

  @Get('guarded')
  @Timeout(1_000)
  async guarded(): Promise<string> {
    return 'guarded';
  }
}

// First: it is said once a process.
describe('an interceptor in an app without the module', () => {
  it('says once that it does nothing, when the first request comes', async () => {
    const log = new RecordingLogger();
    const { url } = await start({
      controllers: [Rates],
      providers: [{ provide: APP_INTERCEPTOR, useClass: ResilienceInterceptor }],
    });
    Logger.overrideLogger(log);

    for (const path of ['rate', 'rate', 'guarded']) expect((await fetch(`${url}/${path}`)).status).toBe(200);

    expect(log.ofBulwark('warn')).toEqual([
      expect.stringMatching(
        /^ResilienceInterceptor knows no ResilienceModule, and does nothing, as may others\. Import ResilienceModule\.forRoot\(\)/,
      ),
      expect.stringMatching(/^Rates\.guarded\(\) was called on an instance that no ResilienceModule provides/),
    ]);
  });

  it('says nothing where the module provides it', async () => {
    const { url, log } = await start({
      imports: [ResilienceModule.forRoot({ policies: { default: { timeout: 1_000 } } })],
      controllers: [Rates],
    });

    await fetch(`${url}/rate`);

    expect(log.ofBulwark('warn')).toEqual([]);
  });
});
