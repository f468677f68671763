import type { INestApplicationContext } from '@nestjs/common';
import { systemClock } from '../../kernel/clock.js';
import { textOf } from '../../kernel/error-text.js';
import { CarefulLogger } from '../event-log/careful-logger.js';
import { ResilienceService } from '../resilience.service.js';

/** What Nest's own hooks may take after the drain, ms. */
const CLOSE_MS = 900;

/**
 * Lets SIGTERM and SIGINT drain the app, close it and end the process: the one line that `main.ts` needs. It takes the place
 * of `app.enableShutdownHooks()`, which would close the app while its work still runs.
 *
 * The process ends at most `delay + grace + 1 s` after the signal (see `forRoot({ shutdown })`), or at once at a second one.
 *
 * @example
 * const app = await NestFactory.create(AppModule);
 * drainOnSignals(app);
 * await app.listen(3000);
 *
 * @publicApi
 */
export function drainOnSignals(
  app: Pick<INestApplicationContext, 'get' | 'close'>,
  signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'],
): void {
  const logger = new CarefulLogger();
  let ending = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    const die = (): void => {
      for (const one of signals) process.off(one, onSignal);
      process.kill(process.pid, signal);
    };
    if (ending) return die();
    ending = true;
    void end(app)
      .catch((error: unknown) => logger.write('error', () => `the app did not end as it should: ${textOf(error)}`))
      .finally(die);
  };
  for (const signal of signals) process.on(signal, onSignal);
}

async function end(app: Pick<INestApplicationContext, 'get' | 'close'>): Promise<void> {
  await app.get(ResilienceService, { strict: false }).drain();
  let late: ReturnType<typeof systemClock.setTimeout> | undefined;
  await Promise.race([app.close(), new Promise<void>((resolve) => (late = systemClock.setTimeout(resolve, CLOSE_MS)))]);
  if (late !== undefined) systemClock.clearTimeout(late);
}
