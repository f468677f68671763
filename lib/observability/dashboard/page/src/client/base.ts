// The script lies where the page does, whichever prefix, proxy and missing slash led to it.
const script = import.meta.url;

/** The address of something that the app serves with the page. */
export function addressAt(path: string): string {
  return new URL(`./${path}`, script).href;
}
