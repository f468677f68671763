import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(dirname(fileURLToPath(import.meta.url)), 'fixtures');
const fixtures = readdirSync(folder).filter((name) => name.endsWith('.ts'));

/** In a fixture it stands above a line that must not compile, with the code of the error and the reason. */
const MARK = /\/\/ @ts-expect-error (TS\d+): /;

/** What the compiler says of one line. */
interface Complaint {
  line: number;
  code: string;
  message: string;
}

/** The lines of a fixture that must not compile, with the error each of them must give. */
function expected(text: string): Omit<Complaint, 'message'>[] {
  return text.split('\n').flatMap((line, index) => {
    const code = MARK.exec(line)?.[1];
    return code === undefined ? [] : [{ line: index + 2, code }];
  });
}

/** What the compiler says of the fixtures, as a user's project with the package's own strict options gets it. */
function compile(): Map<string, Complaint[]> {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
        throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
      },
    },
  );
  const options: ts.CompilerOptions = { ...config?.options, noEmit: true, noUnusedLocals: false };
  const host = ts.createCompilerHost(options, true);
  const read = host.readFile.bind(host);
  // The marks keep the rest of the tools quiet; here the errors themselves are wanted.
  const unmarked = (name: string, text: string | undefined): string | undefined =>
    name.startsWith(folder) ? text?.replaceAll('@ts-expect-error', '@expected-error ') : text;
  host.readFile = (name) => unmarked(name, read(name));
  const program = ts.createProgram({
    rootNames: fixtures.map((name) => join(folder, name)),
    options,
    host,
  });
  return new Map(
    fixtures.map((name) => {
      const source = program.getSourceFile(join(folder, name));
      const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
      return [name, found.map(complaintOf)];
    }),
  );
}

function complaintOf({ file, start, code, messageText }: ts.Diagnostic): Complaint {
  const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
  return { line, code: `TS${code}`, message: ts.flattenDiagnosticMessageText(messageText, '\n') };
}

describe('the types of the package', () => {
  let complaints: Map<string, Complaint[]>;

  beforeAll(() => {
    complaints = compile();
  }, 120_000);

  describe.each(fixtures)('in %s', (name) => {
    const text = ts.sys.readFile(join(folder, name)) ?? '';
    const lines = text.split('\n');
    const found = (): Complaint[] => complaints.get(name) ?? [];

    it('let compile what must compile', () => {
      const marked = new Set(expected(text).map(({ line }) => line));

      const surprises = found().filter(({ line }) => !marked.has(line));

      expect(surprises).toEqual([]);
    });

    it.each(
      expected(text).map(
        ({ line, code }) => [MARK[Symbol.replace](lines[line - 2] ?? '', '').trim(), line, code] as const,
      ),
    )('refuse, since %s (line %i), with %s', (_, line, code) => {
      const codes = found()
        .filter((one) => one.line === line)
        .map((one) => one.code);

      expect(codes).toEqual([code]);
    });
  });

  it('mark every expected error with its code', () => {
    const marks = fixtures.flatMap((name) => {
      const lines = (ts.sys.readFile(join(folder, name)) ?? '').split('\n');
      return lines.filter((line) => line.includes('ts-expect-error') && !MARK.test(line));
    });

    expect(marks).toEqual([]);
  });
});
