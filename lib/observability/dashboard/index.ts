export { ResilienceDashboardModule } from './dashboard.module.js';
export type { DashboardModuleExtras, DashboardModuleOptions, DashboardOptionsFactory } from './dashboard.options.js';
export type { Guard } from '../guards.js';
export type {
  ActionKind,
  ActionRefusal,
  ActionRequest,
  ActionResult,
  BreakerState,
  DashboardState,
  HistoryPoint,
  Ingress,
  InstanceDetail,
  InstanceRow,
  PlanStepView,
  ProcessInfo,
  RuleView,
  Sample,
  Tick,
  TimelineEntry,
} from './protocol.js';
