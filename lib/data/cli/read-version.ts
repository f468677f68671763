/** When a version was given out, by the clock of whoever wrote; undefined for what is no version of ours. */
export function readVersion(version: string): Date | undefined {
  const [, time] = /^([\da-f]{12})[\da-f]{16}$/.exec(version) ?? [];
  return time === undefined ? undefined : new Date(Number.parseInt(time, 16));
}
