import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { run } from '../../../lib/cli/run.js';

async function call(...args: string[]) {
  const written = { out: '', err: '' };
  const code = await run(args, {
    terminal: { out: { write: (text) => (written.out += text) }, err: { write: (text) => (written.err += text) } },
    env: {},
    interrupted: () => new AbortController().signal,
  });
  return { code, ...written };
}

describe('nestjs-bulwark', () => {
  it('says what it does, when it is asked', async () => {
    const asked = await call('--help');
    const empty = await call();

    expect(asked).toMatchObject({ code: 0, err: '' });
    expect(empty).toEqual({ code: 2, out: '', err: asked.out });
    for (const command of ['ls', 'data', 'cluster']) {
      expect(asked.out).toMatch(new RegExp(`^  ${command} +\\w`, 'm'));
      const help = await call(command, '--help');
      expect(help).toMatchObject({ code: 0, err: '' });
      expect(help.out).toMatch(new RegExp(`^nestjs-bulwark ${command} `));
      expect(help.out).toMatch(/^Examples:$/m);
      expect(help.out).toMatch(/exit codes:/i);
    }
  });

  it('says which version it is', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };

    expect(await call('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it.each([
    ['lss', "there is no command 'lss'; expected one of: ls, data, cluster\n"],
    ['constructor', "there is no command 'constructor'; expected one of: ls, data, cluster\n"],
    ['copy', "there is no command 'copy'; expected one of: ls, data, cluster; it is 'nestjs-bulwark data copy'\n"],
    ['\u001b[2J', "there is no command '\\u001b[2J'; expected one of: ls, data, cluster\n"],
  ])('refuses %j', async (command, err) => {
    expect(await call(command)).toEqual({ code: 2, out: '', err });
  });
});
