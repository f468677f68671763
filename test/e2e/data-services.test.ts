import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Body, Controller, Get, Injectable, Module, NotFoundException, Param, Put } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { DataService, getDataServiceToken, InjectDataService, ResilienceModule } from 'nestjs-bulwark';
import { databaseData, fileData, FileDataService, type DataRecipe } from 'nestjs-bulwark/data';
import { describe, expect, it, onTestFinished } from 'vitest';
import { initialise, PLATFORMS, start } from './support/harness.js';
import { MemoryData } from './support/memory-data.js';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bulwark-e2e-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

@Controller('items')
class ItemsController {
  constructor(@InjectDataService() private readonly data: DataService) {}

  @Put(':sku')
  async put(@Param('sku') sku: string, @Body() item: unknown): Promise<{ stored: string }> {
    await this.data.put(`item/${sku}`, item);
    return { stored: sku };
  }

  @Get(':sku')
  async get(@Param('sku') sku: string): Promise<unknown> {
    const item = await this.data.get(`item/${sku}`);
    if (item === undefined) throw new NotFoundException();
    return item;
  }
}

describe.each(PLATFORMS)('a data service on $platform', ({ adapter }) => {
  it.each<[string, () => DataRecipe]>([
    ['fileData', () => fileData({ path: temporaryFolder() })],
    ['databaseData', () => databaseData({ url: 'sqlite::memory:' })],
    ['databaseData on a file', () => databaseData({ url: `sqlite:${join(temporaryFolder(), 'shop.db')}` })],
  ])('serves the same app, when the backend is %s', async (_, recipe) => {
    const { url } = await start(
      { imports: [ResilienceModule.forRoot({ dataService: recipe() })], controllers: [ItemsController] },
      { adapter },
    );

    const missing = await fetch(`${url}/items/a1`);
    const stored = await fetch(`${url}/items/a1`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"lamp","cents":995}',
    });
    const found = await fetch(`${url}/items/a1`);

    expect(missing.status).toBe(404);
    expect(await stored.json()).toEqual({ stored: 'a1' });
    expect(await found.json()).toEqual({ name: 'lamp', cents: 995 });
  });

  it('is the one of the test, when overrideProvider(DataService) swaps it', async () => {
    const fake = new MemoryData();
    fake.entriesByKey.set('item/a1', { name: 'fake' });
    const { url } = await start(
      {
        imports: [ResilienceModule.forRoot({ dataService: fileData({ path: temporaryFolder() }) })],
        controllers: [ItemsController],
      },
      { adapter, override: (builder) => builder.overrideProvider(DataService).useValue(fake) },
    );

    expect(await (await fetch(`${url}/items/a1`)).json()).toEqual({ name: 'fake' });
  });
});

describe('the recipe of a data service', () => {
  const token = getDataServiceToken();

  it('makes and closes the service, when it is useClass', async () => {
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot({ dataService: { useClass: MemoryData } })],
    });
    const data = module.get<MemoryData>(token);

    await module.close();

    expect(data).toBeInstanceOf(MemoryData);
    expect(data.closed).toBe(1);
  });

  it('makes and closes the service, when it is useFactory', async () => {
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot({ dataService: { useFactory: async () => new MemoryData() } })],
    });
    const data = module.get<MemoryData>(token);

    await module.close();

    expect(data.closed).toBe(1);
  });

  it('takes the service and leaves it open, when it is useValue', async () => {
    const own = new MemoryData();
    const { module } = await initialise({ imports: [ResilienceModule.forRoot({ dataService: { useValue: own } })] });
    const data = module.get<MemoryData>(token);

    await module.close();

    expect(data).toBe(own);
    expect(own.closed).toBe(0);
  });

  it('takes the service of another provider, when it is useExisting', async () => {
    @Module({ providers: [MemoryData], exports: [MemoryData] })
    class BackendModule {}
    const { module } = await initialise({
      imports: [
        ResilienceModule.forRootAsync({
          imports: [BackendModule],
          useFactory: () => ({}),
          dataService: { useExisting: MemoryData },
        }),
      ],
    });
    const data = module.get<MemoryData>(token);

    await module.close();

    expect(data).toBe(module.get(MemoryData, { strict: false }));
    expect(data.closed).toBe(0);
  });

  it('lets ConfigService choose the backend, when it injects it', async () => {
    const path = temporaryFolder();
    const { module } = await initialise({
      imports: [
        ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [() => ({ DATA_BACKEND: 'file' })] }),
        ResilienceModule.forRootAsync({
          useFactory: () => ({}),
          dataService: {
            inject: [ConfigService],
            useFactory: (config: ConfigService) =>
              config.get('DATA_BACKEND') === 'file' ? FileDataService.open({ path }) : new MemoryData(),
          },
        }),
      ],
    });

    expect(module.get<DataService>(token)).toBeInstanceOf(FileDataService);
  });

  it('provides none, when none is given', async () => {
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()] });

    expect(() => module.get<DataService>(token, { strict: false })).toThrow();
  });

  it('lets the next app open the folder, when the app that owned it has closed', async () => {
    const path = temporaryFolder();
    const first = await initialise({ imports: [ResilienceModule.forRoot({ dataService: fileData({ path }) })] });
    await first.module.get<DataService>(token).put('key', 'value');

    await first.module.close();
    const second = await initialise({ imports: [ResilienceModule.forRoot({ dataService: fileData({ path }) })] });

    expect(await second.module.get<DataService>(token).get('key')).toBe('value');
  });

  it('gives each its own service, when several are named', async () => {
    @Injectable()
    class Shop {
      constructor(
        @InjectDataService('orders') readonly orders: DataService,
        @InjectDataService('users') readonly users: DataService,
        @InjectDataService() readonly main: DataService,
      ) {}
    }
    const users = new MemoryData();
    const { module } = await initialise({
      imports: [
        ResilienceModule.forRoot({
          dataService: databaseData({ url: 'sqlite::memory:' }),
          dataServices: { orders: { useClass: MemoryData }, users: { useValue: users } },
        }),
      ],
      providers: [Shop],
    });
    const shop = module.get(Shop);

    await shop.orders.put('key', 'order');
    await shop.users.put('key', 'user');
    await shop.main.put('key', 'main');

    expect(await Promise.all([shop.orders.get('key'), shop.users.get('key'), shop.main.get('key')])).toEqual([
      'order',
      'user',
      'main',
    ]);
    await module.close();
    expect((shop.orders as MemoryData).closed).toBe(1);
    expect(users.closed).toBe(0);
  });

  it('is usable by whoever shuts down, when the app closes', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class Saver {
      constructor(@InjectDataService() private readonly data: DataService) {}
      async onModuleDestroy(): Promise<void> {
        await this.data.put('last', 'word');
        seen.push(await this.data.get('last'));
      }
      async beforeApplicationShutdown(): Promise<void> {
        seen.push(await this.data.get('last'));
      }
    }
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot({ dataService: databaseData({ url: 'sqlite::memory:' }) })],
      providers: [Saver],
    });

    await module.close();

    expect(seen).toEqual(['word', 'word']);
  });
});
