import type { DynamicModule } from '@nestjs/common';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { isPlainObject, show } from '../kernel/options/check.js';

interface ModuleClass {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the options of any module
  forRoot: (options: any) => DynamicModule;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the options of any module
  forRootAsync: (options: any) => DynamicModule;
}

const FORMS = ['useFactory', 'useClass', 'useExisting'];

/**
 * Lets the module that Nest's builder has made say what it expects where it is given what is no object of options, as plain
 * JavaScript and a config that is not there may; Nest reads its keys. `forRoot()` bare is `forRoot({})`.
 *
 * @param name of the module, as apps import it.
 * @returns what was built.
 */
export function expectingOptions<T extends { readonly ConfigurableModuleClass: ModuleClass }>(
  name: string,
  built: T,
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
    return Reflect.apply(forRootAsync, this, [options]);
  };
  return built;
}
