export { ResilienceClientsModule } from './resilience-clients.module.js';
export { resilientClient } from './resilient-client.js';
