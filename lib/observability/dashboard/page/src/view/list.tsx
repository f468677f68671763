import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { board, holdPlaces, version } from '../state/live.js';
import { active, filter, openInstance, rows } from '../state/place.js';
import { Row } from './row.js';

/** Rows kept beyond both edges, so that scrolling shows no gaps. */
const BEYOND = 8;
const COLUMNS = [
  ['State'],
  ['Instance'],
  ['Last minute'],
  ['Calls/s'],
  ['Failed', 'Share of the calls of the last second that failed'],
  ['Refused/s', 'Turned away by a policy'],
  ['Subst./s', 'Answered by a fallback or recover'],
  ['p50', 'Latency of the last 10 s'],
  ['p95', 'Latency of the last 10 s'],
  ['p99', 'Latency of the last 10 s'],
  ['In flight'],
  ['Waiting'],
] as const;

/** All instances, of which only those in sight are in the document. */
export function List() {
  void version.value;
  const list = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800, rowHeight: 40, headHeight: 32 });
  const shown = rows.value;
  const activeAt = shown.findIndex(({ name }) => name === active.value);

  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const measure = (): void => {
      const style = getComputedStyle(element);
      const rowHeight = parseFloat(style.getPropertyValue('--row-height')) || 40;
      const headHeight = parseFloat(style.getPropertyValue('--list-head-height')) || 0;
      setView({ top: element.scrollTop, height: element.clientHeight, rowHeight, headHeight });
    };
    measure();
    // Back from an instance, the keyboard is where it was.
    const at = rows.peek().findIndex(({ name }) => name === active.peek());
    if (at >= 0 && document.activeElement === document.body) {
      const rowHeight = parseFloat(getComputedStyle(element).getPropertyValue('--row-height')) || 40;
      element.scrollTop = Math.max(0, (at + 3) * rowHeight - element.clientHeight);
      element.focus();
    }
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, []);

  const { top, height, rowHeight, headHeight } = view;
  const first = Math.max(0, Math.floor(top / rowHeight) - BEYOND);
  const last = Math.min(shown.length, Math.ceil((top + height) / rowHeight) + BEYOND);

  const moveTo = (place: number): void => {
    const at = Math.max(0, Math.min(shown.length - 1, place));
    const instance = shown[at];
    const element = list.current;
    if (instance === undefined || element === null) return;
    active.value = instance.name;
    const rowTop = at * rowHeight;
    if (rowTop < element.scrollTop) element.scrollTop = rowTop;
    const room = element.clientHeight - headHeight;
    if (rowTop + rowHeight > element.scrollTop + room) element.scrollTop = rowTop + rowHeight - room;
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor((height - headHeight) / rowHeight) - 1);
    const targets: Readonly<Record<string, number>> = {
      ArrowDown: activeAt + 1,
      j: activeAt + 1,
      ArrowUp: activeAt - 1,
      k: activeAt - 1,
      PageDown: activeAt + page,
      PageUp: activeAt - page,
      Home: 0,
      End: shown.length - 1,
    };
    const target = targets[event.key];
    if (target !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      moveTo(target);
    } else if (event.key === 'Enter' && activeAt >= 0) {
      event.preventDefault();
      openInstance(shown[activeAt]?.name ?? '');
    }
  };

  return (
    <section class="pane list-pane" aria-label="Instances">
      <div
        id="list"
        class="list"
        role="grid"
        aria-label="Instances, those in trouble first"
        aria-rowcount={shown.length + 1}
        aria-activedescendant={activeAt >= first && activeAt < last ? rowId(activeAt) : undefined}
        tabIndex={0}
        ref={list}
        onKeyDown={onKeyDown}
        onFocus={() => {
          if (activeAt < 0) moveTo(0);
        }}
        onMouseEnter={() => holdPlaces(true)}
        onMouseLeave={() => holdPlaces(false)}
        onClick={(event) => {
          const row = (event.target as Element).closest<HTMLElement>('[data-name]');
          // A link opens by itself, also in a new tab.
          if (row === null || (event.target as Element).closest('a') !== null || getSelection()?.isCollapsed === false)
            return;
          openInstance(row.dataset['name'] ?? '');
        }}
      >
        <div class="row list-head" role="row" aria-rowindex={1}>
          {COLUMNS.map(([label, hint]) => (
            <span key={label} role="columnheader" title={hint}>
              {label}
            </span>
          ))}
        </div>
        <div class="list-rows" role="rowgroup" style={{ height: `${shown.length * rowHeight}px` }}>
          <div class="list-window" role="presentation" style={{ transform: `translateY(${first * rowHeight}px)` }}>
            {shown.slice(first, last).map((instance, index) => (
              <Row
                key={instance.name}
                id={rowId(first + index)}
                instance={instance}
                place={first + index}
                active={first + index === activeAt}
              />
            ))}
          </div>
        </div>
      </div>
      {shown.length === 0 && <Empty />}
    </section>
  );
}

function rowId(place: number): string {
  return `row-${place}`;
}

function Empty() {
  if (board.process === undefined) return <p class="empty">Waiting for the app…</p>;
  const filtered = filter.value.text !== '' || filter.value.standing !== null;
  return (
    <p class="empty">
      {filtered ? (
        <>
          No instance is like that.{' '}
          <button type="button" class="link" onClick={() => (filter.value = { text: '', standing: null })}>
            Show all
          </button>
        </>
      ) : (
        'Nothing is guarded yet: instances appear when a guarded method is first called.'
      )}
    </p>
  );
}
