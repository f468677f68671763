import type { ComponentChildren, JSX } from 'preact';
import type { Standing } from '../model/standing.js';

export type IconName =
  Standing | 'warn' | 'info' | 'search' | 'back' | 'light' | 'dark' | 'system' | 'help' | 'close' | 'filter';

/** Drawn on 16 by 16; told apart by shape, so that nobody needs the colour. */
const SHAPES: Readonly<Record<IconName, ComponentChildren>> = {
  open: (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" stroke="none" />
      <path d="M5.3 5.3l5.4 5.4M10.7 5.3l-5.4 5.4" stroke="var(--surface)" />
    </>
  ),
  forcedOpen: (
    <>
      <rect x="3" y="7" width="10" height="7" rx="1.5" fill="currentColor" stroke="none" />
      <path d="M5.5 7V5a2.5 2.5 0 015 0v2" />
    </>
  ),
  halfOpen: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 2a6 6 0 010 12z" fill="currentColor" stroke="none" />
    </>
  ),
  keysOpen: (
    <>
      <circle cx="5" cy="8" r="3" />
      <path d="M8 8h6.5M12 8v3" />
    </>
  ),
  failing: (
    <>
      <path d="M8 2l6.5 11.5h-13z" />
      <path d="M8 6.5v3M8 11.4v.2" />
    </>
  ),
  refusing: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M4.5 8h7" />
    </>
  ),
  queueing: <path d="M3.5 2.5h9M3.5 13.5h9M4.5 2.5c0 4 7 7 7 11M11.5 2.5c0 4-7 7-7 11" />,
  disabled: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M3.9 12.1l8.2-8.2" />
    </>
  ),
  closed: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M5.2 8.3l2 2 3.6-4.2" />
    </>
  ),
  ok: <path d="M3 8.5l3.5 3.5L13 4.5" />,
  idle: <path d="M4 8h8" />,
  warn: (
    <>
      <path d="M8 2l6.5 11.5h-13z" />
      <path d="M8 6.5v3M8 11.4v.2" />
    </>
  ),
  info: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 7.3v4M8 4.7v.2" />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4.5" />
      <path d="M10.5 10.5L14 14" />
    </>
  ),
  back: <path d="M10 3L5 8l5 5" />,
  light: (
    <>
      <circle cx="8" cy="8" r="3" />
      <path d="M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1" />
    </>
  ),
  dark: <path d="M13.5 9.8A6 6 0 016.2 2.5a6 6 0 107.3 7.3z" />,
  system: (
    <>
      <rect x="1.5" y="2.5" width="13" height="9" rx="1.2" />
      <path d="M5.5 14h5" />
    </>
  ),
  help: (
    <>
      <circle cx="8" cy="8" r="6.5" />
      <path d="M6.2 6.3a1.9 1.9 0 113 1.6c-.8.5-1.2.9-1.2 1.6M8 11.6v.2" />
    </>
  ),
  close: <path d="M4 4l8 8M12 4l-8 8" />,
  filter: <path d="M2 3h12l-4.5 5.5V13l-3-1.5v-3z" />,
};

export function Icon({ name, ...rest }: { readonly name: IconName } & JSX.SVGAttributes<SVGSVGElement>) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" {...rest}>
      {SHAPES[name]}
    </svg>
  );
}
