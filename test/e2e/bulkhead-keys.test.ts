import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Bulkhead, BulkheadFullException, ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { expect, it, onTestFinished } from 'vitest';

@Injectable()
class Reports {
  @Bulkhead('reports', { maxConcurrent: 1, key: (tenant: string) => tenant })
  async render(_tenant: string, work: () => unknown): Promise<unknown> {
    return work();
  }
}

it('keeps the slots of tenants apart, and shows them together', async () => {
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ log: false })],
    providers: [Reports],
  }).compile();
  await module.init();
  onTestFinished(() => module.close());
  const [reports, service] = [module.get(Reports), module.get(ResilienceService)];
  let end = (): void => undefined;
  const long = reports.render('noisy', () => new Promise<void>((resolve) => (end = resolve)));

  await expect(reports.render('noisy', () => 1)).rejects.toThrow(BulkheadFullException);
  expect(await reports.render('quiet', () => 2)).toBe(2);

  const [reportsBulkhead] = service.bulkheads();
  expect(reportsBulkhead).toMatchObject({ name: 'reports', active: 1, waiting: 0, limit: 1, keys: 2 });
  const [plan] = service.plan().flatMap(({ policies }) => policies);
  expect(plan?.options).toMatchObject({ maxConcurrent: 1, maxKeys: 1_000 });
  expect(plan?.sources['maxKeys']).toBe('key');
  end();
  await long;
  expect(reportsBulkhead?.active).toBe(0);
});
