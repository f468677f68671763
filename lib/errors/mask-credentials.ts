const MASK = '***';
/** Of a longer text, in characters, nobody reads the rest, and to search it would take long. */
const LONGEST = 4_096;

/** Names of settings that hold what nobody may read: `password`, `sslpassword`, `DB_PWD`, `accessToken`. */
const SECRET_NAME =
  /pass(?:word|wd|phrase|code)?$|passw|pwd|secret|token|credential|private|api[-_]?key|access[-_]?key|^auth/i;
/** The same within a text: of a query, a list of settings, or JSON. */
const SECRET_SETTING =
  /([\w-]{0,30}(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|(?:private|api|access)[-_]?key|auth)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^&\s"',;)}]+)/gi;
/** From the scheme of an address to its last `@`: an unencoded password may hold anything. */
const USER_INFO = /([a-z][a-z\d+.-]{0,30}:\/\/)[\s\S]*@/gi;
/** An address that goes on where a text was cut off. */
const CUT_USER_INFO = /([a-z][a-z\d+.-]{0,30}:\/\/)(?!\*\*\*@)[\s\S]*$/i;
/** `user:password@host`, without a scheme, as drivers of other languages write it. */
const BARE_USER_INFO = /^(?:[a-z]+:(?!\/\/))?[^\s:/@]*:(?!\/\/)[^\s@]+@(?=\S)/i;
/** `scheme://user:password` with no host behind; what looks like a port is one. */
const HOSTLESS = /([a-z][a-z\d+.-]{0,30}:\/\/[^\s/?#:@[\]]*:)(?!\d*(?:[/?#\s'",]|$))[^\s/?#]+/gi;

/** A text of a user's, such as an address, without the credentials in it: the one place that says what these are. */
export function maskCredentials(text: string): string {
  if (text.length <= LONGEST) return mask(text);
  // What is cut off here may be the end of a password.
  return `${mask(text.slice(0, LONGEST)).replace(CUT_USER_INFO, `$1${MASK}`)}...`;
}

function mask(text: string): string {
  return text
    .replace(USER_INFO, `$1${MASK}@`)
    .replace(BARE_USER_INFO, `${MASK}@`)
    .replace(HOSTLESS, `$1${MASK}`)
    .replace(SECRET_SETTING, `$1${MASK}`);
}

/** A replacer for `JSON.stringify`: no text shows credentials, and no setting that is named after a secret its value. */
export function maskProperty(name: string, value: unknown): unknown {
  if (SECRET_NAME.test(name) && value !== null && value !== undefined && typeof value !== 'boolean') return MASK;
  return typeof value === 'string' ? maskCredentials(value) : value;
}
