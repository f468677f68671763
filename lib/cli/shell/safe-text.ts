/** What a terminal takes for a command, or for another direction of writing, and what ends a line. */
const COMMANDS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A text from elsewhere in one line that no terminal takes for a command. */
export function safeText(text: string): string {
  return text.replace(COMMANDS, (character) => character.split('').map(escaped).join(''));
}

/** JSON that no terminal takes for a command; it means the same. */
export function safeJson(value: unknown, indent?: number): string {
  // Line breaks of the indentation stay: those within texts are escaped already.
  return JSON.stringify(value, undefined, indent).split('\n').map(safeText).join('\n');
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
