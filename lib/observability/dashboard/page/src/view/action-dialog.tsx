import { useEffect, useRef, useState } from 'preact/hooks';
import type { ActionRequest } from '../../../protocol.js';
import { act } from '../client/requests.js';
import { uuid } from '../client/uuid.js';
import { visible } from '../model/format.js';
import { STATE_LABELS } from '../model/standing.js';
import { refreshDetail } from '../state/detail.js';
import { intent, notice, type Intent } from '../state/dialogs.js';
import { board, version } from '../state/live.js';
import { ACTION_EFFECTS, ACTION_LABELS } from './actions.js';
import { Name } from './name.js';

/** What the fleet is told for a time; the others take it back. */
const LASTING: ReadonlySet<ActionRequest['action']> = new Set(['forceOpen', 'disable']);
/** As the protocol says. */
const LONGEST_REASON = 200;
const HOLDS: readonly { readonly ms: number; readonly label: string }[] = [
  { ms: 300_000, label: '5 minutes' },
  { ms: 900_000, label: '15 minutes' },
  { ms: 3_600_000, label: '1 hour' },
  { ms: 14_400_000, label: '4 hours' },
  { ms: 86_400_000, label: '24 hours' },
];

export function ActionDialog() {
  const chosen = intent.value;
  return chosen === null ? null : <Ask chosen={chosen} />;
}

function Ask({ chosen }: { readonly chosen: Intent }) {
  void version.value;
  const { instance, key, action } = chosen;
  const dialog = useRef<HTMLDialogElement>(null);
  // One command has one id, however often its button is pressed.
  const [id, setId] = useState(uuid);
  const [seen, setSeen] = useState(chosen.seen);
  const [process, setProcess] = useState(board.process?.id);
  const [reason, setReason] = useState('');
  const [scope, setScope] = useState<'process' | 'fleet'>('process');
  const [holds, setHolds] = useState(900_000);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  useEffect(() => {
    const opened = dialog.current;
    opened?.showModal();
    return () => opened?.close();
  }, []);

  const now = key === undefined ? (board.byName(instance)?.numbers.state ?? seen) : seen;
  const moved = now !== seen || board.process?.id !== process;
  const send = async (): Promise<void> => {
    if (process === undefined || busy) return;
    const request: ActionRequest = {
      id,
      process,
      instance,
      ...(key === undefined ? {} : { key }),
      action,
      seen,
      ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
      ...(scope === 'fleet' ? { scope, ...(LASTING.has(action) ? { for: holds } : {}) } : {}),
    };
    setBusy(true);
    setFault(null);
    const outcome = await act(request);
    setBusy(false);
    refreshDetail();
    if (outcome.done) {
      const name = `${visible(instance)}${key === undefined ? '' : ` (key ${visible(key)})`}`;
      const told =
        scope === 'fleet'
          ? `the fleet was told; ${name} of this process is ${STATE_LABELS[outcome.state]} at this moment`
          : `${name} is ${STATE_LABELS[outcome.state]}`;
      notice.value = { tone: 'good', text: `Done: ${told}.` };
      intent.value = null;
      return;
    }
    setFault(outcome.text);
    // Only what nobody answered may have been done: sent again, it must stay the same command.
    if (outcome.code !== null) setId(uuid());
  };

  return (
    <dialog class="dialog" ref={dialog} aria-labelledby="action-title" onClose={() => (intent.value = null)}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <h2 id="action-title">
          {ACTION_LABELS[action]}: <Name text={instance} />
        </h2>
        {key !== undefined && (
          <p>
            Key <Name text={key} class="code" />
          </p>
        )}
        <p>{ACTION_EFFECTS[action]}</p>
        <p class="quiet">
          Its state now: <b>{STATE_LABELS[seen]}</b>
        </p>
        {moved && (
          <p class="banner tone-warn" role="status">
            {board.process?.id === process
              ? `It has become ${STATE_LABELS[now]} meanwhile. `
              : 'Another process answers now. '}
            <button
              type="button"
              class="link"
              onClick={() => {
                setSeen(now);
                setProcess(board.process?.id);
              }}
            >
              Go on with that
            </button>
          </p>
        )}
        {board.fleet && key === undefined && (
          <fieldset>
            <legend>For</legend>
            <label>
              <input type="radio" name="scope" checked={scope === 'process'} onChange={() => setScope('process')} />
              this process ({board.process && `${visible(board.process.host)}, pid ${board.process.pid}`})
            </label>
            <label>
              <input type="radio" name="scope" checked={scope === 'fleet'} onChange={() => setScope('fleet')} />
              the whole fleet
            </label>
            {scope === 'fleet' && LASTING.has(action) && (
              <label>
                holds for{' '}
                <select value={holds} onChange={(event) => setHolds(Number(event.currentTarget.value))}>
                  {HOLDS.map(({ ms, label }) => (
                    <option key={ms} value={ms}>
                      {label}
                    </option>
                  ))}
                </select>
              </label>
            )}
          </fieldset>
        )}
        <label class="field">
          Reason <span class="quiet">for the log, {LONGEST_REASON} characters at most</span>
          <input
            type="text"
            maxLength={LONGEST_REASON}
            autocomplete="off"
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        {fault !== null && (
          <p class="banner tone-bad" role="alert">
            {fault}
          </p>
        )}
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class={`button primary ${action === 'forceOpen' ? 'danger' : ''}`} disabled={busy}>
            {busy ? 'Sending…' : ACTION_LABELS[action]}
          </button>
        </div>
      </form>
    </dialog>
  );
}
