import { describe, expect, it } from 'vitest';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { errorOf, settle } from '../../../support/settle.js';

describe("listeners of opossum's events", () => {
  it('that throw, now or later, are reported and keep nothing from the others', async () => {
    const scene = new BreakerScene({ volumeThreshold: 1 });
    const heard: string[] = [];
    scene.breaker.on('open', () => {
      throw new Error('now');
    });
    scene.breaker.on('open', () => Promise.reject(new Error('later')) as never);
    scene.breaker.once('open', () => heard.push('once'));
    scene.breaker.on('open', () => heard.push('always'));

    await scene.fail();
    scene.breaker.reset();
    await scene.fail();
    await settle();

    expect(scene.state).toBe('open');
    expect(heard).toEqual(['once', 'always', 'always']);
    const reports = scene.environment.reports.map(({ place, error }) => `${place}: ${(error as Error).message}`);
    expect(reports.sort()).toEqual([
      "payments, a listener of 'open': later",
      "payments, a listener of 'open': later",
      "payments, a listener of 'open': now",
      "payments, a listener of 'open': now",
    ]);
  });

  it('do not keep a breaker from being shut down', async () => {
    const scene = new BreakerScene();
    scene.breaker.on('shutdown', () => {
      throw new Error('now');
    });

    scene.breaker.shutdown();

    expect(scene.breaker.isShutdown).toBe(true);
    expect(await errorOf(scene.breaker.fire(() => 'run'))).toMatchObject({ code: 'SHUTDOWN' });
  });
});
