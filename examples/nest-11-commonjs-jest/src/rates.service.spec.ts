import { Test } from '@nestjs/testing';
import { RESILIENCE_CLOCK, ResilienceService } from 'nestjs-bulwark';
import { ResilienceTesting, virtualClock } from 'nestjs-bulwark/testing';
import { AppModule } from './app.module';
import { RatesService } from './rates.service';

it('asks the provider again 30 s after its breaker has opened', async () => {
  const clock = virtualClock();
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(RESILIENCE_CLOCK)
    .useValue(clock)
    .compile();
  await module.init();
  const rates = module.get(RatesService);
  const breaker = module.get(ResilienceService).circuitBreaker('rates');
  const down = new Error('down');
  const script = ResilienceTesting.for(module).script(RatesService, 'rate', [down, down, down, down, 1.1]);

  for (let call = 0; call < 6; call++) expect(await rates.rate('EUR')).toBe(1.08);
  expect(breaker.state).toBe('open');
  expect(script.calls).toHaveLength(4);

  // A breaker stays open for up to a tenth longer, so that not all processes try at once.
  await clock.advance(33_000);
  expect(await rates.rate('EUR')).toBe(1.1);
  expect(breaker.state).toBe('closed');
  await module.close();
});
