/**
 * Who may steer a breaker, the first before all others. Each says its word or nothing, and the first that speaks wins;
 * where none does, the breaker goes by what it counts. Before them all is the kill switch: it says nothing of any state,
 * and nothing refuses under it.
 */
export const CONTROL_ORDER = ['operator', 'command', 'rule', 'advice', 'options'] as const;

/** Who steers: {@link CONTROL_ORDER}. */
export type ControlSource = (typeof CONTROL_ORDER)[number];

/** What a source says: all calls are refused, all are let through, or the breaker judges by itself. */
export interface ControlWord {
  readonly state: 'forcedOpen' | 'disabled' | 'normal';
  /** For people: it is shown, and nothing goes by it. */
  readonly reason: string;
}

/** The word that is in force, and whose it is. */
export interface ControlDecision {
  readonly source: ControlSource;
  readonly word: ControlWord;
}

/** What each source says of one breaker. The breaker of a key also hears what is said of its whole name. */
export class Control {
  #words: Map<ControlSource, ControlWord> | undefined = undefined;

  constructor(private readonly wholeName?: Control) {}

  /** @param word undefined: the source takes its word back. */
  say(source: ControlSource, word: ControlWord | undefined): void {
    if (word !== undefined) (this.#words ??= new Map()).set(source, word);
    else this.#words?.delete(source);
  }

  /** What a source says; of a key, what it says of the whole name where it says nothing of the key. */
  wordOf(source: ControlSource): ControlWord | undefined {
    return this.#words?.get(source) ?? this.wholeName?.wordOf(source);
  }

  /** Whether an operator, or a command, speaks of it alone, and not of its whole name. */
  get isOrderedAlone(): boolean {
    return this.#words?.has('operator') === true || this.#words?.has('command') === true;
  }

  /** The first word in the order; undefined where nobody speaks. */
  get inForce(): ControlDecision | undefined {
    for (const source of CONTROL_ORDER) {
      const word = this.wordOf(source);
      if (word !== undefined) return { source, word };
    }
    return undefined;
  }
}

/** Whether one source goes before another, so that what the other says does not weaken its word. */
export function goesBefore(one: ControlSource, other: ControlSource): boolean {
  return CONTROL_ORDER.indexOf(one) < CONTROL_ORDER.indexOf(other);
}
