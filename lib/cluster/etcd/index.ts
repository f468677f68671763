export { ResilienceEtcdModule } from './etcd.module.js';
export type { ResilienceEtcdOptions } from './etcd.options.js';
export type { CommandOptions, ResetOptions } from './commands/command-writer.js';
export { EtcdService } from './etcd.service.js';
