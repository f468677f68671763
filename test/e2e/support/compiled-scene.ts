import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Compiles the package and a scene of test/e2e, so that a plain Node can run them: a test runner's own memory would drown
 * a leak.
 *
 * @returns the file to run, and what removes it.
 */
export function compileScene(scene: string): { file: string; remove: () => void } {
  const output = join(root, 'node_modules', '.cache', 'nestjs-bulwark', `${scene}-${process.pid}`);
  mkdirSync(output, { recursive: true });
  const exports = { '.': './lib/index.js', './http': './lib/http/index.js' };
  writeFileSync(join(output, 'package.json'), JSON.stringify({ name: 'nestjs-bulwark', type: 'module', exports }));
  const sources = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('lib', name));
  for (const source of [...sources, join('test', 'e2e', `${scene}.scene.ts`)]) {
    const { outputText } = ts.transpileModule(readFileSync(join(root, source), 'utf8'), {
      fileName: source,
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
    });
    const target = join(output, source.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
  const remove = (): void => rmSync(output, { recursive: true, force: true });
  return { file: join(output, 'test', 'e2e', `${scene}.scene.js`), remove };
}
