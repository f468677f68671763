import { Injectable, Module, Scope } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import {
  fixed,
  ResilienceConfigurationError,
  ResilienceModule,
  ResilienceService,
  Retry,
  type ResilienceModuleOptions,
  type ResilienceOptionsFactory,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, rejection, startUpError } from './support/harness.js';

const attempts = (maxAttempts: number): ResilienceModuleOptions => ({
  policies: { often: { retry: { maxAttempts, backoff: fixed(0) } } },
});

@Injectable()
class Stock {
  attempts = 0;
  @Retry('often')
  async level(): Promise<number> {
    this.attempts++;
    throw new Error('down');
  }
}

@Injectable()
class OptionsFactory implements ResilienceOptionsFactory {
  createResilienceOptions(): ResilienceModuleOptions {
    return attempts(5);
  }
}

@Module({ providers: [OptionsFactory], exports: [OptionsFactory] })
class OptionsModule {}

/** How many attempts a call makes under a dynamic module. */
async function attemptsUnder(...imports: NonNullable<Parameters<typeof initialise>[0]['imports']>): Promise<number> {
  const { module } = await initialise({ imports, providers: [Stock] });
  await rejection(module.get(Stock).level());
  return module.get(Stock).attempts;
}

describe('forRoot', () => {
  it('guards with the policies of the app, when it has options', async () => {
    expect(await attemptsUnder(ResilienceModule.forRoot(attempts(4)))).toBe(4);
  });

  it('guards with the decorators and the built-in defaults, when it has no options', async () => {
    @Injectable()
    class Plain {
      attempts = 0;
      @Retry({ backoff: fixed(0) })
      async load(): Promise<never> {
        this.attempts++;
        throw new Error('down');
      }
    }
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Plain] });

    await rejection(module.get(Plain).load());

    expect(module.get(Plain).attempts).toBe(3);
  });

  it('is global, when a feature module does not import it', async () => {
    @Module({ providers: [Stock] })
    class FeatureModule {}
    const { module } = await initialise({ imports: [ResilienceModule.forRoot(attempts(4)), FeatureModule] });

    await rejection(module.get(Stock, { strict: false }).level());

    expect(module.get(Stock, { strict: false }).attempts).toBe(4);
    expect(module.get(ResilienceService)).toBeInstanceOf(ResilienceService);
  });

  it('is a start-up error, when it is imported a second time with other options', async () => {
    const error = await startUpError({
      imports: [ResilienceModule.forRoot(attempts(4)), ResilienceModule.forRoot(attempts(5))],
    });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error.message).toMatch(/forRoot.*once/s);
  });

  it('is a start-up error, when it is imported beside forRootAsync', async () => {
    const error = await startUpError({
      imports: [ResilienceModule.forRoot(), ResilienceModule.forRootAsync({ useFactory: () => ({}) })],
    });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
  });

  it.each([
    ['a key that it does not know', { polices: {} }, /polices/],
    ['a misspelt data service', { dataServce: {} }, /dataServce.*dataService/s],
    ['enabled of the wrong type', { enabled: 'no' }, /enabled.*'no'/s],
    ['callContext of the wrong type', { callContext: 1 }, /callContext.*1/s],
    ['policies that are a list', { policies: [] }, /policies/],
    ['policies that are a string', { policies: 'default' }, /policies.*'default'/s],
    ['exceptionFilter of the wrong type', { exceptionFilter: 'yes' }, /exceptionFilter.*'yes'/s],
  ])('is a start-up error, when it gets %s', async (_, options, message) => {
    const error = await startUpError({ imports: [ResilienceModule.forRoot(options as never)] });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error.message).toMatch(message);
  });
});

describe('forRootAsync', () => {
  it('takes its options from a factory, when useFactory injects ConfigService', async () => {
    const imports = [ConfigModule.forRoot({ ignoreEnvFile: true, load: [() => ({ ATTEMPTS: 6 })] })];

    const made = await attemptsUnder(
      ResilienceModule.forRootAsync({
        imports,
        inject: [ConfigService],
        useFactory: async (config: ConfigService) => attempts(config.getOrThrow<number>('ATTEMPTS')),
      }),
    );

    expect(made).toBe(6);
  });

  it('takes its options from a class, when useClass names it', async () => {
    expect(await attemptsUnder(ResilienceModule.forRootAsync({ useClass: OptionsFactory }))).toBe(5);
  });

  it('takes its options from a provider of another module, when useExisting names it', async () => {
    const made = await attemptsUnder(
      ResilienceModule.forRootAsync({ imports: [OptionsModule], useExisting: OptionsFactory }),
    );

    expect(made).toBe(5);
  });

  it('is a start-up error, when the options are wrong', async () => {
    const error = await startUpError({
      imports: [ResilienceModule.forRootAsync({ useFactory: () => ({ enabled: 'no' }) as never })],
    });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error.message).toMatch(/enabled.*'no'/s);
  });

  it('is a start-up error, when the factory gives nothing', async () => {
    const error = await startUpError({
      imports: [ResilienceModule.forRootAsync({ useFactory: () => undefined as never })],
    });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
  });

  it('is a start-up error, when the options depend on a request-scoped provider', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Tenant {}
    @Module({ providers: [Tenant], exports: [Tenant] })
    class TenantModule {}

    const error = await startUpError({
      imports: [
        ResilienceModule.forRootAsync({ imports: [TenantModule], inject: [Tenant], useFactory: () => attempts(4) }),
      ],
      providers: [Stock],
    });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error.message).toMatch(/request-scoped/);
  });

  it('lends no scope to what it guards, when it has options', async () => {
    const { module } = await initialise({
      imports: [ResilienceModule.forRootAsync({ useClass: OptionsFactory })],
      providers: [Stock],
    });

    expect(module.get(Stock)).toBe(module.get(Stock));
  });
});

describe('forFeature', () => {
  it('adds named sets for the whole app, when a feature module imports it', async () => {
    @Module({ imports: [ResilienceModule.forFeature(attempts(4) as Required<ResilienceModuleOptions>)] })
    class FeatureModule {}

    expect(await attemptsUnder(ResilienceModule.forRoot(), FeatureModule)).toBe(4);
  });

  it('adds sets beside each other, when several modules import it', async () => {
    const { module } = await initialise({
      imports: [
        ResilienceModule.forFeature({ policies: { one: { timeout: 10 } } }),
        ResilienceModule.forRoot(),
        ResilienceModule.forFeature({ policies: { two: { timeout: 10 } } }),
      ],
    });
    const service = module.get(ResilienceService);

    expect(await service.execute('one', () => 1)).toBe(1);
    expect(await service.execute('two', () => 2)).toBe(2);
  });

  it('is a start-up error, when it defines default', async () => {
    const error = await startUpError({
      imports: [ResilienceModule.forRoot(), ResilienceModule.forFeature({ policies: { default: { timeout: 10 } } })],
    });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error.message).toContain('default');
  });

  it('is a start-up error, when it gives a name of forRoot another definition', async () => {
    const error = await startUpError({
      imports: [
        ResilienceModule.forRoot({ policies: { stock: { timeout: 10 } } }),
        ResilienceModule.forFeature({ policies: { stock: { timeout: 20 } } }),
      ],
    });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error.message).toContain('stock');
  });

  it('is a start-up error, when one of its options is wrong', async () => {
    const error = await startUpError({
      imports: [ResilienceModule.forRoot(), ResilienceModule.forFeature({ policies: { stock: { timeout: -5 } } })],
    });

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error.message).toMatch(/stock.*timeout.*-5/s);
  });
});
