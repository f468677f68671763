/**
 * What each entry of the package offers, as text that a change of it has to change too: `node test/api/run.mjs` writes the
 * reports beside itself, with `--check` it fails where they would differ.
 */
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = resolve(HERE, '../..');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const isCheck = process.argv.includes('--check');

// Below the root, so that the declarations find the packages they import.
mkdirSync(join(ROOT, 'dist'), { recursive: true });
const work = mkdtempSync(join(ROOT, 'dist/api-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

const declarations = join(work, 'lib');
const tsc = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(ROOT, 'lib/tsconfig.lib.json')];
const options = ['--emitDeclarationOnly', '--sourceMap', 'false', '--inlineSources', 'false', '--outDir', declarations];
execFileSync(process.execPath, [...tsc, ...options], { stdio: 'inherit' });

const entries = Object.entries(manifest.exports).filter(([, target]) => target.types !== undefined);
const reports = new Map(entries.map(([entry, { types }]) => [reportName(entry), reportOf(entry, types)]));
const problems = [];
for (const [file, text] of reports) {
  const path = join(HERE, file);
  if (!isCheck) writeFileSync(path, text);
  else if (readOrEmpty(path) !== text) problems.push(`${file}: ${firstDifference(readOrEmpty(path), text)}`);
}
for (const file of readdirSync(HERE).filter((name) => name.endsWith('.api.md') && !reports.has(name))) {
  if (isCheck) problems.push(`${file}: no entry of the package has this report`);
  else rmSync(join(HERE, file));
}
if (problems.length > 0) {
  console.error(`What the package offers differs from test/api:\n${problems.join('\n')}`);
  console.error(
    'Where that is meant, run `npm run api`, and say in CHANGELOG.md what users notice (docs/versioning.md).',
  );
  process.exitCode = 1;
}

function reportName(entry) {
  return `${entry === '.' ? 'root' : basename(entry)}.api.md`;
}

function reportOf(entry, types) {
  const name = reportName(entry);
  const config = ExtractorConfig.prepare({
    configObjectFullPath: join(work, 'api-extractor.json'),
    packageJsonFullPath: join(ROOT, 'package.json'),
    configObject: {
      projectFolder: ROOT,
      mainEntryPointFilePath: join(ROOT, types).replace(join(ROOT, 'dist/lib'), declarations),
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'ES2023',
            module: 'nodenext',
            moduleResolution: 'nodenext',
            strict: true,
            skipLibCheck: true,
            types: ['node'],
          },
          files: [join(ROOT, types).replace(join(ROOT, 'dist/lib'), declarations)],
        },
      },
      apiReport: { enabled: true, reportFileName: name, reportFolder: join(work, 'out'), reportTempFolder: work },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        // The reports say what is offered; what comments say is not their subject.
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  });
  mkdirSync(join(work, 'out'), { recursive: true });
  const { errorCount } = Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      message.handled = message.logLevel !== ExtractorLogLevel.Error;
    },
  });
  if (errorCount > 0) throw new Error(`${entry}: the declarations have ${errorCount} errors`);
  return readFileSync(join(work, 'out', name), 'utf8');
}

function readOrEmpty(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}

function firstDifference(was, is) {
  const [old, now] = [was.split('\n'), is.split('\n')];
  const line = now.findIndex((text, index) => text !== old[index]);
  const at = line < 0 ? now.length : line;
  return `line ${at + 1} was ${JSON.stringify(old[at] ?? 'missing')} and is ${JSON.stringify(now[at] ?? 'missing')}`;
}
