import { readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { FileSystem } from './file-system.js';

/** Says which process, and which life of its process id, is meant. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** The boot and the clock tick in which the process began; empty where the system does not tell. */
  readonly started: string;
  /** Among which processes its id is unique: each container counts its own. Empty where the system does not tell. */
  readonly space: string;
}

/** `unknown`: it lives where nobody here can look. */
export type Life = 'runs' | 'ended' | 'unknown';

export async function currentProcess(fileSystem: FileSystem): Promise<ProcessIdentity> {
  const birth = await birthOf(process.pid, fileSystem);
  const space = await readlink('/proc/self/ns/pid').catch(() => '');
  return { pid: process.pid, host: hostname(), started: birth?.started ?? '', space };
}

/** Whether both were started since the same start of the same machine. */
export function isSameBoot(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.started !== '' && bootOf(one) === bootOf(other);
}

/** What can be said of a process from here. */
export async function lifeOf(other: ProcessIdentity, self: ProcessIdentity, fileSystem: FileSystem): Promise<Life> {
  const isSeen =
    self.started === '' && other.started === ''
      ? other.host === self.host
      : isSameBoot(self, other) && self.space === other.space;
  if (!isSeen) return 'unknown';
  if (!(await isRunning(other, fileSystem))) return 'ended';
  // Where the system does not say when a process began, its id may be another's by now.
  return other.started === '' ? 'unknown' : 'runs';
}

/**
 * Whether a process of this host may still run. Where the system says when processes began, a process id that was given
 * out again (a container's main process has the same one in every life) is not mistaken for its former holder.
 */
export async function isRunning({ pid, started }: ProcessIdentity, fileSystem: FileSystem): Promise<boolean> {
  if (!isPidInUse(pid)) return false;
  const birth = await birthOf(pid, fileSystem);
  if (birth === undefined) return true;
  return !birth.ended && (started === '' || started === birth.started);
}

function bootOf({ started }: ProcessIdentity): string {
  return started.slice(0, started.lastIndexOf(':'));
}

function isPidInUse(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

interface Birth {
  readonly started: string;
  /** Killed, but not yet collected by its parent: its process id is still taken. */
  readonly ended: boolean;
}

/** @see proc_pid_stat(5): field 3 is the state, field 22 the start time. */
async function birthOf(pid: number, fileSystem: FileSystem): Promise<Birth | undefined> {
  try {
    const boot = await fileSystem.readText('/proc/sys/kernel/random/boot_id');
    const status = await fileSystem.readText(`/proc/${pid}/stat`);
    // The second field, the name in parentheses, may itself contain blanks and parentheses.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    const [state, start] = [fields[0], fields[19]];
    if (state === undefined || start === undefined) return undefined;
    return { started: `${boot.trim()}:${start}`, ended: state === 'Z' || state === 'X' };
  } catch {
    return undefined;
  }
}
