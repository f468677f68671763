export type { EndpointOptions } from './discovery/endpoint-options.js';
export { EndpointSet, type EndpointCall } from './discovery/endpoint-set.js';
export { NoEndpointError } from './discovery/no-endpoint.error.js';
export type { EtcdEntry } from './client/etcd-entry.js';
export { ResilienceEtcdModule } from './etcd.module.js';
export type { ResilienceEtcdOptions } from './etcd.options.js';
export { EtcdService } from './etcd.service.js';
export type { EtcdRuleStatus } from './rules/rule-status.js';
export type { EtcdChange } from './store/etcd-change.js';
