export { ResilienceEtcdModule } from './etcd.module.js';
export type { ResilienceEtcdOptions } from './etcd.options.js';
export { EtcdService } from './etcd.service.js';
