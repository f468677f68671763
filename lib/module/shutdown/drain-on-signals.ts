import type { INestApplicationContext } from '@nestjs/common';
import { systemClock } from '../../kernel/clock.js';
import { textOf } from '../../kernel/error-text.js';
import { CarefulLogger } from '../event-log/careful-logger.js';
import { Drain } from './drain.js';

/** What Nest's own hooks may take beyond the time of the drain, ms; what ends a process takes a little, too. */
const CLOSE_MS = 700;

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
      // One listener that is left, anybody's, would keep the process alive.
      process.removeAllListeners(signal);
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
  const drain = app.get(Drain, { strict: false });
  const { delay, grace } = drain.defaults;
  const late = systemClock.now() + delay + grace + CLOSE_MS;
  await drain.run();
  // What the drain has left of its time is there for the hooks.
  const left = Math.max(0, late - systemClock.now());
  let timer: ReturnType<typeof systemClock.setTimeout> | undefined;
  await Promise.race([app.close(), new Promise<void>((resolve) => (timer = systemClock.setTimeout(resolve, left)))]);
  if (timer !== undefined) systemClock.clearTimeout(timer);
}
