import { Injectable } from '@nestjs/common';
import { currentCall } from 'nestjs-bulwark';
import { deferred, until } from '../../support/harness.js';

/** What the upstream says that no client may read. */
const SECRET = 'the upstream says: password=secret';

/** What the handlers of all transports do, and what has become of it. */
@Injectable()
export class Work {
  attempts = 0;
  /** How many of those that hang or are held have begun, and why they were cut. */
  begun = 0;
  readonly cuts: unknown[] = [];
  /** The time left that handlers have seen. */
  readonly timesLeft: (number | undefined)[] = [];
  readonly #held = deferred<string>();

  failTwice(): string {
    if (++this.attempts < 3) throw new Error('not yet');
    return 'third time';
  }

  async fail(): Promise<never> {
    this.attempts++;
    throw new Error(SECRET);
  }

  /** Hangs until it is cut. */
  hang(signal = currentCall()?.signal): Promise<never> {
    this.begun++;
    this.timesLeft.push(currentCall()?.timeLeft());
    return new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => {
        this.cuts.push(signal.reason);
        reject(signal.reason as Error);
      });
    });
  }

  /** Waits until it is released. */
  hold(): Promise<string> {
    this.begun++;
    return this.#held.promise;
  }

  release(): void {
    this.#held.resolve('released');
  }

  hasBegun(times = 1): Promise<void> {
    return until(() => this.begun >= times, `${times} calls of the handler`);
  }

  wasCut(times = 1): Promise<void> {
    return until(() => this.cuts.length >= times, `${times} cuts of the handler`);
  }
}
