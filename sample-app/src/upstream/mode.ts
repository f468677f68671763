/** How the provider behaves: what a shop has to live with. */
export const MODES = ['healthy', 'slow', 'flaky', 'failing', 'hanging', 'gone'] as const;

export type Mode = (typeof MODES)[number];

export function isMode(value: unknown): value is Mode {
  return MODES.includes(value as Mode);
}
