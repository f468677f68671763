/** What takes two columns of a terminal: scripts of East Asia, and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u;
/** What is drawn onto the character before it. */
const NONE = /\p{M}/u;
const CUT = '…';

/** How many columns of a terminal a text takes. */
function widthOf(character: string): number {
  if (NONE.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** A text in exactly `width` columns: filled up, or cut, which shows. */
export function fit(text: string, width: number): string {
  let [taken, kept, keptWidth] = [0, '', 0];
  for (const character of text) {
    const columns = widthOf(character);
    if (taken + columns > width) return `${kept}${CUT}${' '.repeat(width - keptWidth - 1)}`;
    taken += columns;
    // What is kept where it must be cut: there is room for the mark.
    if (taken < width) [kept, keptWidth] = [kept + character, taken];
  }
  return text + ' '.repeat(width - taken);
}
