import { safeJson } from './safe-text.js';

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 12345: `12,345`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** 1: `1 entry`; 12345: `12,345 entries`. */
export function formatNumber(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** 1536: `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  let [size, unit] = [bytes, 0];
  for (; size >= 1024 && unit < UNITS.length - 1; unit++) size /= 1024;
  return `${unit === 0 ? formatCount(size) : size.toFixed(1)} ${UNITS[unit]}`;
}

/** A key as one line of text that no terminal takes for a command. */
export function formatKey(key: string): string {
  return safeJson(key);
}
