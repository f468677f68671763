import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { describeValue } from '../port/describe-value.js';
import { ReplicableDataService } from '../port/replicable-data.service.js';
import type { FailoverNode } from './failover-options.js';

/** Where a node's service comes from. */
export interface NodeSource {
  /** Whether it is closed with the failover service. */
  readonly owned: boolean;
  open(): Promise<ReplicableDataService>;
}

/** What is wrong with what was given as a node, as far as can be seen before it is opened. */
export function nodeProblem(node: unknown): string | undefined {
  if (node instanceof ReplicableDataService) return undefined;
  if (typeof node === 'object' && node !== null) {
    if ('useValue' in node) return serviceProblem(node.useValue);
    if ('useFactory' in node && typeof node.useFactory === 'function') {
      const inject = 'inject' in node ? node.inject : undefined;
      if (!Array.isArray(inject) || inject.length === 0) return undefined;
      return "is a recipe with 'inject'; expected one without: inject into the useFactory that calls failoverData";
    }
    if ('useClass' in node || 'useExisting' in node) {
      return 'is a recipe with useClass or useExisting; expected { useFactory: () => service } or { useValue: service }';
    }
  }
  return serviceProblem(node);
}

/** How to open a node. */
export function sourceOf(what: string, node: FailoverNode): NodeSource {
  if (node instanceof ReplicableDataService) return { owned: false, open: async () => node };
  if ('useValue' in node) {
    const { useValue } = node;
    return { owned: false, open: async () => replicable(what, useValue) };
  }
  const { useFactory } = node;
  return { owned: true, open: async () => replicable(what, await (useFactory as () => unknown)()) };
}

function replicable(what: string, service: unknown): ReplicableDataService {
  const problem = serviceProblem(service);
  if (problem !== undefined) throw new ResilienceConfigurationError('failoverData', `${what} ${problem}`);
  return service as ReplicableDataService;
}

function serviceProblem(service: unknown): string | undefined {
  if (service instanceof ReplicableDataService) return undefined;
  return (
    `is ${describeValue(service)}; expected fileData(), databaseData() or a service whose class extends ` +
    'ReplicableDataService, since only its writes keep their versions'
  );
}
