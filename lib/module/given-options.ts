import type { DynamicModule, FactoryProvider, InjectionToken } from '@nestjs/common';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { oneOfThese } from '../errors/near-miss.js';
import { UnknownOptionError } from '../errors/unknown-option.error.js';
import { isPlainObject, show } from '../kernel/options/check.js';

interface ModuleClass {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the options of any module
  forRoot: (options: any) => DynamicModule;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the options of any module
  forRootAsync: (options: any) => DynamicModule;
}

const FORMS = ['useFactory', 'useClass', 'useExisting'];
/** What Nest takes beside them. */
const OF_NEST = ['inject', 'imports', 'provideInjectionTokensFrom'];
/** What other modules take there; ours are global where that helps. */
const OF_OTHERS = ['isGlobal', 'global'];

/**
 * Lets the module that Nest's builder has made say what it expects where it is given what is no object of options, as plain
 * JavaScript and a config that is not there may; Nest reads its keys. `forRoot()` bare is `forRoot({})`.
 *
 * @param name of the module, as apps import it.
 * @param beside the options that stand beside a factory of the others; Nest would drop any other without a word.
 * @returns what was built.
 */
export function expectingOptions<T extends { readonly ConfigurableModuleClass: ModuleClass }>(
  name: string,
  built: T,
  beside: readonly string[] = [],
): T {
  const made: ModuleClass = built.ConfigurableModuleClass;
  const { forRoot, forRootAsync } = made;
  made.forRoot = function (this: unknown, options: unknown = {}): DynamicModule {
    if (!isPlainObject(options))
      throw new ResilienceConfigurationError(`${name}.forRoot`, `expected an options object, got ${show(options)}`);
    return Reflect.apply(forRoot, this, [options]);
  };
  made.forRootAsync = function (this: unknown, options: unknown): DynamicModule {
    if (!isPlainObject(options) || !FORMS.some((form) => options[form] !== undefined)) {
      const problem = `expected an object with useFactory, useClass or useExisting, got ${show(options)}`;
      throw new ResilienceConfigurationError(`${name}.forRootAsync`, problem);
    }
    const known = [...new Set([...FORMS, ...OF_NEST, ...beside])];
    const unknown = Object.keys(options).find(
      (key) => options[key] !== undefined && !known.includes(key) && !OF_OTHERS.includes(key),
    );
    if (unknown !== undefined) {
      const problem = `option ${show(unknown)} cannot stand beside the factory; ${oneOfThese(unknown, known)}`;
      throw new UnknownOptionError(`${name}.forRootAsync`, unknown, problem);
    }
    return Reflect.apply(forRootAsync, this, [options]);
  };
  return built;
}

/** What stands for the options of a module that is imported as its class; what `forRoot()` provides takes the place of it. */
export function noOptions(name: string, token: InjectionToken): FactoryProvider {
  return {
    provide: token,
    useFactory: () => {
      throw importedAsItIs(name);
    },
  };
}

export function importedAsItIs(name: string): ResilienceConfigurationError {
  return new ResilienceConfigurationError(
    name,
    `is imported as it is, without options; expected ${name}.forRoot() or forRootAsync() among the imports of the app`,
  );
}
