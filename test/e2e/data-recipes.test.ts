import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Inject, Injectable, Module, Scope } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { REQUEST } from '@nestjs/core';
import { DataService, getDataServiceToken, InjectDataService, ResilienceModule } from 'nestjs-bulwark';
import { DatabaseDataService, databaseData, fileData, FileDataService } from 'nestjs-bulwark/data';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deferred, initialise, startUpError } from './support/harness.js';
import { MemoryData } from './support/memory-data.js';

const RECIPE = 'expected a provider recipe such as fileData({ path })';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bulwark-e2e-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('a wrong recipe', () => {
  it.each<[unknown, string]>([
    [5, `${RECIPE}, { useClass }, { useFactory, inject }, { useExisting } or { useValue }, got 5`],
    [null, 'got null'],
    [{}, 'got an object with nothing in it'],
    [{ path: './data' }, 'got an object with path'],
    [MemoryData, 'got function MemoryData'],
    [{ useClass: MemoryData, useFactory: () => new MemoryData() }, 'got an object with useClass, useFactory'],
    [{ provide: DataService, useClass: MemoryData }, "got 'provide' beside useClass"],
    [{ useClass: MemoryData, inject: [] }, "got 'inject' beside useClass"],
    [{ useFactory: 'open' }, "got useFactory 'open'"],
    [{ useClass: 'MemoryData' }, "got useClass 'MemoryData'"],
    [{ useExisting: undefined }, 'got useExisting undefined'],
    [{ useValue: undefined }, 'got useValue undefined'],
    [{ useFactory: () => new MemoryData(), inject: ConfigService }, "got 'inject' function ConfigService"],
    [{ useValue: new Map() }, 'useValue gave an object without put()'],
  ])('is refused with its place, what is there and what was expected: %o', (recipe, message) => {
    const forRoot = (): unknown => ResilienceModule.forRoot({ dataService: recipe as never });
    const several = (): unknown =>
      ResilienceModule.forRootAsync({ useFactory: () => ({}), dataServices: { orders: recipe as never } });

    expect(forRoot).toThrow('ResilienceModule.forRoot, dataService: ');
    expect(forRoot).toThrow(message);
    expect(several).toThrow('ResilienceModule.forRootAsync, dataServices.orders: ');
    expect(several).toThrow(message);
  });

  it('is refused, where several are a list or one has no name', () => {
    const recipe = { useClass: MemoryData };

    expect(() => ResilienceModule.forRoot({ dataServices: [recipe] as never })).toThrow(
      'ResilienceModule.forRoot, dataServices: expected an object of provider recipes by name',
    );
    expect(() => ResilienceModule.forRoot({ dataServices: { '': recipe } })).toThrow(
      "ResilienceModule.forRoot, dataServices: got the name ''; expected a non-empty string",
    );
  });

  it.each([
    ['nothing', undefined, 'undefined without get()'],
    ['another recipe', fileData({ path: './never-opened' }), 'an object without get()'],
    ['half a service', { get: () => 1, put: () => 1 }, 'an object without delete()'],
  ])('keeps the app from starting, when its factory gives %s', async (_, product, message) => {
    const error = await startUpError({
      imports: [ResilienceModule.forRoot({ dataServices: { users: { useFactory: () => product as never } } })],
    });

    expect(error.message).toBe(
      `ResilienceModule.forRoot, dataServices.users: useFactory gave ${message}; ` +
        'expected a DataService, such as that of FileDataService.open({ path })',
    );
  });

  it('keeps the app from starting, when the existing provider is no data service', async () => {
    const error = await startUpError({
      imports: [
        ResilienceModule.forRootAsync({
          imports: [ConfigModule.forRoot({ ignoreEnvFile: true })],
          useFactory: () => ({}),
          dataService: { useExisting: ConfigService },
        }),
      ],
    });

    expect(error.message).toContain('ResilienceModule.forRootAsync, dataService: useExisting gave an object without');
  });

  it('keeps the app from starting, when requests would get services of their own', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Tenant {
      constructor(@Inject(REQUEST) readonly request: unknown) {}
    }
    @Module({ providers: [Tenant], exports: [Tenant] })
    class TenantModule {}

    const error = await startUpError({
      imports: [
        ResilienceModule.forRootAsync({
          imports: [TenantModule],
          useFactory: () => ({}),
          dataServices: { orders: { inject: [Tenant], useFactory: () => new MemoryData() } },
        }),
      ],
    });

    expect(error.message).toMatch(/dataServices\.orders: .*request-scoped provider; expected static dependencies/);
  });

  it('keeps the app from starting with the words of the backend, when it cannot be opened', async () => {
    const path = temporaryFolder();
    const owner = await FileDataService.open({ path });
    onTestFinished(() => owner.close());

    const error = await startUpError({ imports: [ResilienceModule.forRoot({ dataService: fileData({ path }) })] });

    expect(error).toMatchObject({ code: 'DATA_OWNED' });
  });
});

