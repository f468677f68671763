import type { AbortListener } from '../kernel/audience.js';
import type { Attempt } from '../kernel/attempt.js';
import type { Clock } from '../kernel/clock.js';
import type { MethodKind } from '../kernel/method-kind.js';
import type { StandIn } from '../planning/assemble.js';
import type { Target } from '../planning/target.js';
import { answer } from './answer.js';
import type { Fault } from './fault.js';
import { Outcome, real } from './outcome.js';
import type { Script } from './script.js';

/** What ends that which a script or a fault keeps waiting. */
export class ResetError extends Error {
  override readonly name = 'AbortError';

  constructor() {
    super('a scripted or injected wait was ended by ResilienceTesting.reset()');
  }
}

/** What a test has put between policies and methods, of one app. */
export class Interventions {
  readonly #faults = new Set<Fault>();
  #scripts: Script[] = [];
  readonly #waits = new Set<AbortListener>();

  constructor(private readonly clock: Clock) {}

  /** Looks for what there is at each attempt, so that plans need not be made anew. */
  readonly standIn: StandIn = (target, names) => (attempt) => {
    // What was called before anybody knew what it gives is taken as it is.
    if (attempt.rare?.given !== undefined) return target.body(attempt);
    const outcome = this.#outcomeOf(target, names, attempt);
    return outcome === undefined ? target.body(attempt) : this.#play(target, attempt, outcome);
  };

  /** The newest script of a method takes the place of an older one. */
  addScript(script: Script): void {
    this.#scripts = [script, ...this.#scripts.filter((other) => !other.isReplacedBy(script))];
  }

  addFault(fault: Fault): void {
    this.#faults.add(fault);
  }

  removeFault(fault: Fault): void {
    this.#faults.delete(fault);
  }

  /** Takes all of it out, and ends what it keeps waiting. */
  clear(): void {
    this.#faults.clear();
    this.#scripts = [];
    for (const end of [...this.#waits]) end(new ResetError());
  }

  /** Faults take their time one after the other; the first that ends the attempt decides, then the script, then the method. */
  #outcomeOf(target: Target, names: readonly string[], attempt: Attempt): Outcome | undefined {
    let delayMs = 0;
    // Nobody knows yet what the method gives, nor in which form it would fail.
    const faults = kindOf(target) === undefined ? [] : [...this.#faults].filter((fault) => fault.isFor(target, names));
    for (const fault of faults) {
      const outcome = fault.strike(attempt);
      if (outcome === undefined) continue;
      delayMs += outcome.delayMs;
      if (outcome.end.type !== 'real') return new Outcome(outcome.end, delayMs);
    }
    const scripted = this.#scripts.find((script) => script.isFor(target, names))?.next(attempt.args);
    if (scripted === undefined && delayMs === 0) return undefined;
    const { end, delayMs: own } = scripted ?? real();
    return new Outcome(end, delayMs + own);
  }

  #play(target: Target, attempt: Attempt, { end, delayMs }: Outcome): unknown {
    const hangs = end.type === 'hangs';
    return answer(target.instanceName, kindOf(target), {
      wait: hangs || delayMs > 0 ? () => this.#wait(attempt, hangs ? undefined : delayMs) : undefined,
      isReal: end.type === 'real',
      end: () => {
        switch (end.type) {
          case 'returns':
            return end.value;
          case 'throws':
            throw end.error;
          case 'asks':
            return end.answer(...attempt.args);
          case 'real':
            return target.body(attempt);
          case 'hangs':
            return undefined;
        }
      },
    });
  }

  /** @param ms undefined: for ever. */
  #wait(attempt: Attempt, ms: number | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        attempt.offAbort(cut);
        this.#waits.delete(cut);
        if (timer !== undefined) this.clock.clearTimeout(timer);
      };
      const cut: AbortListener = (reason) => {
        leave();
        reject(reason);
      };
      const timer =
        ms === undefined
          ? undefined
          : this.clock.setTimeout(() => {
              leave();
              resolve();
            }, Math.ceil(ms));
      this.#waits.add(cut);
      attempt.onAbort(cut);
    });
  }
}

/** What calls of it give. One that is declared as giving a plain value may turn out otherwise, but is taken at its word. */
function kindOf({ kind, guarded }: Target): MethodKind {
  return kind ?? (guarded?.kind === 'sync' ? 'sync' : undefined);
}
