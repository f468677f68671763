import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { FileDataService } from 'nestjs-bulwark/data';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './temporary-folder.js';

const ROOT = new URL('../..', import.meta.url).pathname;

/** Compiles what the writing process needs, since it runs outside the test runner. */
async function compileData(to: string): Promise<void> {
  const files = (await readdir(join(ROOT, 'lib/data'), { recursive: true })).filter((file) => file.endsWith('.ts'));
  for (const file of [...files.map((file) => `data/${file}`), 'errors/configuration.error.ts']) {
    const { outputText } = ts.transpileModule(await readFile(join(ROOT, 'lib', file), 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
    });
    const target = join(to, file.replace(/\.ts$/, '.js'));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, outputText);
  }
  await writeFile(join(to, 'package.json'), '{ "type": "module" }');
  await symlink(join(ROOT, 'node_modules'), join(to, 'node_modules'));
}

/** Writes for ever, 8 at a time, and reports each key once its put is acknowledged. */
const WRITER = `
import { FileDataService } from './data/file/file-data.service.js';
const [folder, run] = process.argv.slice(2);
const data = await FileDataService.open({ path: folder });
let next = 0;
const write = async () => {
  for (;;) {
    const i = next++;
    await data.put('last', { run, i, filler: 'x'.repeat(20_000) });
    await data.put(run + '/' + i, i);
    process.stdout.write(run + '/' + i + '\\n');
  }
};
await Promise.all(Array.from({ length: 8 }, write));
`;

describe('fileData after kill -9', () => {
  it('has lost nothing that was acknowledged', { timeout: 60_000 }, async () => {
    const [program, folder] = [await temporaryFolder(), await temporaryFolder()];
    await compileData(program);
    await writeFile(join(program, 'writer.js'), WRITER);
    const acknowledged: string[] = [];
    for (let run = 0; run < 6; run++) {
      const writer = spawn(process.execPath, [join(program, 'writer.js'), folder, String(run)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(writer, 'exit');
      const killAfter = acknowledged.length + 50 + run * 37;
      for await (const key of createInterface(writer.stdout)) {
        acknowledged.push(key);
        if (acknowledged.length === killAfter) writer.kill('SIGKILL');
      }
      expect(await exited).toEqual([null, 'SIGKILL']);
    }

    const data = await FileDataService.open({ path: folder });
    const lost: string[] = [];
    for (const key of acknowledged) if ((await data.get(key)) === undefined) lost.push(key);
    await data.close();
    expect(lost).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(300);
  });
});
