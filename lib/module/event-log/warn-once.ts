import { CarefulLogger } from './careful-logger.js';

const warned = new Set<string>();

/**
 * Writes a warning the first time that it is due in this process.
 *
 * @param about what is warned of once; by default the text itself.
 */
export function warnOnce(text: string, about = text): void {
  if (warned.has(about)) return;
  warned.add(about);
  new CarefulLogger().write('warn', text);
}
