import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ROOT } from './source-files.js';

const page = readFileSync(join(ROOT, 'docs/events.md'), 'utf8');

const parse = (path: string): ts.SourceFile =>
  ts.createSourceFile(path, readFileSync(join(ROOT, path), 'utf8'), ts.ScriptTarget.Latest, true);

/** The fields of an interface, `name` or `name?`. */
const fieldsOf = (one: ts.InterfaceDeclaration): string[] =>
  one.members
    .filter(ts.isPropertySignature)
    .map((member) => `${member.name.getText()}${member.questionToken ? '?' : ''}`);

const interfaces = parse('lib/events/resilience-event.ts').statements.filter(ts.isInterfaceDeclaration);
const origin = interfaces.find(({ name }) => name.text === 'Origin');

/** What the code says: the fields of each type of event, but for those that all have. */
const events = Object.fromEntries(
  interfaces
    .filter(({ name }) => name.text.endsWith('Event'))
    .map((one) => {
      const type = one.members.filter(ts.isPropertySignature).find(({ name }) => name.getText() === 'type')?.type;
      const own = fieldsOf(one).filter((field) => field !== 'type' && field !== 'policy');
      return [type?.getText().replaceAll("'", ''), own];
    }),
);

/** The rows of a table whose head begins with `first`. */
const rowsBelow = (first: string): string[][] =>
  [...page.matchAll(/^\|(.*)\|\n\|[ -|]+\n((?:\|.*\n?)+)/gm)]
    .filter(([, head = '']) => head.trim().startsWith(first))
    .flatMap(([, , rows = '']) => rows.trim().split('\n'))
    .map((row) => row.split('|').slice(1, -1));

const quoted = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

describe('the page of events', () => {
  it('has each type of event with its fields, and no other', () => {
    const shown = rowsBelow('`type`').map(([type, , fields]) => [quoted(type)[0], quoted(fields)]);

    expect(shown.length).toBeGreaterThan(15);
    expect(Object.fromEntries(shown)).toEqual(events);
  });

  it('has the fields of all events', () => {
    const shown = rowsBelow('field').map(([field]) => quoted(field)[0]);

    expect(shown.sort()).toEqual(['type', ...(origin === undefined ? [] : fieldsOf(origin))].sort());
  });

  it('has each reason for no further attempt', () => {
    const [union] = parse('lib/events/no-more-attempts.ts').statements.filter(ts.isTypeAliasDeclaration);
    const reasons = union?.type.getText().match(/\w+/g);

    expect(rowsBelow('`reason`').map(([reason]) => quoted(reason)[0])).toEqual(reasons);
  });
});
