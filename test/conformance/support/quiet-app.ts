import { ConsoleLogger, Injectable, type Provider } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  CircuitBreaker,
  ResilienceModule,
  ResilienceService,
  type CircuitBreakerOptions,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import { onTestFinished } from 'vitest';

/** An app to whose events nobody listens; it is closed when the test is over. */
export async function startQuietApp(
  providers: Provider[],
  options: ResilienceModuleOptions = {},
): Promise<TestingModule> {
  const module = await Test.createTestingModule({ imports: [ResilienceModule.forRoot(options)], providers })
    .setLogger(new ConsoleLogger({ logLevels: [] }))
    .compile();
  await module.init();
  onTestFinished(() => module.close());
  return module;
}

/** Such an app with one guarded method, `Client.call`, which does `work` with the number of the call, from 1. */
export async function guardQuietly(options: CircuitBreakerOptions, work: (call: number) => unknown) {
  let calls = 0;
  @Injectable()
  class Client {
    @CircuitBreaker(options)
    async call(): Promise<unknown> {
      return work(++calls);
    }
  }
  const app = await startQuietApp([Client]);
  const service = app.get(ResilienceService);
  const client = app.get(Client);
  return { service, call: () => client.call(), breaker: service.circuitBreaker('Client.call') };
}
