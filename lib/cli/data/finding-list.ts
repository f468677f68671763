import { formatCount, formatKey } from '../shell/format.js';
import type { Terminal } from '../shell/terminal.js';

/** So many are shown; a store that is wrong throughout must not flood the terminal. */
const MOST_SHOWN = 20;

/** Shows findings, each with its key, as they are found. */
export class FindingList {
  #count = 0;

  constructor(private readonly out: Terminal['out']) {}

  readonly add = (key: string, finding: string): void => {
    this.#count += 1;
    if (this.#count <= MOST_SHOWN) this.out.write(`${formatKey(key)}: ${finding}\n`);
  };

  /** Says how many more there are. @returns how many there are in all. */
  finish(): number {
    const hidden = this.#count - MOST_SHOWN;
    if (hidden > 0) this.out.write(`... and ${formatCount(hidden)} more\n`);
    return this.#count;
  }
}
