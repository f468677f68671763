import { useState } from 'preact/hooks';
import type { TimelineEntry } from '../../../protocol.js';
import { count, timeOfDay, visible } from '../model/format.js';
import { addressOf } from '../model/route.js';
import { told } from '../model/timeline.js';
import { board, version } from '../state/live.js';
import { timelineWords } from '../state/place.js';
import { Icon } from './icon.js';
import { Name } from './name.js';

const FIRST_SHOWN = 100;

/** What was decided, newest first. */
export function TimelinePane() {
  void version.value;
  return (
    <section class="pane timeline-pane" aria-labelledby="timeline-title">
      <div class="pane-head">
        <h2 id="timeline-title" tabIndex={-1}>
          Decisions
        </h2>
        <input
          type="search"
          class="small-search"
          placeholder="Filter by instance or text"
          aria-label="Filter decisions by instance, policy or text"
          autocomplete="off"
          spellcheck={false}
          value={timelineWords.value}
          onInput={(event) => (timelineWords.value = event.currentTarget.value)}
        />
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Decisions, newest first">
        <Entries entries={told(board.timeline, timelineWords.value)} />
      </div>
    </section>
  );
}

interface EntriesProps {
  readonly entries: readonly TimelineEntry[];
  /** The one instance of which all of them are: its name goes without saying. */
  readonly of?: string;
}

export function Entries({ entries, of }: EntriesProps) {
  const [shown, setShown] = useState(FIRST_SHOWN);
  if (entries.length === 0) return <p class="empty">Nothing was decided that is worth telling.</p>;
  return (
    <>
      <ol class="entries">
        {entries.slice(0, shown).map((entry) => (
          <Entry key={entry.id} entry={entry} own={entry.name === of} linked={of === undefined} />
        ))}
      </ol>
      {entries.length > shown && (
        <button type="button" class="link more" onClick={() => setShown(shown + FIRST_SHOWN)}>
          Show {Math.min(FIRST_SHOWN, entries.length - shown)} more
        </button>
      )}
    </>
  );
}

interface EntryProps {
  readonly entry: TimelineEntry;
  readonly own: boolean;
  readonly linked: boolean;
}

function Entry({ entry, own, linked }: EntryProps) {
  const { at, level, name, policy, text, repeats } = entry;
  const owner = linked ? board.ownerOf(name) : undefined;
  return (
    <li class={`entry level-${level}`}>
      <time dateTime={new Date(at).toISOString()}>{timeOfDay(at)}</time>
      <Icon name={level} />
      <div class="entry-body">
        <p class="entry-head">
          {owner !== undefined && (
            <a href={addressOf(owner.name)}>
              <Name text={name} />
            </a>
          )}
          {owner === undefined && !own && <Name text={name} class="strong" />}
          <span class="quiet policy">{policy}</span>
          {repeats > 0 && (
            <span class="repeats" title={`It happened ${repeats} more times within the same minute`}>
              ×{count(repeats + 1)}
            </span>
          )}
          {linked && (
            <button
              type="button"
              class="only"
              aria-label={`Only decisions of ${visible(name)}`}
              title="Only this instance"
              onClick={() => (timelineWords.value = name)}
            >
              <Icon name="filter" />
            </button>
          )}
        </p>
        <p class="entry-text">
          {level === 'warn' && <span class="hidden">Warning: </span>}
          {visible(text)}
        </p>
      </div>
    </li>
  );
}
