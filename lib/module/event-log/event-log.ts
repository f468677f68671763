import type { EventBus } from '../../events/event-bus.js';
import type { ResilienceEvent } from '../../events/resilience-event.js';
import type { Clock } from '../../kernel/clock.js';
import type { CarefulLogger } from './careful-logger.js';
import type { Level } from './log-line.js';
import {
  describeEvent,
  fieldsOf,
  kindOfKeys,
  ofBreakerTimeout,
  ofKeysExhausted,
  ofRetrySuppressed,
  ofStateChange,
  ofStore,
} from './lines.js';
import type { Repeats, Saying } from './repeats.js';
import { Shedding } from './shedding.js';

/** What of the events stands in the log. */
export type EventLogSetting = 'changes' | 'all' | false;

/** Writes into the app's log what operators would want to know, without anybody having set anything up. */
export class EventLog {
  readonly #shedding: Shedding;

  constructor(
    private readonly repeats: Repeats,
    private readonly logger: CarefulLogger,
    clock: Clock,
  ) {
    this.#shedding = new Shedding(clock, repeats);
  }

  /** @returns a function that ends it. */
  listen(events: EventBus, what: 'changes' | 'all'): () => void {
    const leave =
      what === 'all'
        ? events.subscribe((event) => this.#writeAny(event))
        : events.watchChanges({
            changed: (event) => this.#writeChange(event),
            repeated: (type, name) => {
              if (type === 'keysExhausted') this.repeats.count(kindOfKeys(name));
            },
          });
    return () => {
      leave();
      this.#shedding.close();
    };
  }

  /** Rules tell their changes themselves, all of a document in one line. */
  #writeChange(event: ResilienceEvent): void {
    if (event.type === 'shed') return this.#shedding.shed(event);
    const saying = sayingOf(event);
    if (saying !== undefined) this.repeats.say(saying);
  }

  #writeAny(event: ResilienceEvent): void {
    this.logger.write(levelOf(event), () => describeEvent(event), { fields: fieldsOf(event) });
  }
}

function sayingOf(event: ResilienceEvent): Saying | undefined {
  switch (event.type) {
    case 'stateChange':
      return ofStateChange(event);
    case 'retrySuppressed':
      // Nothing has failed that the caller still waits for.
      return event.reason === 'aborted' ? undefined : ofRetrySuppressed(event);
    case 'keysExhausted':
      return ofKeysExhausted(event);
    case 'timeout':
      return event.limitOf === 'circuitBreaker' ? ofBreakerTimeout(event) : undefined;
    case 'store':
      return ofStore(event);
    default:
      return undefined;
  }
}

function levelOf(event: ResilienceEvent): Level {
  if (event.type === 'shed') return 'warn';
  return sayingOf(event)?.level ?? 'log';
}
