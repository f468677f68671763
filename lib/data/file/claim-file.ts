import { join } from 'node:path';
import type { FileSystem } from './file-system.js';
import { isMissing } from './file-system.js';
import type { ProcessIdentity } from './process-identity.js';

/** `claim`: it waits for its turn; `close`: it will give the folder back. All of the same length. */
export type ClaimState = 'claim' | 'owner' | 'close';

/** What stands in the file of one who claims a folder, or owns it. */
export interface Claim extends ProcessIdentity {
  /** Since when, as an ISO date; for people. */
  readonly since: string;
  /** How long, in ms, it counts without a sign of life. Undefined: written by a version without leases. */
  readonly lease: number | undefined;
  /** Of two that claim at the same time the lower one goes first; where it is the same, the name of the file decides. */
  readonly ticket: number;
  readonly state: ClaimState;
  /** The last sign of life, in ms since the machine was started. */
  readonly renewed: number;
}

/** A claim as it was found. */
export interface FoundClaim {
  /** Of the file. */
  readonly name: string;
  readonly pid: number;
  readonly text: string;
  /** Undefined: it is about to be written, or its writer died before it was. */
  readonly claim: Claim | undefined;
}

const CLAIM_FILE = /^owner-(\d+)-[\da-f-]{36}\.lock$/;
const RENEWED_DIGITS = 15;

export function claimFileName(pid: number, id: string): string {
  return `owner-${pid}-${id}.lock`;
}

/** In ms since the machine was started: the one clock that all its processes share, and that nobody sets. */
export function bootMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** Of the same length each time, so that one written over another is whole at any moment. */
export function encodeClaim({ renewed, ...claim }: Claim): string {
  return JSON.stringify({ ...claim, renewed: String(renewed).padStart(RENEWED_DIGITS, '0') });
}

/** The claims of others, in no order. */
export async function readClaims(fileSystem: FileSystem, folder: string, own: string): Promise<FoundClaim[]> {
  const found: FoundClaim[] = [];
  for (const name of await fileSystem.list(folder)) {
    const pid = CLAIM_FILE.exec(name)?.[1];
    if (pid === undefined || name === own) continue;
    try {
      const text = await fileSystem.readText(join(folder, name));
      found.push({ name, pid: Number(pid), text, claim: parseClaim(text) });
    } catch (error) {
      // It has gone meanwhile.
      if (!isMissing(error)) throw error;
    }
  }
  return found;
}

/** Who else claims the folder, for a message. */
export async function describeOther(fileSystem: FileSystem, folder: string, own: string): Promise<string> {
  const [other] = await readClaims(fileSystem, folder, own).catch(() => []);
  return other === undefined ? 'another service' : describeClaim(other);
}

export function describeClaim({ pid, claim }: FoundClaim): string {
  return claim === undefined ? `process ${pid}` : `process ${pid} on ${claim.host} since ${claim.since}`;
}

function parseClaim(text: string): Claim | undefined {
  try {
    const read = JSON.parse(text) as Partial<Record<keyof Claim, unknown>> | null;
    if (typeof read?.pid !== 'number' || typeof read.host !== 'string') return undefined;
    return {
      pid: read.pid,
      host: read.host,
      started: textOr(read.started, ''),
      space: textOr(read.space, ''),
      since: textOr(read.since, 'some time'),
      lease: typeof read.lease === 'number' && read.lease > 0 ? read.lease : undefined,
      ticket: typeof read.ticket === 'number' ? read.ticket : 0,
      state: read.state === 'claim' || read.state === 'close' ? read.state : 'owner',
      renewed: Number(read.renewed),
    };
  } catch {
    return undefined;
  }
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}
