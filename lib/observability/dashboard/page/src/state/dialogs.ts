import { signal } from '@preact/signals';
import type { ActionKind, BreakerState } from '../../../protocol.js';

/** An action that somebody is about to take. */
export interface Intent {
  readonly instance: string;
  readonly key?: string;
  readonly action: ActionKind;
  /** The state in which it was chosen. */
  readonly seen: BreakerState;
}

export const intent = signal<Intent | null>(null);
export const helpOpen = signal(false);
/** The last thing that came of an action; stays until it is closed or the next comes. */
export const notice = signal<{ readonly tone: 'good' | 'bad'; readonly text: string } | null>(null);
