import type { ActionKind, BreakerState } from '../../../protocol.js';
import { visible } from '../model/format.js';
import { intent } from '../state/dialogs.js';
import { board } from '../state/live.js';

export const ACTION_LABELS: Readonly<Record<ActionKind, string>> = {
  forceOpen: 'Force open',
  forceClose: 'Close',
  reset: 'Reset',
  disable: 'Disable',
  enable: 'Enable',
};

/** What each action does, for those who seldom take it. */
export const ACTION_EFFECTS: Readonly<Record<ActionKind, string>> = {
  forceOpen: 'Refuses every call, and probes none, until somebody closes or resets it.',
  forceClose: 'Lets calls through now. It judges them as ever, and opens again if they fail.',
  reset: 'Begins anew: closed, and with an empty window.',
  disable: 'Lets every call through and judges none, until somebody enables it.',
  enable: 'Judges calls again.',
};

/** What makes sense in a state. */
function actionsIn(state: BreakerState): readonly ActionKind[] {
  switch (state) {
    case 'closed':
      return ['forceOpen', 'reset', 'disable'];
    case 'open':
    case 'halfOpen':
      return ['forceClose', 'forceOpen', 'reset', 'disable'];
    case 'forcedOpen':
      return ['forceClose', 'reset', 'disable'];
    case 'disabled':
      return ['enable', 'forceOpen'];
  }
}

export function Actions({ instance, state }: { readonly instance: string; readonly state: BreakerState }) {
  if (!board.canAct) return <p class="quiet read-only">You may look here, not act.</p>;
  return (
    <div class="actions" role="group" aria-label="Act on the breaker">
      {actionsIn(state).map((action) => (
        <button
          key={action}
          type="button"
          class={`button ${action === 'forceOpen' ? 'danger' : ''}`}
          onClick={() => (intent.value = { instance, action, seen: state })}
        >
          {ACTION_LABELS[action]}…
        </button>
      ))}
    </div>
  );
}

interface KeyActionsProps {
  readonly instance: string;
  readonly of: string;
  readonly state: BreakerState;
}

/** The same for the breaker of one key, in little room. */
export function KeyActions({ instance, of: key, state }: KeyActionsProps) {
  if (!board.canAct) return null;
  return (
    <div class="key-actions">
      {actionsIn(state)
        .filter((action) => action !== 'disable')
        .map((action) => (
          <button
            key={action}
            type="button"
            class="link"
            aria-label={`${ACTION_LABELS[action]} key ${visible(key)}`}
            onClick={() => (intent.value = { instance, key, action, seen: state })}
          >
            {ACTION_LABELS[action]}…
          </button>
        ))}
    </div>
  );
}
