import { useEffect, useRef } from 'preact/hooks';
import { helpOpen } from '../state/dialogs.js';

const KEYS: readonly (readonly [keys: readonly string[], does: string])[] = [
  [['/'], 'filter the instances'],
  [['j', '↓'], 'next instance'],
  [['k', '↑'], 'instance before'],
  [['Home', 'End'], 'first, last'],
  [['Enter'], 'open the instance'],
  [['Esc'], 'back, or close what is open'],
  [['?'], 'this help'],
];

export function HelpDialog() {
  return helpOpen.value ? <Help /> : null;
}

function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opened = dialog.current;
    opened?.showModal();
    return () => opened?.close();
  }, []);
  return (
    <dialog class="dialog" ref={dialog} aria-labelledby="help-title" onClose={() => (helpOpen.value = false)}>
      <h2 id="help-title">Keys</h2>
      <dl class="keys">
        {KEYS.map(([keys, does]) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p class="quiet">
        The list begins with what is in trouble. “Failed” is the share of calls whose caller got the failure; what a
        fallback answered counts as substituted, and what a policy turned away as refused.
      </p>
      <div class="dialog-buttons">
        <button type="button" class="button primary" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}
