import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const ROOT = new URL('../..', import.meta.url).pathname;

/** Puts the library, compiled, into a folder of its own, so that no other test's build is touched. */
export async function installLibrary(to: string): Promise<void> {
  const target = join(to, 'node_modules/nestjs-bulwark');
  const files = (await readdir(join(ROOT, 'lib'), { recursive: true })).filter((file) => file.endsWith('.ts'));
  for (const file of files) {
    const { outputText } = ts.transpileModule(await readFile(join(ROOT, 'lib', file), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
    });
    const path = join(target, 'dist/lib', file.replace(/\.ts$/, '.js'));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, outputText);
  }
  const manifest = await readFile(join(ROOT, 'package.json'), 'utf8');
  await writeFile(join(target, 'package.json'), manifest.replaceAll('./dist/bundle/', './dist/lib/'));
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.') && name !== 'nestjs-bulwark')
      await symlink(join(ROOT, 'node_modules', name), join(to, 'node_modules', name));
  }
}
