import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const ROOT = new URL('../..', import.meta.url).pathname;

/**
 * Compiles the library for processes outside the test runner, so that these can be killed.
 *
 * @param to an empty folder; `data/index.js` in it is the entry.
 */
export async function compileLib(to: string): Promise<void> {
  const files = (await readdir(join(ROOT, 'lib'), { recursive: true })).filter((file) => file.endsWith('.ts'));
  await Promise.all(
    files.map(async (file) => {
      const { outputText } = ts.transpileModule(await readFile(join(ROOT, 'lib', file), 'utf8'), {
        compilerOptions: {
          target: ts.ScriptTarget.ES2023,
          module: ts.ModuleKind.ESNext,
          experimentalDecorators: true,
          emitDecoratorMetadata: true,
        },
      });
      const target = join(to, file.replace(/\.ts$/, '.js'));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, outputText);
    }),
  );
  await writeFile(join(to, 'package.json'), '{ "type": "module" }');
  await symlink(join(ROOT, 'node_modules'), join(to, 'node_modules'));
}
