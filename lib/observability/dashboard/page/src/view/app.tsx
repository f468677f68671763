import { notice } from '../state/dialogs.js';
import { announcement } from '../state/live.js';
import { route } from '../state/place.js';
import { ActionDialog } from './action-dialog.js';
import { Head, StaleBanner } from './head.js';
import { HelpDialog } from './help-dialog.js';
import { Icon } from './icon.js';
import { InstancePage } from './instance.js';
import { List } from './list.js';
import { TimelinePane } from './timeline.js';

export function App() {
  const place = route.value;
  return (
    <>
      <Head />
      <StaleBanner />
      <main class={`main at-${place.page}`}>
        {place.page === 'instance' ? (
          <InstancePage key={place.name} name={place.name} />
        ) : (
          <>
            <h1 class="hidden">Instances and decisions</h1>
            <nav class="tabs" aria-label="View">
              <a href="#/" aria-current={place.page === 'list' ? 'page' : undefined}>
                Instances
              </a>
              <a href="#/timeline" aria-current={place.page === 'timeline' ? 'page' : undefined}>
                Decisions
              </a>
            </nav>
            <List />
            <TimelinePane />
          </>
        )}
      </main>
      <ActionDialog />
      <HelpDialog />
      <Notice />
      <p class="hidden" role="status" aria-live="polite">
        {announcement.value}
      </p>
    </>
  );
}

function Notice() {
  const told = notice.value;
  return (
    <div class="notices" role="status" aria-live="polite">
      {told && (
        <p class={`notice tone-${told.tone}`}>
          <Icon name={told.tone === 'good' ? 'closed' : 'warn'} />
          <span>{told.text}</span>
          <button type="button" class="tool" aria-label="Close this message" onClick={() => (notice.value = null)}>
            <Icon name="close" />
          </button>
        </p>
      )}
    </div>
  );
}
