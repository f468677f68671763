import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { UnknownOptionError } from '../../errors/unknown-option.error.js';
import { isPlainObject, show } from './check.js';
import { placed } from './placed.js';

type Maker = (path: string, argument: unknown) => unknown;

/** Makers by the names of the functions that code calls. */
export type Forms = Readonly<Record<string, Maker>>;

/** The options whose values code makes with a function of ours, and the functions that can stand in data. */
export type DataForms = Readonly<Record<string, OptionForms>>;

export interface OptionForms {
  readonly forms: Forms;
  /** Whether a rule can say it in no other way. @default false */
  readonly madeOnly?: boolean;
}

/** What settings of a policy may be in data. */
export interface SettingForms {
  readonly dataForms?: DataForms;
  /** The option that a setting stands for, where it is a value of that option alone. */
  readonly shortFor?: string;
}

/** A function that takes an options object. */
export const byOptions =
  (make: (options: never) => unknown): Maker =>
  (path, argument) => {
    if (!isPlainObject(argument))
      throw new ResilienceConfigurationError(path, `expected an options object, got ${show(argument)}`);
    return make(argument as never);
  };

/** A function that takes a number. */
export const byNumber =
  (make: (number: number) => unknown): Maker =>
  (_path, argument) =>
    make(argument as number);

/**
 * A setting in which data, as YAML and JSON hold it, has become what code would give: an object with one key calls the
 * function of that name, with what stands under it. Whatever has not that form stays as it is.
 *
 * @throws ResilienceConfigurationError for what the function refuses.
 */
export function withMade(place: string, kind: SettingForms, setting: unknown): unknown {
  const whole = longForm(kind, setting);
  if (kind.dataForms === undefined || !isPlainObject(whole)) return setting;
  const made: Record<string, unknown> = {};
  for (const [option, { forms }] of Object.entries(kind.dataForms)) {
    const data = Object.hasOwn(whole, option) ? whole[option] : undefined;
    if (hasForm(data, forms))
      made[option] = placed(`${place}.${option}`, () => makeFrom(`${place}.${option}`, data, forms));
  }
  return Object.keys(made).length === 0 ? setting : { ...whole, ...made };
}

/** A setting that is short for one of its options, in full: `bulkhead: { adaptive: ... }`. */
export function longForm({ dataForms, shortFor }: SettingForms, setting: unknown): unknown {
  const forms = shortFor === undefined ? undefined : dataForms?.[shortFor]?.forms;
  return shortFor !== undefined && forms !== undefined && hasForm(setting, forms) ? { [shortFor]: setting } : setting;
}

/**
 * Makes of an option's data what code would give, where nothing but data can stand.
 *
 * @throws ResilienceConfigurationError
 */
export function fromData(path: string, { dataForms = {} }: SettingForms, option: string, data: unknown): unknown {
  const known = Object.hasOwn(dataForms, option) ? dataForms[option] : undefined;
  if (known === undefined) return data;
  return isPlainObject(data) || known.madeOnly === true ? makeFrom(path, data, known.forms) : data;
}

function hasForm(data: unknown, forms: Forms): data is Record<string, unknown> {
  if (!isPlainObject(data)) return false;
  const [name, ...others] = Object.keys(data);
  return name !== undefined && others.length === 0 && Object.hasOwn(forms, name);
}

/** What the function makes that data names. @throws ResilienceConfigurationError */
export function makeFrom(path: string, data: unknown, forms: Forms): unknown {
  if (!hasForm(data, forms)) {
    const known = Object.keys(forms).join(', ');
    const problem = `expected an object with one key, which is one of: ${known}; got ${show(data)}`;
    const [name, ...others] = isPlainObject(data) ? Object.keys(data) : [];
    throw name !== undefined && others.length === 0
      ? new UnknownOptionError(path, name, problem)
      : new ResilienceConfigurationError(path, problem);
  }
  const [name] = Object.keys(data) as [string];
  return (forms[name] as Maker)(`${path}.${name}`, data[name]);
}
