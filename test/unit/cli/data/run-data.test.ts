import { join } from 'node:path';
import { DatabaseDataService } from 'nestjs-bulwark/data';
import { describe, expect, it } from 'vitest';
import { runData } from '../../../../lib/cli/data/run-data.js';
import { temporaryFolder } from '../../../contract/temporary-folder.js';

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function callWith(signal: AbortSignal, ...args: string[]): Promise<Outcome> {
  let [out, err] = ['', ''];
  const terminal = { out: { write: (text: string) => (out += text) }, err: { write: (text: string) => (err += text) } };
  const code = await runData(args, { terminal, signal, env: {} });
  return { code, out, err };
}

const call = (...args: string[]): Promise<Outcome> => callWith(new AbortController().signal, ...args);

describe('nestjs-bulwark data', () => {
  it('says what it does, when it is asked', async () => {
    const { code, out, err } = await call('--help');

    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const command of ['copy', 'backup', 'restore', 'verify', 'inspect']) {
      expect(out).toMatch(new RegExp(`^  ${command} +\\w`, 'm'));
      const help = await call(command, '--help');
      expect(help).toMatchObject({ code: 0, err: '' });
      expect(help.out).toContain(`nestjs-bulwark data ${command} `);
    }
  });

  it.each<[string[], string]>([
    [[], 'nestjs-bulwark data <command>'],
    [['cpoy'], "there is no command 'cpoy'; expected one of: copy, backup, restore, verify, inspect"],
    [['copy'], 'copy: --from is missing'],
    [['copy', '--from', 'file:./x'], 'copy: --to is missing'],
    [['copy', '--form', 'file:./x'], "Unknown option '--form'"],
    [['copy', '--from', 'file:./x', '--to', 'file:x'], '--from and --to both name file:'],
    [['copy', '--from', 'file:./x', '--to', 'ftp://h/x'], "--to: databaseData: option 'url' has the scheme 'ftp:'"],
    [['copy', '--from', 'file:./x', '--to', 'sqlite:y', '--parallel', '0'], "--parallel is '0'; expected"],
    [['copy', 'file:./x', '--from', 'file:./x', '--to', 'sqlite:y'], "'file:./x' is one argument too many"],
    [['backup', '--from', 'file:./x', '--to', 'sqlite:./y'], 'backup: --to is sqlite:...; expected a folder'],
    [['restore', '--to', 'file:./y'], 'restore: --from is missing'],
    [['verify'], 'verify: the address is missing'],
    [['inspect', 'env:BULWARK_NOT_SET'], "the environment variable 'BULWARK_NOT_SET' is not set"],
  ])('%j is refused as a wrong call', async (args, message) => {
    const { code, out, err } = await call(...args);

    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });

  it('creates nothing, where what it is to read is not there', async () => {
    const folder = await temporaryFolder();
    const [absent, database, to] = ['absent', 'absent.db', 'to'].map((name) => join(folder, name));

    for (const args of [
      ['copy', '--from', `file:${absent}`, '--to', `file:${to}`],
      ['copy', '--from', `sqlite:${database}`, '--to', `file:${to}`],
      ['verify', `file:${absent}`],
      ['backup', '--from', `file:${absent}`, '--to', `${to}`],
      ['restore', '--from', `${absent}`, '--to', `file:${to}`],
      ['inspect', `sqlite:${database}`],
    ] as string[][]) {
      const { code, err } = await call(...args);
      expect({ args, code }).toEqual({ args, code: 1 });
      expect(err).toMatch(/there is no (folder|file) .*absent/);
    }
    const { code } = await call('inspect', `sqlite:${to}`);
    expect(code).toBe(1);
  });

  it('shows no password', async () => {
    const { err } = await call('copy', '--from', 'file:./x', '--to', 'postgres://root:sec:re@t@h/test?password=sec:re');

    expect(err).not.toMatch(/sec:re/);
  });

  it('says that it was interrupted, and how to go on', async () => {
    const url = `sqlite:${join(await temporaryFolder(), 'shop.db')}`;
    await (await DatabaseDataService.open({ url })).close();
    const reason = new Error('interrupted by SIGINT');

    const { code, err } = await callWith(AbortSignal.abort(reason), 'verify', url);

    expect({ code, err }).toEqual({ code: 1, err: 'verify was interrupted: it has not seen everything\n' });
  });
});
