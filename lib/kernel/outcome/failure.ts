import { judge, type Judgement } from './outcome.js';

/**
 * An error that has ended an attempt, and what it says of the dependency. It is read once; breaker, retry and fallback
 * each ask their own question of that reading.
 */
export class Failure {
  #plain: Judgement | undefined = undefined;

  constructor(readonly error: unknown) {}

  /**
   * What it says to somebody who was cut, or was not.
   *
   * @param reason why.
   */
  judge(aborted: boolean, reason: unknown): Judgement {
    if (aborted) return judge(this.error, aborted, reason);
    return (this.#plain ??= judge(this.error, false, undefined));
  }
}
