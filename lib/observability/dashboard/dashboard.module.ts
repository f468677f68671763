import { Module, type DynamicModule } from '@nestjs/common';
import { noOptions } from '../../module/given-options.js';
import { ACTION_GUARDS, PermissionGuard } from './access/permission.guard.js';
import { Dashboard } from './dashboard.js';
import { ConfigurableModuleClass, type OPTIONS_TYPE } from './dashboard.module-definition.js';
import { DASHBOARD_DEFAULTS } from './dashboard.options.js';
import { DASHBOARD_OPTIONS, DASHBOARD_PAGE, DASHBOARD_PATH } from './dashboard.tokens.js';
import { PAGE_FOLDER } from './page-files.js';

/**
 * A page that shows every guarded method, route and set of the app as it is now, why policies decided as they did, and lets
 * those act whom `actionGuards` let in. Import it once, beside `ResilienceModule`.
 *
 * @example
 * @Module({
 *   imports: [
 *     ResilienceModule.forRoot(),
 *     ResilienceDashboardModule.forRoot({ guards: [StaffGuard], actionGuards: [OnCallGuard], imports: [AuthModule] }),
 *   ],
 * })
 * export class AppModule {}
 *
 * @publicApi
 */
@Module({
  providers: [
    noOptions('ResilienceDashboardModule', DASHBOARD_OPTIONS),
    { provide: DASHBOARD_PATH, useValue: DASHBOARD_DEFAULTS.path },
    { provide: ACTION_GUARDS, useValue: null },
    Dashboard,
    PermissionGuard,
    { provide: DASHBOARD_PAGE, useValue: PAGE_FOLDER },
  ],
})
export class ResilienceDashboardModule extends ConfigurableModuleClass {
  /** @throws ResilienceConfigurationError for a path or guards that are none. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }
}
