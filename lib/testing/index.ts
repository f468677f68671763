export { FaultCall } from './fault-call.js';
export type { Fault } from './fault.js';
export type { FaultOptions, FaultTarget } from './fault.options.js';
export { after, hang, real, returns, throws, type Outcome, type Scripted } from './outcome.js';
export { ResilienceTesting, type ResilienceTestingOptions } from './resilience-testing.js';
export type { Script } from './script.js';
export { settle } from './settle.js';
export type { AppUnderTest } from './tested-app.js';
export { virtualClock, type VirtualClock } from './virtual-clock.js';
