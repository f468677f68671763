/** Where on the page somebody is; kept in the address behind `#`, so that it can be sent to a colleague. */
export type Route =
  { readonly page: 'list' } | { readonly page: 'timeline' } | { readonly page: 'instance'; readonly name: string };

const INSTANCE = '#/i/';

export function routeOf(hash: string): Route {
  if (hash === '#/timeline') return { page: 'timeline' };
  if (!hash.startsWith(INSTANCE)) return { page: 'list' };
  try {
    return { page: 'instance', name: decodeURIComponent(hash.slice(INSTANCE.length)) };
  } catch {
    return { page: 'list' };
  }
}

export function addressOf(name: string): string {
  return INSTANCE + encoded(name);
}

/** A name as a part of an address. */
export function encoded(name: string): string {
  // Half a pair of UTF-16, which no address can hold, would throw.
  return encodeURIComponent(
    name.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd'),
  );
}
