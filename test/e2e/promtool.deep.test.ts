import { ResilienceMetricsModule } from 'nestjs-bulwark/metrics';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../architecture/source-files.js';
import { promtool, promtoolMissing } from '../support/servers/promtool.js';
import { startEventful } from './support/eventful-app.js';

describe.skipIf(promtoolMissing())('promtool', () => {
  it('finds nothing to complain about in a scrape', async () => {
    const registry = new Registry();
    await startEventful([ResilienceMetricsModule.forRoot({ registry })]);

    expect(promtool(['check', 'metrics'], ROOT, await registry.metrics())).toEqual({ code: 0, output: '' });
  });

  it('takes the alerts', () => {
    const { code, output } = promtool(['check', 'rules', 'prometheus/alerts.yaml'], ROOT);

    expect(output).toContain('SUCCESS');
    expect(code).toBe(0);
  });

  it('sees the alerts come, and stay away, as they should', () => {
    const { code, output } = promtool(['test', 'rules', 'test/prometheus/alerts.test.yaml'], ROOT);

    expect(output).toContain('SUCCESS');
    expect(code).toBe(0);
  });
});
