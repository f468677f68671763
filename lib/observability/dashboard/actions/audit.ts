import type { EventBus } from '../../../events/event-bus.js';
import type { Clock } from '../../../kernel/clock.js';
import { CarefulLogger } from '../../../module/event-log/careful-logger.js';
import { oneLine } from '../one-line.js';
import type { ActionRequest } from '../protocol.js';

/** An action, as far as it is known. */
export type AuditedAction = Partial<Pick<ActionRequest, 'instance' | 'key' | 'action' | 'reason' | 'scope'>>;

const MINUTE_MS = 60_000;
/** So many refusals have a line of their own within a minute: whoever may send requests may send very many. */
const MOST_LINES = 100;
const LONGEST_REASON = 200;

/** Says of each action who wanted what, and what came of it: one line of the log, and one event. */
export class Audit {
  readonly #logger = new CarefulLogger();
  #minute = -Infinity;
  #lines = 0;
  #left = 0;

  constructor(
    private readonly events: EventBus,
    private readonly clock: Clock,
  ) {}

  done(by: string, action: AuditedAction, result: string): void {
    this.#logger.write('warn', `Dashboard: ${by}: ${describe(action)}: done, ${result}`);
    this.#emit(by, action, 'done');
  }

  /** @param why in words of ours. */
  refused(by: string, action: AuditedAction, code: string, why: string): void {
    this.#writeBounded(`Dashboard: ${by}: ${describe(action)}: refused (${code}), ${why}`);
    this.#emit(by, action, code);
  }

  /** Somebody asked for an instance that is not there. */
  unknown(by: string, name: string): void {
    this.#writeBounded(`Dashboard: ${by}: there is no instance '${oneLine(name)}'`);
  }

  #emit(by: string, { instance = '', key, action, reason, scope = 'process' }: AuditedAction, outcome: string): void {
    const { events } = this;
    if (!events.hearsChanges) return;
    events.emitChange({
      type: 'operatorAction',
      policy: 'circuitBreaker',
      name: oneLine(key === undefined ? instance : `${instance}[${key}]`, 600),
      action,
      by,
      reason: reason === undefined ? undefined : oneLine(reason, LONGEST_REASON),
      outcome,
      scope,
    });
  }

  #writeBounded(line: string): void {
    const now = this.clock.now();
    if (now - this.#minute >= MINUTE_MS) {
      if (this.#left > 0) this.#logger.write('warn', `Dashboard: refused ... ${this.#left} more in the last minute`);
      this.#minute = now;
      this.#lines = this.#left = 0;
    }
    if (++this.#lines <= MOST_LINES) this.#logger.write('warn', line);
    else this.#left++;
  }
}

function describe({ instance, key, action, reason, scope }: AuditedAction): string {
  const whose = instance === undefined ? '' : ` '${oneLine(instance)}'`;
  const which = key === undefined ? '' : ` key '${oneLine(key)}'`;
  const where = scope === 'fleet' ? ' in all processes' : '';
  const why = reason === undefined ? '' : `, reason '${oneLine(reason, LONGEST_REASON)}'`;
  return `${action ?? 'an action'}${whose}${which}${where}${why}`;
}