describe('an app that could not start', () => {
  it('has closed its other data services, those too that were still being opened', async () => {
    const opened = new MemoryData();
    const late = new MemoryData();
    const failed = deferred();
    const { promise, resolve } = deferred<DataService>();

    const starting = startUpError({
      imports: [
        ResilienceModule.forRoot({
          dataServices: {
            opened: { useFactory: () => opened },
            late: { useFactory: () => promise },
            broken: {
              useFactory: async () => {
                failed.resolve();
                throw new Error('the database is down');
              },
            },
          },
        }),
      ],
    });
    await failed.promise;
    resolve(late);

    expect((await starting).message).toBe('the database is down');
    expect([opened.closed > 0, late.closed > 0]).toEqual([true, true]);
  });

  it('lets a second attempt in the same process open the same folder', async () => {
    const path = temporaryFolder();
    let isDown = true;
    const imports = () => [
      ResilienceModule.forRoot({
        dataService: fileData({ path }),
        dataServices: {
          other: {
            useFactory: async () => {
              if (isDown) throw new Error('the database is down');
              return new MemoryData();
            },
          },
        },
      }),
    ];
    await startUpError({ imports: imports() });

    isDown = false;
    const { module } = await initialise({ imports: imports() });

    expect(module.get(DataService)).toBeInstanceOf(FileDataService);
  });
});

describe('data services by ConfigService', () => {
  async function chosenBy(environment: Record<string, string>): Promise<DataService> {
    @Injectable()
    class Orders {
      constructor(@InjectDataService('orders') readonly data: DataService) {}
    }
    const { module } = await initialise({
      imports: [
        ResilienceModule.forRootAsync({
          imports: [ConfigModule.forRoot({ ignoreEnvFile: true, load: [() => environment] })],
          inject: [ConfigService],
          useFactory: () => ({}),
          dataServices: {
            orders: {
              inject: [ConfigService, { token: 'NOT_THERE', optional: true }],
              useFactory: (config: ConfigService, absent: unknown) => {
                expect(absent).toBeUndefined();
                const url = config.get<string>('DATABASE_URL');
                return url === undefined
                  ? FileDataService.open({ path: config.getOrThrow('DATA_DIR') })
                  : DatabaseDataService.open({ url });
              },
            },
          },
        }),
      ],
      providers: [Orders],
    });
    return module.get(Orders).data;
  }

  it('are those that it names, beside the factory of the options', async () => {
    expect(await chosenBy({ DATA_DIR: temporaryFolder() })).toBeInstanceOf(FileDataService);
    expect(await chosenBy({ DATABASE_URL: 'sqlite::memory:' })).toBeInstanceOf(DatabaseDataService);
  });
});

describe('a closing app', () => {
  it('closes every service, when one of them cannot be closed, and tells', async () => {
    class Stubborn extends MemoryData {
      override async close(): Promise<void> {
        throw new Error('will not');
      }
    }
    const { module, log } = await initialise({
      imports: [
        ResilienceModule.forRoot({
          dataService: { useClass: Stubborn },
          dataServices: { orders: { useClass: MemoryData }, users: databaseData({ url: 'sqlite::memory:' }) },
        }),
      ],
    });
    const orders = module.get<MemoryData>(getDataServiceToken('orders'));
    const users = module.get<DataService>(getDataServiceToken('users'));

    await module.close();

    expect(orders.closed).toBe(1);
    await expect(users.ping()).rejects.toMatchObject({ code: 'DATA_CLOSED' });
    expect(log.lines.map(({ text }) => text)).toContain('a data service did not close');
  });
});

describe('a class of the app’s own', () => {
  it('gets what it injects, when it is useClass', async () => {
    @Injectable()
    class Audited extends MemoryData {
      constructor(readonly config: ConfigService) {
        super();
      }
    }
    const { module } = await initialise({
      imports: [
        ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [() => ({ ACTOR: 'till-3' })] }),
        ResilienceModule.forRoot({ dataService: { useClass: Audited } }),
      ],
    });

    expect(module.get<Audited>(DataService as never).config.get('ACTOR')).toBe('till-3');
  });

  it('that nobody names says so: Nest names the token', async () => {
    @Injectable()
    class Shop {
      constructor(@InjectDataService('orders') readonly orders: DataService) {}
    }

    const error = await startUpError({ imports: [ResilienceModule.forRoot()], providers: [Shop] });

    expect(error.message).toMatch(/Shop.*DataService:orders/s);
  });
});
