const MARK = '...';
/** What ends a line, hides, or turns the order of what is written. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** A text from anywhere, as it may stand in a line of the log: short, and with nothing in it that cannot be seen. */
export function oneLine(text: string, longest = 100): string {
  const short = text.length > longest ? `${text.slice(0, longest)}${MARK}` : text;
  return short.replace(UNSEEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
