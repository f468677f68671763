/**
 * Whether the system forbids this user the socket of a server, which is a file. Over a network such a word may come from
 * a firewall, and is an outage.
 */
export function isSocketDenied(error: unknown): boolean {
  const { code, syscall, port } = Object(error) as { code?: unknown; syscall?: unknown; port?: unknown };
  return (code === 'EACCES' || code === 'EPERM') && syscall === 'connect' && port === undefined;
}
