export { DataFencedException, type EtcdFence } from './data/data-fenced.exception.js';
export { etcdData } from './data/etcd-data.js';
export type { EtcdDataOptions } from './data/etcd-data-options.js';
export { EtcdDataService, type EtcdDataPutOptions } from './data/etcd-data.service.js';
export { ResilienceEtcdModule } from './etcd.module.js';
export type { ResilienceEtcdOptions } from './etcd.options.js';
export type { CommandOptions, ResetOptions } from './commands/command-writer.js';
export { EtcdService } from './etcd.service.js';
