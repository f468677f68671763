import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { DataRecipe } from 'nestjs-bulwark/data';
import {
  databaseData,
  DatabaseDataService,
  DataService,
  fileData,
  FileDataService,
  getDataServiceToken,
  InjectDataService,
} from 'nestjs-bulwark/data';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../contract/temporary-folder.js';
import { explained } from '../../support/explained.js';

const bad = (options: unknown): never => options as never;

describe('fileData', () => {
  it.each([
    [undefined, 'fileData: its options are undefined; expected an object with path'],
    [{}, "fileData: option 'path' is undefined; expected the path of a folder"],
    [{ path: '' }, 'option \'path\' is ""'],
    [{ path: 5 }, "option 'path' is 5"],
    [{ path: './x', syncOn: 'main' }, "fileData: option 'syncOn' is \"main\"; expected 'thread' or 'loop'"],
    [{ path: './x', pth: 1 }, "fileData: unknown option 'pth' (got 1); expected one of: path"],
  ])('refuses %j', (options, message) => {
    expect(() => fileData(bad(options))).toThrow(message);
  });

  it('makes the service', async () => {
    const { useFactory } = fileData({ path: await temporaryFolder() });
    const service = await useFactory();

    expect(service).toBeInstanceOf(FileDataService);
    await service.close();
  });
});

describe('databaseData', () => {
  it.each([
    [
      [],
      'databaseData: its options are an array; expected an object with url, table, poolSize, connectTimeout, queryTimeout',
    ],
    [{}, "option 'url' is undefined; expected a database URL"],
    [{ url: 'x.db' }, "option 'url' has no scheme; supported are: sqlite:<path of a file>, sqlite::memory:"],
    [{ url: 'oracle://root:secret@h/d' }, "option 'url' has the scheme 'oracle:'; supported are: sqlite:"],
    [{ url: 'sqlite::memory:', poolSize: 1.5 }, "option 'poolSize' is 1.5; expected a whole number of connections"],
    [{ url: 'sqlite::memory:', connectTimeout: -1 }, "option 'connectTimeout' is -1; expected a whole number of ms"],
    [{ url: 'sqlite:' }, 'option \'url\' is "sqlite:"; expected sqlite:<path of a file>'],
    [{ url: 'sqlite://host/x.db' }, 'expected sqlite:<path of a file>'],
    [{ url: 'sqlite::memory' }, 'expected sqlite:<path of a file>'],
    [{ url: 'sqlite::memory:', table: 'a-b' }, 'option \'table\' is "a-b"; expected a table name'],
    [{ url: 'sqlite::memory:', table: 'SQLite_x' }, "option 'table'"],
    [
      { url: 'sqlite::memory:', queryTimeout: 0 },
      "option 'queryTimeout' is 0; expected a whole number of ms from 1 to",
    ],
    [{ url: 'sqlite::memory:', queryTimeout: '5' }, "option 'queryTimeout' is "],
    [{ url: 'sqlite::memory:', tabel: 'x' }, "unknown option 'tabel'"],
  ])('refuses %j', (options, message) => {
    expect(() => databaseData(bad(options))).toThrow(message);
  });

  it.each([
    'oracle://root:secret@h/d',
    'mysql://root:secret@h',
    'mysql://root:secret@/d',
    'mysql://root:secret%@h/d',
    'mysql://root:secret@h:port/d',
    'postgres://root:secret@h/d?sslmode=prefers',
    'postgres://root:secret@h/d?sslpassword=secret',
    'postgres://root:secret@h/d#e',
  ])('shows no password of %s', (url) => {
    expect(() => databaseData({ url })).toThrow(explained(/^databaseData: option 'url' ((?!secret).)*$/));
  });

  it('makes the service', async () => {
    const { useFactory } = databaseData({ url: 'sqlite::memory:', table: 'orders' });
    const service = await useFactory();

    expect(service).toBeInstanceOf(DatabaseDataService);
    await service.close();
  });
});

describe('the DI token', () => {
  it('is the class, or one for each name', () => {
    expect(getDataServiceToken()).toBe(DataService);
    expect(getDataServiceToken('orders')).toBe(getDataServiceToken('orders'));
    expect(getDataServiceToken('orders')).not.toBe(getDataServiceToken('users'));
    expect(() => getDataServiceToken('')).toThrow(explained('expected a non-empty string'));
  });

  it('lets backends be exchanged, chosen by a factory and overridden', async () => {
    @Injectable()
    class Shop {
      constructor(
        readonly data: DataService,
        @InjectDataService('orders') readonly orders: DataService,
      ) {}
    }
    const recipe: DataRecipe = fileData({ path: await temporaryFolder() });
    const chosen: DataRecipe = {
      inject: ['url'],
      useFactory: (url: string) => DatabaseDataService.open({ url }),
    };
    @Module({
      providers: [
        Shop,
        { provide: 'url', useValue: 'sqlite::memory:' },
        { provide: DataService, ...recipe },
        { provide: getDataServiceToken('orders'), ...chosen },
      ],
    })
    class ShopModule {}

    const real = (await Test.createTestingModule({ imports: [ShopModule] }).compile()).get(Shop);
    expect(real.data).toBeInstanceOf(FileDataService);
    expect(real.orders).toBeInstanceOf(DatabaseDataService);
    await real.data.close();
    const fake = await DatabaseDataService.open({ url: 'sqlite::memory:' });
    const testing = Test.createTestingModule({ imports: [ShopModule] })
      .overrideProvider(DataService)
      .useValue(fake);
    const swapped = (await testing.compile()).get(Shop);
    expect(swapped.data).toBe(fake);

    await Promise.all([real.orders.close(), swapped.data.close(), swapped.orders.close()]);
  });
});
