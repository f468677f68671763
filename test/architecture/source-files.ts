import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** One import, or re-export, of a file. */
export interface Import {
  /** As it is written. */
  readonly specifier: string;
  /** The file it means, from the root of the repository; undefined for a package. */
  readonly file: string | undefined;
  /** What is taken by name. */
  readonly names: readonly string[];
}

/** A source file with what it imports. */
export interface SourceFile {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  /** All imports, those of types included. */
  readonly imports: readonly Import[];
  /** The imports that are left when the types are gone: what is loaded at run time. */
  readonly valueImports: readonly Import[];
}

/** The TypeScript files, those with JSX too, below a folder of the repository. */
export function sourcesIn(folder: string): SourceFile[] {
  const path = join(ROOT, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts') && !name.includes('node_modules'))
    .map((name) => readSource(join(path, name)))
    .sort((a, b) => a.path.localeCompare(b.path));
}

function readSource(path: string): SourceFile {
  const text = readFileSync(path, 'utf8');
  const tree = parse(path, text);
  let loaded: Import[] | undefined;
  return {
    path: fromRoot(path),
    text,
    tree,
    imports: importsOf(path, tree),
    // Compiled only where somebody asks: that is the dear part.
    get valueImports() {
      return (loaded ??= importsOf(path, parse(path, withoutTypes(path, text))));
    },
  };
}

function withoutTypes(path: string, text: string): string {
  const { outputText } = ts.transpileModule(text, {
    fileName: path,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      jsx: ts.JsxEmit.Preserve,
    },
  });
  return outputText;
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

function importsOf(path: string, tree: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, names: string[]): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    found.push({ specifier: specifier.text, file: fileOf(path, specifier.text), names });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const { name, namedBindings } = node.importClause ?? {};
      const named = namedBindings !== undefined && ts.isNamedImports(namedBindings) ? namedBindings.elements : [];
      const whole = node.importClause === undefined || (namedBindings !== undefined && named.length === 0);
      add(node.moduleSpecifier, [
        ...(name === undefined ? [] : ['default']),
        ...(whole ? ['*'] : []),
        ...named.map((one) => (one.propertyName ?? one.name).text),
      ]);
    } else if (ts.isExportDeclaration(node)) {
      const named = node.exportClause !== undefined && ts.isNamedExports(node.exportClause);
      add(
        node.moduleSpecifier,
        named ? node.exportClause.elements.map((one) => (one.propertyName ?? one.name).text) : ['*'],
      );
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, []);
    } else if (
      ts.isCallExpression(node) &&
      (node.expression.kind === ts.SyntaxKind.ImportKeyword ||
        (ts.isIdentifier(node.expression) && node.expression.text === 'require'))
    ) {
      add(node.arguments[0], []);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

function fileOf(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const file = resolve(dirname(path), specifier.replace(/\.js$/, '.ts'));
  return fromRoot(existsSync(`${file}x`) ? `${file}x` : file);
}

function fromRoot(path: string): string {
  return relative(ROOT, path).split(sep).join('/');
}

/** The name of the package that a specifier means: `@nestjs/common`, `node:fs`. */
export function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Calls `look` with every node of a file. */
export function walk(tree: ts.SourceFile, look: (node: ts.Node) => void): void {
  const visit = (node: ts.Node): void => {
    look(node);
    ts.forEachChild(node, visit);
  };
  visit(tree);
}

/** `path:line` of a node. */
export function placeOf({ path, tree }: SourceFile, node: ts.Node): string {
  return `${path}:${tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1}`;
}

/** All files that `path` reaches, itself included, with one way to each of them. */
export function reachedFrom(path: string, files: readonly SourceFile[], values: boolean): Map<string, string[]> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const ways = new Map<string, string[]>([[path, [path]]]);
  for (const [current, way] of ways) {
    const file = byPath.get(current);
    for (const { file: next } of (values ? file?.valueImports : file?.imports) ?? []) {
      if (next !== undefined && !ways.has(next)) ways.set(next, [...way, next]);
    }
  }
  return ways;
}

/** What reaches itself in `graph`: each circle once, as the sorted names of all that are in it. */
export function circlesIn(graph: ReadonlyMap<string, Iterable<string>>): string[][] {
  const found: string[][] = [];
  const path: string[] = [];
  const index = new Map<string, number>();
  const open = new Set<string>();
  // Tarjan's strongly connected components.
  const visit = (name: string): number => {
    const own = index.size;
    let low = own;
    index.set(name, own);
    path.push(name);
    open.add(name);
    for (const next of graph.get(name) ?? []) {
      if (!index.has(next)) low = Math.min(low, visit(next));
      else if (open.has(next)) low = Math.min(low, index.get(next) as number);
    }
    if (low === own) {
      const circle = path.splice(path.indexOf(name));
      for (const one of circle) open.delete(one);
      if (circle.length > 1) found.push(circle.sort());
    }
    return low;
  };
  for (const name of graph.keys()) if (!index.has(name)) visit(name);
  return sorted(found);
}

/** Circles in an order of their own, for comparison. */
function sorted(circles: readonly (readonly string[])[]): string[][] {
  return circles.map((circle) => [...circle].sort()).sort(([one = ''], [other = '']) => one.localeCompare(other));
}
