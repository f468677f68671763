import type { InstanceDetail } from '../../../protocol.js';
import { visible } from '../model/format.js';

/** The rules in force that speak of an instance; shown and never edited: an edit here would be lost at a restart. */
export function RulesCard({ rules }: { readonly rules: InstanceDetail['rules'] }) {
  const { revision, by, lines } = rules;
  return (
    <section class="card" aria-labelledby="rules-title">
      <h2 id="rules-title">Rules in force</h2>
      {lines.length === 0 ? (
        <p class="quiet">None speaks of this instance.</p>
      ) : (
        <>
          <p class="quiet">
            {revision === null ? 'Without a revision' : `Revision ${visible(revision)}`}
            {by !== null && `, by ${visible(by)}`}
          </p>
          <ul class="diff">
            {lines.map(({ path, value, before }) => (
              <li key={path}>
                <code class="wrap">{visible(path)}</code>
                {before !== null && (
                  <del>
                    <span class="hidden">without it: </span>
                    {visible(before)}
                  </del>
                )}
                <ins>
                  <span class="hidden">now: </span>
                  {visible(value)}
                </ins>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
