/** Whether Redis has worked and said no to this command: an error reply about the command, none about the server. */
export function isRedisAnswer(error: object): boolean {
  const { name, message, constructor } = error as Reply;
  // ioredis has its own name for a reply, node-redis a class.
  if (name !== 'ReplyError' && (constructor === Error || !REPLIES.has(constructor?.name))) return false;
  return typeof message === 'string' && ABOUT_THE_COMMAND.test(message);
}

/** What is read of an error: raw, since it runs for each failure. */
interface Reply {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly constructor: { readonly name?: unknown } | undefined;
}

const REPLIES: ReadonlySet<unknown> = new Set(['SimpleError', 'BlobError', 'ErrorReply']);

/**
 * Not BUSY, CLUSTERDOWN, LOADING, MASTERDOWN, MISCONF, NOAUTH, OOM, READONLY, TRYAGAIN or a full server, which say that
 * the server does not do its work.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
const ABOUT_THE_COMMAND =
  /^(?:WRONGTYPE|BUSYGROUP|BUSYKEY|NOGROUP|NOPERM|NOSCRIPT|CROSSSLOT|ERR (?:syntax error|value is not|wrong number of arguments|unknown (?:sub)?command|no such key|index out of range|increment or decrement would overflow|hash value is not|invalid (?:expire|cursor|stream)))/i;
