import { VersioningType } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';

/**
 * What may stand before the path of a route: the global prefix, and a version. undefined: nothing.
 *
 * @param config of the app, when its prefix is set.
 */
export function routePrefix(config: Pick<ApplicationConfig, 'getGlobalPrefix' | 'getVersioning'>): RegExp | undefined {
  const prefix = config
    .getGlobalPrefix()
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => (segment.startsWith(':') ? '/[^/?]+' : `/${escaped(segment)}`))
    .join('');
  const pattern = prefix + versionPattern(config);
  return pattern === '' ? undefined : new RegExp(`^${pattern}`);
}

/** A version in the path has the prefix `v`, another one, or none: then it begins with a digit. */
function versionPattern(config: Pick<ApplicationConfig, 'getVersioning'>): string {
  const versioning = config.getVersioning();
  if (versioning?.type !== VersioningType.URI) return '';
  const { prefix = 'v' } = versioning;
  return prefix === false ? '(?:/\\d[^/?]*)?' : `(?:/${escaped(prefix)}[^/?]+)?`;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
