import { addressAt } from '../client/base.js';
import { count, duration, timeOfDay } from '../model/format.js';
import { countStandings } from '../model/order.js';
import { isTrouble, STANDING_LABELS, STANDINGS, toneOf, type Standing } from '../model/standing.js';
import { helpOpen } from '../state/dialogs.js';
import { board, clock, connection, version } from '../state/live.js';
import { filter, openList, route } from '../state/place.js';
import { chooseTheme, theme, type Theme } from '../state/theme.js';
import { Icon } from './icon.js';
import { Name } from './name.js';

export function Head() {
  void version.value;
  const { process } = board;
  return (
    <header class={`head at-${route.value.page}`}>
      <div class="head-line">
        <a class="brand" href="#/" aria-label="Resilience, all instances">
          <img src={addressAt('icon.svg')} alt="" width="20" height="20" />
          <span>Resilience</span>
        </a>
        {process && (
          <p class="process">
            <Name text={process.host} />
            <span class="quiet">pid {process.pid}</span>
            <span class="quiet">v{process.version}</span>
          </p>
        )}
        {board.draining && (
          <span class="badge tone-warn">
            <Icon name="queueing" /> Draining
          </span>
        )}
        <ConnectionBadge />
        <Search />
        <div class="head-tools">
          <ThemeChoice />
          <button type="button" class="tool" aria-label="Keyboard help" onClick={() => (helpOpen.value = true)}>
            <Icon name="help" />
          </button>
        </div>
      </div>
      <Counts />
    </header>
  );
}

function ConnectionBadge() {
  const now = connection.value;
  if (now.kind === 'live')
    return (
      <span class="badge tone-good">
        <span class="dot" /> Live
      </span>
    );
  if (now.kind === 'connecting') return <span class="badge tone-quiet">Connecting…</span>;
  void clock.value;
  const seconds = Math.max(0, Math.ceil((now.retryAt - Date.now()) / 1000));
  return (
    <span class="badge tone-bad">
      <Icon name="warn" />
      {now.reason ?? 'Not live.'} {seconds > 0 ? `Next try in ${seconds} s` : 'Reconnecting…'}
    </span>
  );
}

/** What the data are worth when nothing new comes. */
export function StaleBanner() {
  if (connection.value.kind !== 'lost' || board.now === 0) return null;
  return (
    <p class="banner tone-warn">Shown is what the app said at {timeOfDay(board.now)}. It may have changed since.</p>
  );
}

const THEMES: readonly { readonly theme: Theme; readonly label: string }[] = [
  { theme: 'system', label: 'As the system' },
  { theme: 'light', label: 'Light' },
  { theme: 'dark', label: 'Dark' },
];

function ThemeChoice() {
  return (
    <div class="segments" role="group" aria-label="Theme">
      {THEMES.map(({ theme: one, label }) => (
        <button
          key={one}
          type="button"
          class="tool"
          aria-label={label}
          title={label}
          aria-pressed={theme.value === one}
          onClick={() => chooseTheme(one)}
        >
          <Icon name={one} />
        </button>
      ))}
    </div>
  );
}

function Counts() {
  void version.value;
  const counts = countStandings(Object.values(board.instances));
  const total = [...counts.values()].reduce((sum, one) => sum + one, 0);
  const troubled = STANDINGS.filter((standing) => isTrouble(standing) && counts.has(standing));
  const held = counts.get('disabled') ?? 0;
  const fine = total - held - troubled.reduce((sum, standing) => sum + (counts.get(standing) ?? 0), 0);
  const chosen = filter.value.standing;
  // One that was chosen stays until it is given back, even when nothing is left in it.
  const shown = [...troubled, ...(held > 0 ? (['disabled'] as const) : [])];
  if (chosen !== null && !shown.includes(chosen)) shown.push(chosen);
  return (
    <div class="counts" role="group" aria-label="Instances by state; press to see only these">
      {shown.map((standing) => (
        <Chip key={standing} standing={standing} number={counts.get(standing) ?? 0} pressed={chosen === standing} />
      ))}
      <span class="quiet fine">
        {board.process === undefined ? '' : fine === total ? `All ${total} fine` : `${fine} of ${total} fine`}
      </span>
      <IngressFigures />
    </div>
  );
}

function Chip(props: { readonly standing: Standing; readonly number: number; readonly pressed: boolean }) {
  const { standing, number, pressed } = props;
  const choose = (): void => {
    filter.value = { ...filter.value, standing: pressed ? null : standing };
    if (route.value.page === 'instance') openList();
  };
  return (
    <button type="button" class={`chip tone-${toneOf(standing)}`} aria-pressed={pressed} onClick={choose}>
      <Icon name={standing} />
      <b>{number}</b> {STANDING_LABELS[standing].toLowerCase()}
    </button>
  );
}

function IngressFigures() {
  const { ingress } = board;
  if (ingress === null) return null;
  const limit = ingress.limit === null ? '' : ` of ${count(ingress.limit)}`;
  return (
    <span class="quiet ingress">
      {count(ingress.active)}
      {limit} requests, event loop +{duration(ingress.loopDelayMs)}
      {ingress.shed > 0 && `, ${count(ingress.shed)} shed`}
    </span>
  );
}

function Search() {
  const clear = (): void => {
    filter.value = { text: '', standing: null };
  };
  return (
    <div class="search">
      <Icon name="search" />
      <input
        id="search"
        type="search"
        placeholder="Name, guard or state"
        aria-label="Filter instances by name, guard, policy or state"
        aria-keyshortcuts="/"
        autocomplete="off"
        spellcheck={false}
        value={filter.value.text}
        onInput={(event) => {
          filter.value = { ...filter.value, text: event.currentTarget.value };
          if (route.value.page === 'instance') openList();
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown' || event.key === 'Enter') {
            event.preventDefault();
            document.getElementById('list')?.focus();
          } else if (event.key === 'Escape' && filter.value.text !== '') {
            event.stopPropagation();
            clear();
          }
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
  );
}
